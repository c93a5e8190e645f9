import { isCheckSession } from '../protocol/check-session.ts'
import { type ExitCode, exit, refused, StyrbyError } from '../protocol/errors.ts'
import { jsonText } from '../text/json-text.ts'
import { loadHosts, sessionsWithheld, summarise } from '../viewer/session-summary.ts'
import type { SessionSummary } from '../viewer/viewer.ts'
import type { Flags, Invocation } from './command.ts'
import { openContext } from './context.ts'
import { finishDead } from './finish-dead.ts'
import { sessionTable } from './session-table.ts'

const filters = ['agent', 'status', 'project', 'since']
const pageSize = 200
const defaultLimit = 50

/** What `--json` prints of a session; a shape that scripts depend on. */
export function sessionJson(session: SessionSummary) {
	return {
		id: session.id,
		agent: session.agent,
		status: session.status,
		project: session.project,
		title: session.title,
		host: session.host,
		started_at: session.startedAt,
		last_activity_at: session.lastActivityAt,
		ended_at: session.endedAt,
		messages: session.messages,
		pending: session.pending,
		tokens: session.tokens,
		cost_usd: session.costUsd,
		problem: session.problem,
	}
}

const units: Readonly<Record<string, number>> = { m: 60e3, h: 3600e3, d: 86_400e3, w: 604_800e3 }

/** `2h`, `7d`, or a date. Throws `bad_value`. */
export function sinceTime(text: string, now: Date): number {
	const relative = /^(\d+)([mhdw])$/.exec(text)
	const unit = units[relative?.[2] ?? '']
	const time = relative && unit ? now.getTime() - Number(relative[1]) * unit : Date.parse(text)
	if (Number.isNaN(time)) {
		throw new StyrbyError('bad_value', '--since takes a time such as 2h, 7d or 2026-01-31.', {
			exitCode: exit.usage,
		})
	}
	return time
}

function matches(session: SessionSummary, flags: Flags, since: number): boolean {
	const project = flags.text('project')
	return (
		(project === undefined || session.project === project) &&
		Date.parse(session.lastActivityAt) >= since
	)
}

interface Found {
	sessions: SessionSummary[]
	/** Sessions that this device has read, and that the server does not list any more. */
	withheld: number
}

/** Sessions that fit the flags, newest activity first, read page by page. */
async function findSessions({ flags, io }: Invocation): Promise<Found> {
	await using context = await openContext(io)
	await finishDead(context)
	const since = sinceTime(flags.text('since') ?? '1970-01-01', io.now())
	const limit = flags.number('limit') ?? defaultLimit
	const status = flags.text('status')
	const agent = flags.text('agent')
	const found = new Map<string, SessionSummary>()
	const lacking = new Set(
		status === undefined && agent === undefined ? context.account.seen.all().keys() : [],
	)
	let whole = false
	let place: { before?: string; beforeId?: string } = {}
	while (found.size < limit) {
		const rows = await context.gateway.listSessions({
			limit: pageSize,
			...place,
			...(status === undefined ? {} : { status: [status] }),
			...(agent === undefined ? {} : { agent }),
		})
		await loadHosts(context.account, rows)
		const summaries = rows.map((row) => summarise(context.account, row, false))
		for (const session of summaries) {
			lacking.delete(session.id)
			// What `verify` sends to itself is no work of an agent's.
			if (!isCheckSession(session) && matches(session, flags, since)) found.set(session.id, session)
		}
		const last = rows.at(-1)
		whole = !last || rows.length < pageSize
		if (whole || !last || Date.parse(last.last_activity_at) < since) break
		place = { before: last.last_activity_at, beforeId: last.id }
	}
	const time = ({ lastActivityAt }: SessionSummary) => Date.parse(lastActivityAt)
	const sessions = [...found.values()].sort((a, b) => time(b) - time(a)).slice(0, limit)
	return { sessions, withheld: whole ? lacking.size : 0 }
}

export async function run(invocation: Invocation): Promise<ExitCode> {
	const { flags, io } = invocation
	const { sessions, withheld } = await findSessions(invocation)
	if (flags.has('json')) {
		io.stdout.write(`${jsonText({ sessions: sessions.map(sessionJson) })}\n`)
	} else {
		const filtered = filters.some((name) => flags.text(name) !== undefined)
		const width = io.stdout.columns ?? 100
		io.stdout.write(sessionTable(sessions, { now: io.now(), width, filtered }))
	}
	const altered = sessions.find(({ problem }) => problem !== null)
	if (altered) {
		const id = altered.id.slice(0, 8)
		throw refused('sessions_not_verified', `Session ${id}: ${altered.problem}.`)
	}
	if (withheld > 0) {
		throw sessionsWithheld(withheld)
	}
	return exit.done
}
