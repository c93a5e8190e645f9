/**
 * Who can read this account, for the screens: the devices, their log, who was given which keys, and the one
 * act that runs or has ended. Names, fingerprints and reasons come from other devices and the server.
 */
import type { Readable } from './viewer.ts'

export interface DeviceEntry {
	id: string
	/** `null` where it does not open. */
	name: string | null
	kind: 'device' | 'recovery'
	fingerprint: string
	state: 'active' | 'revoked'
	/** This device. */
	own: boolean
	addedBy: string
	addedByName: string | null
	addedAt: string
	revoked: Revoked | null
	/** The server's word. */
	lastSeenAt: string | null
	/** Sessions of which it was given a key; `null`: not known. */
	sessions: number | null
}

export interface Revoked {
	by: string
	byName: string | null
	at: string
	reason: string | null
}

/** Something in the server's list of keys that the verified log does not bear out. */
export interface Fault {
	device: string
	publicKey: string | null
	/** `unknown` and `other_key`: an intruder, for whom nothing is ever sealed. */
	what: 'unknown' | 'other_key' | 'missing' | 'not_revoked' | 'revoked' | 'other_times'
}

export interface DevicesState {
	/** In the order of the log. */
	devices: readonly DeviceEntry[]
	intruders: readonly Fault[]
	/** One device, and no recovery key. */
	single: boolean
	log: { entries: number; head: string | null; problem: string | null }
	/** Live hosts whose last sign of life does not know of the newest revocation. */
	behind: readonly { host: string; name: string | null }[]
	loading: boolean
	/** It was read at least once. */
	known: boolean
	/** Why it could not be read the last time. */
	error: string | null
}

export interface LogEvent {
	seq: number
	at: string
	by: string
	byName: string | null
	type: 'genesis' | 'add' | 'rename' | 'revoke'
	device: string
	deviceName: string | null
	/** The recovery key proves the log with it, and names nothing anew. */
	proof: boolean
	/** The name that this entry gives. */
	label: string | null
	reason: string | null
	/** Base64. */
	hash: string
}

export interface HistoryState {
	/** Newest first. */
	events: readonly LogEvent[]
	loading: boolean
	error: string | null
}

/** One device's keys of one session. */
export interface AccessCell {
	/** Epochs that it was given, and when and by whom the last one. */
	epochs: number
	by: string
	at: string
	/** Whether the keys open: known of this device only, `null` is the server's word. */
	opens: boolean | null
}

export interface AccessRow {
	session: string
	epochs: number
	cells: ReadonlyMap<string, AccessCell>
}

export interface AccessState {
	rows: readonly AccessRow[]
	/** There are no more than these. */
	complete: boolean
	loading: boolean
	error: string | null
}

export interface Progress {
	done: number
	total: number
}

export interface FoundPairing {
	/** What it calls itself, and what it will be called: no two active devices have one name. */
	name: string
	as: string
	platform: string
	fingerprint: string
	at: string
	/** It is in the log already: another device was faster, or this one was cut off. */
	already: { by: string; byName: string | null; own: boolean; at: string } | null
}

export interface ApproveAct {
	type: 'approve'
	step: 'looking' | 'found' | 'sharing' | 'done' | 'failed'
	request: FoundPairing | null
	progress: Progress | null
	/** Who added it: where that is not this device, another one was faster. */
	result: {
		by: string
		byName: string | null
		own: boolean
		at: string
		sessions: number
		granted: number
		unreadable: number
	} | null
	problem: string | null
}

export interface RevokeAct {
	type: 'revoke'
	step: 'planning' | 'planned' | 'revoking' | 'done' | 'failed'
	device: { id: string; name: string | null; fingerprint: string; own: boolean }
	plan: {
		/** Live sessions that get a new key; not those that the device hosts itself. */
		live: readonly { session: string; hostName: string | null; own: boolean }[]
		/** It is the last active device, which can't be revoked. */
		last: boolean
		/** Sessions that it was given keys of, and may keep. */
		readable: number
	} | null
	progress: Progress | null
	report: {
		/** Whose entry stands: where that is not this device's, another one was faster. */
		by: string
		byName: string | null
		own: boolean
		at: string
		accountEpoch: number
		sessions: readonly {
			session: string
			hostName: string | null
			own: boolean
			epoch: number
			rekeyed: boolean
		}[]
		/** Newest keys that it was given all the same. */
		grantsAfter: number
		complete: boolean
	} | null
	problem: string | null
}

export interface RecoveryAct {
	type: 'recovery'
	/** `asked`: the words are hidden, and two of them are asked for. */
	step: 'making' | 'shown' | 'asked' | 'registering' | 'done' | 'failed'
	words: readonly string[]
	/** Places of the words to type, from 0. */
	asked: readonly [number, number]
	/** There is one already, which this one takes the place of. */
	replaces: boolean
	progress: Progress | null
	problem: string | null
}

export interface VerifyAct {
	type: 'verify'
	step: 'checking' | 'done' | 'failed'
	report: {
		entries: number
		head: string
		faults: readonly Fault[]
	} | null
	problem: string | null
}

/** Whether a key that no device added stands in the server's list. */
export function isIntruder({ what }: Pick<Fault, 'what'>): boolean {
	return what === 'unknown' || what === 'other_key'
}

export type DeviceAct = ApproveAct | RevokeAct | RecoveryAct | VerifyAct

/** Whether it is at work, and not waiting for the person. */
export function isRunning(act: DeviceAct | null): boolean {
	if (!act) return false
	return [
		'looking',
		'sharing',
		'planning',
		'revoking',
		'making',
		'registering',
		'checking',
	].includes(act.step)
}

/** Whether stopping the program now would leave it half done. */
export function isUnfinished(act: DeviceAct | null): boolean {
	return act !== null && ['sharing', 'revoking', 'registering'].includes(act.step)
}

export interface Devices {
	readonly state: Readable<DevicesState>
	readonly history: Readable<HistoryState>
	readonly access: Readable<AccessState>
	/** The last act; one at a time. */
	readonly act: Readable<DeviceAct | null>
	/** Reads the list again. Never rejects: what fails is in `state`. */
	refresh(): Promise<void>
	/** What is wrong with a typed code, or `null`. */
	codeProblem(code: string): string | null
	/** Looks for the device that shows this code. */
	look(code: string): void
	/** Adds the device that was found, if that is the one with this fingerprint, and gives it all keys. */
	approve(fingerprint: string): void
	/** Resolves when the log has it. Rejects with the reason. */
	rename(device: string, name: string): Promise<void>
	/** Finds out what a revocation would do. */
	plan(device: string): void
	/** Does what was planned, if that was for this device. Returns whether it was. */
	revoke(device: string, reason: string | null): boolean
	/** Makes 24 words, which are shown until they are asked for. */
	makeRecovery(): void
	/** Shows them again, or hides and asks for two of them. */
	showWords(shown: boolean): void
	/** Puts the recovery key into the log. Call it when the words were confirmed. */
	registerRecovery(): void
	verify(): void
	/** Reads the log's history again. */
	readHistory(): void
	/** Starts the access list from its beginning. */
	readAccess(): void
	/** Reads the next part of it. */
	moreAccess(): void
	/** Forgets an act that waits for the person or has ended. One that runs goes on. */
	dismiss(): void
}
