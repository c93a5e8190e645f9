/**
 * The device log (section 2): who may read, proved without trusting the server. Entries are signed by an
 * active device and chained by hash; replaying them all gives the devices of an account.
 */
import * as v from 'valibot'
import { assertUsableBoxKey } from './box.ts'
import { encodeUtf8, fromBase64, toBase64 } from './bytes.ts'
import { type Device, type DeviceRecord, deviceRecordSchema } from './device.ts'
import { digest } from './digest.ts'
import { refused, StyrbyError } from './errors.ts'
import {
	base64,
	decodeJson,
	encodeJson,
	isoTime,
	type LogHead,
	sequence,
	uuid,
	version,
} from './json.ts'
import { type Sealed, sealedSchema } from './label.ts'
import {
	assertSigned,
	assertUsableSignKey,
	type Signed,
	signFor,
	verifyAll,
	verifyFor,
} from './sign.ts'

const common = {
	v: version,
	account: uuid,
	seq: sequence,
	/** Hash of the entry before; 32 zero bytes for the first. */
	prev: base64(32),
	at: isoTime,
	by: uuid,
}

export const entrySchema = v.variant('type', [
	v.object({
		...common,
		type: v.literal('genesis'),
		device: deviceRecordSchema,
		label: sealedSchema,
	}),
	v.object({
		...common,
		type: v.literal('add'),
		device: deviceRecordSchema,
		label: sealedSchema,
		/** The new device's own signature: it wants to join this account with these keys. */
		join: base64(64),
	}),
	v.object({ ...common, type: v.literal('rename'), device: uuid, label: sealedSchema }),
	v.object({
		...common,
		type: v.literal('revoke'),
		device: uuid,
		reason: v.nullable(v.pipe(v.string(), v.maxLength(200))),
	}),
])
export type LogEntry = v.InferOutput<typeof entrySchema>

type Chained = 'v' | 'account' | 'seq' | 'prev' | 'by'
/** What an entry says, without what its place in the log says. */
export type LogAct = LogEntry extends infer E
	? E extends LogEntry
		? Omit<E, Chained>
		: never
	: never

/** An entry as it travels: the signed bytes, and the signature (64 bytes). */
export interface SignedEntry {
	seq: number
	entry: Uint8Array
	signature: Uint8Array
}

export interface DeviceState {
	record: DeviceRecord
	label: Sealed
	addedBy: string
	addedAt: string
	addedSeq: number
	revoked: { by: string; at: string; seq: number; reason: string | null } | null
}

/** A verified log, as far as it was replayed. */
export interface LogState {
	account: string
	/** Hash (base64) of each entry, by sequence number. */
	hashes: readonly string[]
	devices: ReadonlyMap<string, DeviceState>
}

const noEntry = new Uint8Array(32)

/** SHA-256(D("log") ‖ entry ‖ signature), 32 bytes: what the next entry's `prev` is. */
export function entryHash(entry: Uint8Array, signature: Uint8Array): Uint8Array {
	return digest('log', entry, signature)
}

export function emptyLog(account: string): LogState {
	return { account, hashes: [], devices: new Map() }
}

/** The last verified entry. Throws `log_empty`. */
export function headOf(state: LogState): LogHead {
	const hash = state.hashes.at(-1)
	if (hash === undefined) throw refused('log_empty', 'The device log has no entry yet.')
	return { seq: state.hashes.length - 1, hash }
}

/** Whether the verified log passes through `head`. */
export function passesThrough(state: LogState, head: LogHead): boolean {
	return state.hashes[head.seq] === head.hash
}

export function isActive(state: LogState, device: string): boolean {
	return state.devices.get(device)?.revoked === null
}

export function activeDevices(state: LogState): DeviceState[] {
	return [...state.devices.values()].filter((device) => device.revoked === null)
}

/** The number of the newest `revoke`, -1 when there is none. */
export function lastRevocation(state: LogState): number {
	let last = -1
	for (const { revoked } of state.devices.values()) last = Math.max(last, revoked?.seq ?? -1)
	return last
}

/** The new device's consent: its signature (64 bytes) over the account and its own record. */
export function signJoin(account: string, device: Device): Uint8Array {
	return signFor('log-join', device.signSecret, joinBytes(account, device.record))
}

/** Whether `join` (64 bytes) is the consent of the device `record` to join `account`. */
export function verifyJoin(account: string, record: DeviceRecord, join: Uint8Array): boolean {
	const { purpose, publicKey, signature, bytes } = joined(account, record, join)
	return verifyFor(purpose, publicKey, signature, bytes)
}

function joined(account: string, record: DeviceRecord, signature: Uint8Array): Signed {
	const publicKey = fromBase64(record.sign, 32)
	return { purpose: 'log-join', publicKey, signature, bytes: joinBytes(account, record) }
}

function joinBytes(account: string, record: DeviceRecord): Uint8Array {
	const { id, box, sign, kind } = record
	return encodeUtf8(JSON.stringify({ account, id, box, sign, kind }))
}

/** Makes the next entry of the log, signed by `device`. The caller appends it to the server. */
export function makeEntry(state: LogState, device: Device, act: LogAct): SignedEntry {
	const seq = state.hashes.length
	const place = {
		v: 1,
		account: state.account,
		seq,
		prev: state.hashes.at(-1) ?? toBase64(noEntry),
		by: device.record.id,
	}
	const entry = encodeJson({ ...place, ...act })
	return { seq, entry, signature: signFor('log-entry', device.signSecret, entry) }
}

/**
 * Replays entries onto a verified state and returns the new one. Throws, with nothing of the new
 * entries used: `log_gap`, `log_forked`, `log_foreign`, `log_bad_signature`, `log_unknown_signer`,
 * `log_invalid_entry`, `weak_key`, `malformed_log_entry`, `newer_version`.
 */
export function replay(state: LogState, entries: readonly SignedEntry[]): LogState {
	return walk(state, entries, ({ purpose, publicKey, signature, bytes }) =>
		verifyFor(purpose, publicKey, signature, bytes),
	)
}

/**
 * As `replay`, with the signatures of a long log verified on all processors. What is wrong with a log is
 * said by `replay` itself, so that the first thing wrong is what is thrown.
 */
export async function replayLong(
	state: LogState,
	entries: readonly SignedEntry[],
): Promise<LogState> {
	if (entries.length < long) return replay(state, entries)
	const signatures: Signed[] = []
	try {
		const next = walk(state, entries, (signed) => signatures.push(signed) > 0)
		if (await verifyAll(signatures)) return next
	} catch (error) {
		if (!(error instanceof StyrbyError)) throw error
	}
	return replay(state, entries)
}

/** Entries from which on it is worth asking other processors. */
const long = 200

/** `holds` says of each signature whether it verifies. */
function walk(
	state: LogState,
	entries: readonly SignedEntry[],
	holds: (signed: Signed) => boolean,
): LogState {
	const registry = registryOf(state)
	const { devices } = registry
	const hashes = [...state.hashes]
	for (const signed of entries) {
		if (signed.seq !== hashes.length) {
			throw refused('log_gap', `The device log lacks entry ${hashes.length}.`)
		}
		const entry = decodeJson(signed.entry, entrySchema, 'log_entry')
		if (entry.account !== state.account || entry.seq !== signed.seq) {
			throw refused('log_foreign', `Entry ${signed.seq} of the device log belongs elsewhere.`)
		}
		if (entry.prev !== (hashes.at(-1) ?? toBase64(noEntry))) {
			throw refused('log_forked', `Entry ${signed.seq} does not continue the device log.`)
		}
		assertSigned(
			holds({
				purpose: 'log-entry',
				publicKey: signerKey(devices, entry),
				signature: signed.signature,
				bytes: signed.entry,
			}),
			'log_bad_signature',
			`entry ${signed.seq} of the device log`,
		)
		apply(registry, entry, state.account, holds)
		hashes.push(toBase64(entryHash(signed.entry, signed.signature)))
	}
	return { account: state.account, hashes, devices }
}

/** The devices, with what would else be searched for at each entry: a log of n entries takes n steps. */
interface Registry {
	devices: Map<string, DeviceState>
	/** Ids and public keys that were ever there. */
	taken: Set<string>
	active: number
}

function registryOf(state: LogState): Registry {
	const taken = new Set<string>()
	let active = 0
	for (const { record, revoked } of state.devices.values()) {
		for (const name of namesOf(record)) taken.add(name)
		if (revoked === null) active++
	}
	return { devices: new Map(state.devices), taken, active }
}

const namesOf = ({ id, box, sign }: DeviceRecord) => [id, `box ${box}`, `sign ${sign}`]

function signerKey(devices: ReadonlyMap<string, DeviceState>, entry: LogEntry): Uint8Array {
	if (entry.type === 'genesis') return usableSignKey(entry.device)
	const signer = devices.get(entry.by)
	if (!signer || signer.revoked) {
		throw refused(
			'log_unknown_signer',
			`Entry ${entry.seq} of the device log is signed by a device that was not active.`,
		)
	}
	return fromBase64(signer.record.sign, 32)
}

/** Before any signature by it is looked at: under some keys anything verifies. Throws `weak_key`. */
function usableSignKey(record: DeviceRecord): Uint8Array {
	const key = fromBase64(record.sign, 32)
	assertUsableSignKey(key)
	return key
}

function invalid(entry: LogEntry, why: string): StyrbyError {
	return refused('log_invalid_entry', `Entry ${entry.seq} of the device log is not valid: ${why}.`)
}

function apply(
	registry: Registry,
	entry: LogEntry,
	account: string,
	holds: (signed: Signed) => boolean,
): void {
	const { devices } = registry
	if ((entry.type === 'genesis') !== (entry.seq === 0)) throw invalid(entry, 'wrong place')
	switch (entry.type) {
		case 'genesis':
			if (entry.by !== entry.device.id) throw invalid(entry, 'not signed by its own device')
			register(registry, entry)
			return
		case 'add':
			usableSignKey(entry.device)
			assertSigned(
				holds(joined(account, entry.device, fromBase64(entry.join, 64))),
				'log_bad_signature',
				`the device added by entry ${entry.seq} of the device log`,
			)
			register(registry, entry)
			return
		case 'rename': {
			const device = devices.get(entry.device)
			if (!device) throw invalid(entry, 'no such device')
			devices.set(entry.device, { ...device, label: entry.label })
			return
		}
		case 'revoke': {
			const device = devices.get(entry.device)
			if (!device || device.revoked) throw invalid(entry, 'no such active device')
			if (registry.active === 1) throw invalid(entry, 'it would revoke the last device')
			const { by, at, seq, reason } = entry
			registry.active--
			devices.set(entry.device, { ...device, revoked: { by, at, seq, reason } })
		}
	}
}

function register(registry: Registry, entry: Extract<LogEntry, { type: 'genesis' | 'add' }>): void {
	const { device: record, label, by, at, seq } = entry
	assertUsableBoxKey(fromBase64(record.box, 32))
	const names = namesOf(record)
	if (names.some((name) => registry.taken.has(name))) {
		throw invalid(entry, 'this device or key was there before')
	}
	for (const name of names) registry.taken.add(name)
	registry.active++
	registry.devices.set(record.id, {
		record,
		label,
		addedBy: by,
		addedAt: at,
		addedSeq: seq,
		revoked: null,
	})
}
