/** Calls whose answer, or whose argument, comes in pages. */
import * as v from 'valibot'
import { malformedAnswer } from './failure.ts'
import type {
	AppendRow,
	EpochRow,
	Gateway,
	GrantRow,
	LogRow,
	MailRow,
	MessageRow,
	SessionRow,
} from './gateway.ts'
import type { Rpc } from './rpc.ts'
import * as schemas from './schemas.ts'

/** Rows of one answer of the backend. */
const pageSize = 500
const logPageSize = 1000
/** More than anybody has: a server that goes on after that is not believed. */
const maxLog = 20_000
/** Characters of base64 of all its entries: ours have about 1,500 each, and one answer may have 64 MiB. */
const maxLogSize = 100_000_000
/** Ten times what may wait for a device. */
const maxMail = 10_000
/** Size of the rows of one append, bytes of base64. */
const maxAppend = 8 * 1024 * 1024
/** Time of one attempt to append, ms: megabytes over a slow line. */
const appendPatience = 60_000

export async function readLog(rpc: Rpc, after: number): Promise<LogRow[]> {
	const rows: LogRow[] = []
	let size = 0
	for (let position = after; ; ) {
		const page = await rpc.call('read_log', { p_after: position }, schemas.logRows)
		rows.push(...page)
		size += page.reduce((sum, row) => sum + row.entry.length, 0)
		const last = page.at(-1)?.seq ?? position
		if (page.length < logPageSize || last <= position) return rows
		if (rows.length > maxLog || size > maxLogSize) throw malformedAnswer('read_log')
		position = last
	}
}

export async function listSessions(
	rpc: Rpc,
	query: Parameters<Gateway['listSessions']>[0],
): Promise<SessionRow[]> {
	const { limit, status = null, agent = null } = query
	const rows: SessionRow[] = []
	let before = query.before ?? null
	let beforeId = query.beforeId ?? null
	while (rows.length < limit) {
		const asked = Math.min(limit - rows.length, pageSize)
		const page = await rpc.call(
			'list_sessions',
			{
				p_limit: asked,
				p_before: before,
				p_before_id: beforeId,
				p_status: status,
				p_agent: agent,
			},
			schemas.sessionRows,
		)
		rows.push(...page.slice(0, asked))
		const last = page.at(-1)
		if (!last || page.length < asked || last.id === beforeId) break
		before = last.last_activity_at
		beforeId = last.id
	}
	return rows
}

export async function readKeys(
	rpc: Rpc,
	scopes: readonly string[],
	device: string,
): Promise<{ epochs: EpochRow[]; grants: GrantRow[] }> {
	const epochs: EpochRow[] = []
	const grants: GrantRow[] = []
	for (const some of slices(scopes, pageSize)) {
		const keys = await rpc.call('read_keys', { p_scopes: some, p_device: device }, schemas.keys)
		epochs.push(...keys.epochs)
		grants.push(...keys.grants)
	}
	return { epochs, grants }
}

export async function putGrants(rpc: Rpc, grants: readonly GrantRow[]): Promise<void> {
	for (const some of slices(grants, 1000)) {
		await rpc.call('put_grants', { p_grants: some }, schemas.nothing)
	}
}

export async function appendMessages(
	rpc: Rpc,
	session: string,
	rows: readonly AppendRow[],
): Promise<number> {
	let last = 0
	for (const some of appends(rows)) {
		const answer = await rpc.call(
			'append_messages',
			{ p_session: session, p_rows: some },
			schemas.appended,
			appendPatience,
		)
		last = answer.last_seq
	}
	return last
}

/** As few calls as the limits of one allow; one, with nothing in it, for no rows. */
function appends(rows: readonly AppendRow[]): AppendRow[][] {
	const calls: AppendRow[][] = []
	let current: AppendRow[] = []
	let size = 0
	for (const row of rows) {
		const more = row.ciphertext.length
		if (current.length === pageSize || (current.length > 0 && size + more > maxAppend)) {
			calls.push(current)
			current = []
			size = 0
		}
		current.push(row)
		size += more
	}
	calls.push(current)
	return calls
}

/**
 * One answer, `count` rows long. A row of an unknown form is left out: whoever reads finds it missing at
 * its place, and sees the others. Throws `backend_malformed` when none has a known form.
 */
async function messagePage(
	rpc: Rpc,
	args: Record<string, unknown>,
): Promise<{ rows: MessageRow[]; count: number; more: boolean }> {
	return await messagesOf(rpc, 'read_messages', args)
}

/** One answer. A row of an unknown form is left out, as in `messagePage`. */
export async function readSpending(
	rpc: Rpc,
	{ before, limit }: Parameters<Gateway['readSpending']>[0],
): Promise<{ rows: MessageRow[]; more: boolean }> {
	const args = {
		p_before: before?.at ?? null,
		p_session: before?.session ?? null,
		p_seq: before?.seq ?? null,
		p_limit: Math.min(limit, pageSize),
	}
	const { rows, more } = await messagesOf(rpc, 'read_spending', args)
	return { rows, more }
}

async function messagesOf(
	rpc: Rpc,
	name: string,
	args: Record<string, unknown>,
): Promise<{ rows: MessageRow[]; count: number; more: boolean }> {
	const page = await rpc.call(name, args, schemas.messagePage)
	const rows = page.rows.flatMap((row) => {
		const checked = v.safeParse(schemas.messageRow, row)
		return checked.success ? [checked.output] : []
	})
	const count = page.rows.length
	if (rows.length === 0 && count > 0) throw malformedAnswer(name)
	return { rows, count, more: page.more }
}

export async function readMessagesAfter(
	rpc: Rpc,
	session: string,
	range: { after: number; limit: number },
): Promise<MessageRow[]> {
	const rows: MessageRow[] = []
	let after = range.after
	while (rows.length < range.limit) {
		const asked = Math.min(range.limit - rows.length, pageSize)
		const args = { p_session: session, p_after: after, p_before: null, p_limit: asked }
		const page = await messagePage(rpc, args)
		rows.push(...page.rows.slice(0, asked))
		const last = page.rows.at(-1)?.seq ?? after
		// A page is short at the end, or (then it says so) for its size. Anything else ends it as well.
		if (last <= after || (page.count < asked && !page.more)) break
		after = last
	}
	return rows
}

export async function readMessagesBefore(
	rpc: Rpc,
	session: string,
	range: { before: number; limit: number },
): Promise<MessageRow[]> {
	let rows: MessageRow[] = []
	let before = range.before
	while (rows.length < range.limit) {
		const asked = Math.min(range.limit - rows.length, pageSize)
		const args = { p_session: session, p_after: null, p_before: before, p_limit: asked }
		const page = await messagePage(rpc, args)
		rows = [...page.rows.slice(-asked), ...rows]
		const first = page.rows[0]?.seq ?? before
		if (first >= before || (page.count < asked && !page.more)) break
		before = first
	}
	return rows
}

export async function readMail(rpc: Rpc, device: string): Promise<MailRow[]> {
	const mail: MailRow[] = []
	let after: string | null = null
	const seen = new Set<string>()
	for (;;) {
		const args: Record<string, unknown> = { p_device: device, p_after: after }
		const page = await rpc.call('read_mail', args, schemas.mailPage)
		const fresh = page.mail.filter((row) => !seen.has(row.id))
		for (const row of fresh) seen.add(row.id)
		mail.push(...fresh)
		const last = fresh.at(-1)
		if (!page.more || !last) return mail
		if (mail.length > maxMail) throw malformedAnswer('read_mail')
		after = last.id
	}
}

export async function deleteMail(rpc: Rpc, ids: readonly string[]): Promise<void> {
	for (const some of slices(ids, pageSize)) {
		await rpc.call('delete_mail', { p_ids: some }, schemas.nothing)
	}
}

function slices<T>(all: readonly T[], size: number): T[][] {
	const parts: T[][] = []
	for (let from = 0; from < all.length; from += size) parts.push(all.slice(from, from + size))
	return parts
}
