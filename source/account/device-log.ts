/** The account's device log on this device: pulled, verified, pinned (docs/protocol.md, section 2). */
import type { Gateway, LogRow } from '../backend/gateway.ts'
import { fromBase64, toBase64 } from '../protocol/bytes.ts'
import type { Device } from '../protocol/device.ts'
import {
	emptyLog,
	entryHash,
	headOf,
	type LogAct,
	type LogState,
	makeEntry,
	passesThrough,
	replay,
	replayLong,
	type SignedEntry,
} from '../protocol/device-log.ts'
import { exit, refused, StyrbyError } from '../protocol/errors.ts'
import type { LogHead } from '../protocol/json.ts'
import { shortTime } from '../text/time.ts'

/**
 * Where the verified log is kept between runs: it is the pin that a server can't take back. Several
 * processes of a home share it.
 */
export interface LogStore {
	load(): Promise<LogState | null>
	/** Keeps the longer of what is there and `state`. Throws `log_rolled_back` where neither continues the other. */
	save(state: LogState): Promise<void>
}

const attempts = 8
/** Heads remembered that one device signed and the server does not show. */
const maxOwed = 20

function signedEntry(row: LogRow): SignedEntry {
	return { seq: row.seq, entry: fromBase64(row.entry), signature: fromBase64(row.signature, 64) }
}

export function rolledBack(): StyrbyError {
	return refused(
		'log_rolled_back',
		'The server shows a device log that is older than, or different from, the one seen before: it may be hiding or inventing devices.',
	)
}

/**
 * Throws `device_revoked` (exit 3) when the verified log says so: that is proof, where what a server says of
 * a sign-in is none.
 */
export function assertNotRevoked(state: LogState, device: string): void {
	const revoked = state.devices.get(device)?.revoked
	if (!revoked) return
	throw new StyrbyError(
		'device_revoked',
		`This device was revoked at ${shortTime(revoked.at)} UTC, by the device ${revoked.by.slice(0, 8)}: it can read nothing new.`,
		{ exitCode: exit.notSignedIn },
	)
}

/** A log that is refused is its own `problem`; what was verified before says still what is good. */
export async function unlessRefused(pull: Promise<unknown>): Promise<void> {
	try {
		await pull
	} catch (error) {
		if (!(error instanceof StyrbyError) || error.exitCode !== exit.refused) throw error
	}
}

/** A head that somebody signed and the server does not show. */
type Owed = LogHead & { by: string | null }

const revokedBy = (act: LogAct) => (act.type === 'revoke' ? act.device : undefined)

/** What it needs of the backend. */
export type LogGateway = Pick<Gateway, 'account' | 'readLog' | 'appendLog'>

export class DeviceLog {
	readonly #gateway: LogGateway
	readonly #store: LogStore
	#state: LogState
	/** Pulls and appends take turns: each builds on what the one before has verified. */
	#turn: Promise<unknown> = Promise.resolve()
	/** A pull that has not begun yet, and so will see all that is there now. */
	#next: Promise<LogState> | null = null
	readonly #listeners = new Set<() => void>()
	readonly #owed: Owed[] = []
	/** Why the last pull was refused. */
	#broken: StyrbyError | null = null
	#problem: StyrbyError | null = null
	#pins = true

	private constructor(gateway: LogGateway, store: LogStore, state: LogState) {
		this.#gateway = gateway
		this.#store = store
		this.#state = state
	}

	/**
	 * Loads the pinned log and pulls what is new. Throws the errors of `replay` and `log_rolled_back`
	 * (exit code 4): then nothing may be encrypted to anyone.
	 */
	static async open(
		gateway: LogGateway,
		store: LogStore,
		options: { pin?: boolean } = {},
	): Promise<DeviceLog> {
		const pinned = await store.load()
		if (pinned && pinned.account !== gateway.account) throw rolledBack()
		const log = new DeviceLog(gateway, store, pinned ?? emptyLog(gateway.account))
		log.#pins = options.pin ?? true
		await log.refresh()
		return log
	}

	/**
	 * From now on what was verified is kept. Until then a log that was opened with `pin: false` is only
	 * looked at: a home that is not in it yet can't know whether it is the right one.
	 */
	async pin(): Promise<void> {
		if (this.#pins) return
		this.#pins = true
		const kept = await this.#store.load()
		// What is kept already is not written again: a command that only reads works on a full disk.
		if (kept?.hashes.length !== this.#state.hashes.length) await this.#store.save(this.#state)
	}

	/** The log as far as it was verified. */
	get state(): LogState {
		return this.#state
	}

	/**
	 * Why the log that the server shows can't be trusted: it does not verify, or it lacks what an active
	 * device has signed that it saw. `null` when it can, and again once the server shows what it lacked.
	 */
	get problem(): StyrbyError | null {
		return this.#problem
	}

	/**
	 * Throws `problem`, if there is one: then nothing may be encrypted to anyone. `but`: a device whose word
	 * on the log does not count, since it is being revoked.
	 */
	assertTrusted(but?: string): void {
		if (this.#problem && (this.#broken || this.#isOwed(but))) throw this.#problem
	}

	#isOwed(but?: string): boolean {
		return this.#owed.some(({ by }) => by === null || by !== but)
	}

	/** Is told after each change, of `state` or of `problem`. Returns how to stop that. */
	onChange(listener: () => void): () => void {
		this.#listeners.add(listener)
		return () => this.#listeners.delete(listener)
	}

	/**
	 * Pulls and verifies new entries: all that were there when this was called. Calls that wait at the same
	 * time share one pull.
	 */
	refresh(): Promise<LogState> {
		this.#next ??= this.#inTurn(() => {
			this.#next = null
			return this.#judged(this.#pull())
		})
		return this.#next
	}

	#inTurn<T>(work: () => Promise<T>): Promise<T> {
		const turn = this.#turn.then(work, work)
		this.#turn = turn.catch(() => undefined)
		return turn
	}

	/**
	 * Makes sure that the verified log passes through a head that an active device has signed, pulling if
	 * need be. Throws `log_rolled_back` when the server shows another history; then that is the `problem`
	 * until it shows this one, or this device revokes the one that signed it (`by`).
	 */
	async reach(head: LogHead, by: string | null = null): Promise<LogState> {
		if (this.#state.hashes.length <= head.seq) await unlessRefused(this.refresh())
		if (passesThrough(this.#state, head)) return this.#state
		const same = this.#owed.filter((owed) => owed.by === by)
		const known = same.some(({ seq, hash }) => seq === head.seq && hash === head.hash)
		if (!known && same.length < maxOwed) this.#owed.push({ ...head, by })
		this.#settle()
		throw this.#broken ?? rolledBack()
	}

	async #judged(pull: Promise<LogState>, but?: string): Promise<LogState> {
		let state: LogState
		try {
			state = await pull
		} catch (error) {
			const bad = error instanceof StyrbyError && error.exitCode === exit.refused
			if (bad) this.#broken = error
			this.#settle()
			throw error
		}
		this.#broken = null
		this.#settle()
		if (this.#isOwed(but)) throw rolledBack()
		return state
	}

	#settle(): void {
		const lacking = this.#owed.filter((head) => !passesThrough(this.#state, head))
		this.#owed.splice(0, this.#owed.length, ...lacking)
		this.#setProblem(this.#broken ?? (lacking.length > 0 ? rolledBack() : null))
	}

	#setProblem(problem: StyrbyError | null): void {
		if (problem?.code === this.#problem?.code) return
		this.#problem = problem
		for (const listener of this.#listeners) listener()
	}

	/**
	 * Signs and appends what `act` makes of the verified log; where another device was faster, after its
	 * entry. `null`: there is nothing left to do. Throws `device_revoked` (exit 3) when this device is. Where
	 * the entry revokes a device, what that device has signed of the log is owed no longer.
	 */
	append(
		device: Device,
		act: LogAct | ((state: LogState) => LogAct | null),
	): Promise<{ state: LogState; seq: number | null }> {
		return this.#inTurn(async () => {
			for (let attempt = 1; ; attempt++) {
				assertNotRevoked(this.#state, device.record.id)
				const made = typeof act === 'function' ? act(this.#state) : act
				if (!made) return { state: this.#state, seq: null }
				const signed = makeEntry(this.#state, device, made)
				const next = replay(this.#state, [signed])
				try {
					await this.#gateway.appendLog({
						seq: signed.seq,
						entry: toBase64(signed.entry),
						signature: toBase64(signed.signature),
					})
				} catch (error) {
					const conflict = error instanceof StyrbyError && error.code === 'log_conflict'
					if (!conflict || attempt === attempts) throw error
					await this.#judged(this.#pull(), revokedBy(made))
					continue
				}
				await this.#accept(next)
				this.#forgive(revokedBy(made))
				return { state: next, seq: signed.seq }
			}
		})
	}

	/** Only where this device decides so: else a server could lift its own alarm with a revocation it helps to make. */
	#forgive(device: string | undefined): void {
		if (device === undefined) return
		const others = this.#owed.filter(({ by }) => by !== device)
		this.#owed.splice(0, this.#owed.length, ...others)
		this.#settle()
	}

	async #pull(): Promise<LogState> {
		// What another process of this home has seen, the server may not hide from this one.
		const pinned = await this.#store.load()
		const known = this.#state.hashes.length
		// The last known entry is asked for again: a server that no longer has it has rolled back.
		const rows = (await this.#gateway.readLog(known - 2)).map(signedEntry)
		if (known > 0) {
			const last = rows.shift()
			const same =
				last?.seq === known - 1 &&
				toBase64(entryHash(last.entry, last.signature)) === headOf(this.#state).hash
			if (!same) throw rolledBack()
		}
		const next = rows.length > 0 ? await replayLong(this.#state, rows) : this.#state
		if (pinned && pinned.hashes.length > 0 && !passesThrough(next, headOf(pinned))) {
			throw rolledBack()
		}
		if (next !== this.#state) await this.#accept(next)
		return next
	}

	async #accept(state: LogState): Promise<void> {
		if (this.#pins) await this.#store.save(state)
		this.#state = state
		for (const listener of this.#listeners) listener()
	}
}
