/**
 * Brings one session of an agent's own history into the account. Repeating it adds nothing, a file that
 * has grown adds what is new, and a death at any moment costs nothing.
 */
import { createHmac } from 'node:crypto'
import type { Account } from '../account/account.ts'
import type { ScopeKeys } from '../account/key-ring.ts'
import type { ImportedSession } from '../agents/agent.ts'
import type { AppendRow, Gateway, SessionRow } from '../backend/gateway.ts'
import { keySize } from '../protocol/box.ts'
import { encodeUtf8 } from '../protocol/bytes.ts'
import { randomId } from '../protocol/device.ts'
import type { AgentName, SessionEvent } from '../protocol/events.ts'
import { type ChainState, chainStart } from '../protocol/message.ts'
import { sessionScope } from '../protocol/scope.ts'
import { cleanEvent } from './clean-event.ts'
import type { HostedSessions, ImportedSource } from './hosted-sessions.ts'
import { contentName, importChain, importedContents } from './import-position.ts'
import { sealEvent } from './seal-event.ts'
import { type ProjectSetting, plainProject, sessionLabel, titleOf } from './session-label.ts'

export interface ImportOptions {
	account: Account
	gateway: Gateway
	hosted: HostedSessions
	project: ProjectSetting
	signal?: AbortSignal
}

export interface ImportResult {
	agent: AgentName
	session: string
	/** Events that were added, and those that were there already. */
	messages: number
	skipped: number
	/** Why nothing was done, though nothing is wrong: `hosted_live`, `other_device`. */
	reason: 'hosted_live' | 'other_device' | null
	problems: { line: number; problem: string }[]
}

/** Rows of one call at most, and their JSON text in bytes. */
const maxRows = 500
const maxBytes = 3 * 1024 * 1024

/**
 * The id under which an agent's session is imported (docs/protocol.md, section 5.8): the same on every
 * device of the account, and nothing to anyone else. `accountKey`: 32 bytes, of epoch 0.
 */
export function importId(accountKey: Uint8Array, agent: string, agentSession: string): string {
	const mac = createHmac('sha256', accountKey)
		.update('styrby/v1/import\0')
		.update(encodeUtf8(JSON.stringify([agent, agentSession])))
		.digest()
	return randomId((size) => new Uint8Array(mac.subarray(0, size)))
}

/** Throws `backend_unreachable`, `key_missing`, `import_altered`, the errors of the disk. */
export async function importSession(
	imported: ImportedSession,
	options: ImportOptions,
): Promise<ImportResult> {
	const { account, hosted } = options
	const accountKey = (await account.keys.load(account.scope)).keyOf(0)
	if (!(accountKey instanceof Uint8Array)) throw accountKey
	const { agent, session: agentSession } = imported
	const session = importId(accountKey, agent, agentSession)
	const result = { agent, session, messages: 0, skipped: 0, problems: [] }
	const live = hosted.liveSession(agent, agentSession)
	if (live !== null) return { ...result, session: live, reason: 'hosted_live' }
	const place = await findPlace(session, options)
	if (!place) return { ...result, reason: 'other_device' }
	const writer = new SessionWriter(imported, session, options, place)
	return { ...result, ...(await writer.addAll()), reason: null }
}

interface Batch {
	rows: AppendRow[]
	sources: ImportedSource[]
	bytes: number
}

const emptyBatch = (): Batch => ({ rows: [], sources: [], bytes: 0 })

/** Where the session stands before anything is added. */
interface Place {
	row: SessionRow | null
	chain: ChainState
	/** The epoch to seal with; `isNew` when the backend has to be given it first. */
	epoch: { epoch: number; key: Uint8Array; isNew: boolean }
	/** Lines that are there, by name. */
	known: Set<string>
	/** Without a whole list of them: how often each content is there. */
	contents: Map<string, number> | null
}

/** `null` when another device of the account has imported this session: only that one can add to it. */
async function findPlace(session: string, options: ImportOptions): Promise<Place | null> {
	const { account, gateway, hosted } = options
	const row = await gateway.readSession(session)
	const known = hosted.sources(session, row?.last_seq ?? 0)
	if (!row) {
		const epoch = { epoch: 0, key: account.random(keySize), isNew: true }
		return { row, chain: chainStart(session), epoch, known, contents: null }
	}
	const keys = await account.keys.load(sessionScope(session), { again: true })
	if (keys.by !== account.device.record.id) return null
	const key = keys.keyOf(keys.newest)
	if (!(key instanceof Uint8Array)) throw key
	// The list may have been lost, or be an older copy of itself.
	const unlisted = hosted.listedTo(session) < row.last_seq
	return {
		row,
		chain: await importChain(account, gateway, row, keys),
		epoch: revokedSince(account, keys)
			? { epoch: keys.newest + 1, key: account.random(keySize), isNew: true }
			: { epoch: keys.newest, key, isNew: false },
		known,
		contents: unlisted ? await importedContents(gateway, row, keys) : null,
	}
}

/** Whether a device that was granted the newest key has been revoked: it gets nothing new. */
function revokedSince(account: Account, keys: ScopeKeys): boolean {
	const head = keys.records.get(keys.newest)?.log.seq ?? -1
	return [...account.log.state.devices.values()].some(
		({ revoked }) => revoked !== null && revoked.seq > head,
	)
}

class SessionWriter {
	readonly #imported: ImportedSession
	readonly #session: string
	readonly #options: ImportOptions
	readonly #place: Place
	#ready: boolean
	#chain: ChainState
	#batch = emptyBatch()
	#sending: Promise<void> = Promise.resolve()
	#title: string | null = null
	/** Lines found there by their content, to be put on the list. */
	readonly #found: ImportedSource[] = []

	constructor(imported: ImportedSession, session: string, options: ImportOptions, place: Place) {
		this.#imported = imported
		this.#session = session
		this.#options = options
		this.#place = place
		this.#ready = place.row !== null && !place.epoch.isNew
		this.#chain = place.chain
	}

	async addAll(): Promise<Pick<ImportResult, 'messages' | 'skipped' | 'problems'>> {
		const { hosted, gateway, signal } = this.#options
		const problems: ImportResult['problems'] = []
		let messages = 0
		let skipped = 0
		for await (const line of this.#imported.events) {
			signal?.throwIfAborted()
			if (line.type === 'problem') {
				problems.push({ line: line.line, problem: line.problem })
				continue
			}
			const event = cleanEvent(line.event)
			const at = timeIn(line.at, this.#imported.startedAt)
			if (this.#title === null && event.kind === 'user_prompt') {
				this.#title = titleOf(event.body.text)
			}
			if (this.#has(line.source, at, event)) skipped++
			else {
				messages++
				await this.#add(line.source, at, event)
			}
		}
		await this.#flush()
		await this.#sending
		if (this.#found.length > 0) hosted.imported(this.#session, this.#found)
		// An import that died before its last word left the session without an end.
		const unfinished = this.#place.row !== null && this.#place.row.ended_at === null
		if (messages > 0 || unfinished) {
			const label = await this.#label()
			await gateway.updateSession(this.#session, {
				status: 'stopped',
				ended_at: timeIn(this.#imported.endedAt, this.#imported.startedAt),
				...(label ? { label } : {}),
			})
		}
		return { messages, skipped, problems }
	}

	#has(source: string, at: string, event: SessionEvent): boolean {
		const { known, contents } = this.#place
		if (!contents) return known.has(source)
		const name = contentName(at, event)
		const left = contents.get(name) ?? 0
		if (left > 0) contents.set(name, left - 1)
		if (known.has(source)) return true
		if (left === 0) return false
		this.#found.push({ source, seq: this.#place.chain.seq })
		return true
	}

	/** Seals a line into the batch. All messages of a line go in one call, so none is ever there in part. */
	async #add(source: string, at: string, event: SessionEvent): Promise<void> {
		const { account } = this.#options
		const { epoch, key } = this.#place.epoch
		const keys = { epoch, key, signSecret: account.device.signSecret, random: account.random }
		const sealed = sealEvent(this.#session, this.#chain, { at, event }, keys)
		const bytes = sealed.rows.reduce((sum, { row }) => sum + row.ciphertext.length + 600, 0)
		const full =
			this.#batch.rows.length + sealed.rows.length > maxRows || this.#batch.bytes + bytes > maxBytes
		if (full) await this.#flush()
		this.#place.known.add(source)
		this.#chain = sealed.chain
		this.#batch.rows.push(...sealed.rows.map(({ row }) => row))
		this.#batch.bytes += bytes
		this.#batch.sources.push({ source, seq: sealed.chain.seq })
	}

	/** Sends the batch while the next one is being sealed. */
	async #flush(): Promise<void> {
		const batch = this.#batch
		if (batch.rows.length === 0) return
		this.#batch = emptyBatch()
		await this.#sending
		if (!this.#ready) await this.#prepare()
		this.#options.hosted.imported(this.#session, batch.sources)
		this.#sending = this.#send(batch.rows)
		// It is waited for before the next batch; until then its failure is nobody's.
		this.#sending.catch(() => undefined)
	}

	async #send(rows: readonly AppendRow[]): Promise<void> {
		const { gateway, account } = this.#options
		await gateway.appendMessages(this.#session, rows)
		account.seen.saw(this.#session, rows.at(-1)?.seq ?? 0)
	}

	#label() {
		const { account, project } = this.#options
		const about = { title: this.#title, cwd: this.#imported.cwd, project }
		return sessionLabel(account, this.#session, about)
	}

	/** Gives the backend the session, or its next epoch. */
	async #prepare(): Promise<void> {
		const { account, gateway, project } = this.#options
		const { agent, cwd, startedAt } = this.#imported
		const { row, chain, epoch } = this.#place
		const scope = sessionScope(this.#session)
		const at = account.now().toISOString()
		const made = account.keys.newEpoch(scope, {
			epoch: epoch.epoch,
			key: epoch.key,
			from: chain.seq + 1,
			prev: chain.chain,
			at,
		})
		if (row) await gateway.putEpoch(made.epoch, made.grants)
		else {
			await gateway.createSession({
				id: this.#session,
				agent,
				host: account.device.record.id,
				project: plainProject(cwd, project),
				label: await this.#label(),
				started_at: timeIn(startedAt, at),
				epoch: made.epoch,
				grants: made.grants,
			})
			await gateway.updateSession(this.#session, { status: 'stopped' })
		}
		account.keys.remember(scope, made.epoch, made.grants)
		this.#ready = true
	}
}

/** A time that a transcript gives, unless it is none that the backend takes: 1970 to 9998. */
function timeIn(text: string, otherwise: string): string {
	const time = new Date(text)
	const year = time.getUTCFullYear()
	const fine = year >= 1970 && year < 9999
	return fine ? time.toISOString() : timeIn(otherwise, new Date(0).toISOString())
}
