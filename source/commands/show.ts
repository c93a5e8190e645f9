import { type ExitCode, exit, refused, StyrbyError } from '../protocol/errors.ts'
import type { Body } from '../protocol/events.ts'
import { FeedPool } from '../viewer/session-feed.ts'
import { SessionReader } from '../viewer/session-reader.ts'
import { Tail } from '../viewer/tail.ts'
import type { ShownMessage } from '../viewer/viewer.ts'
import type { Invocation } from './command.ts'
import { type Context, openContext } from './context.ts'
import { findSession } from './find.ts'
import { finishDead } from './finish-dead.ts'
import { messageLines } from './message-lines.ts'

/** What `--json` prints of a message; a shape that scripts depend on. */
export function messageJson({ session, seq, at, kind, body, verified, problem }: ShownMessage) {
	return { session, seq, at: at || null, kind, body, verified, problem }
}

function printer({ flags, io }: Invocation, { account }: Context): (message: ShownMessage) => void {
	if (flags.has('json')) {
		return (message) => io.stdout.write(`${JSON.stringify(messageJson(message))}\n`)
	}
	const width = io.stdout.columns ?? 100
	return (message) => io.stdout.write(messageLines(message, width, (id) => account.deviceName(id)))
}

async function printRaw(context: Context, session: string): Promise<void> {
	for (let after = 0; ; ) {
		const rows = await context.gateway.readMessages(session, { after, limit: 500 })
		for (const row of rows) context.io.stdout.write(`${JSON.stringify(row)}\n`)
		const last = rows.at(-1)
		if (!last || last.seq <= after) return
		after = last.seq
	}
}

function ends(message: ShownMessage): boolean {
	if (message.kind !== 'status' || !message.verified) return false
	const { status } = message.body as Body<'status'>
	return status === 'stopped' || status === 'error'
}

/** Tells whether the live channel is there, as that changes. */
function watchLine(
	feeds: FeedPool,
	session: string,
	changed: (joined: boolean) => void,
): Disposable {
	const stop = feeds.listen(session, { joined: () => changed(true), lost: () => changed(false) })
	return { [Symbol.dispose]: stop }
}

/** Prints what comes after the stored part, until the session ends or the person does. */
async function follow(
	context: Context,
	session: string,
	after: number,
	print: (message: ShownMessage) => void,
): Promise<boolean> {
	await using feeds = new FeedPool(context.account)
	let sound = true
	let away = false
	using _watching = watchLine(feeds, session, (joined) => {
		if (joined === !away) return
		away = !joined
		const text = joined ? 'the backend is back' : 'the backend is out of reach: waiting for it'
		context.io.stderr.write(`styrby-tui: ${text}\n`)
	})
	await new Promise<void>((resolve) => {
		const tail = new Tail({
			reader: new SessionReader(context.account, session),
			feeds,
			after,
			before: null,
			deliver: (messages) => {
				for (const message of messages) {
					print(message)
					sound &&= message.problem === null
					if (ends(message)) resolve()
				}
			},
			failed: () => undefined,
		})
		process.once('SIGINT', () => {
			tail[Symbol.dispose]()
			process.exitCode = exit.interrupted
			resolve()
		})
	})
	return sound
}

export async function run(invocation: Invocation): Promise<ExitCode> {
	const { args, flags, io } = invocation
	if (flags.has('raw') && flags.has('follow')) {
		throw new StyrbyError(
			'bad_usage',
			'--raw prints what is stored, so it goes without --follow.',
			{
				exitCode: exit.usage,
			},
		)
	}
	await using context = await openContext(io)
	await finishDead(context)
	const session = await findSession(context.account, args[0] ?? '')
	if (flags.has('raw')) {
		await printRaw(context, session)
		return exit.done
	}
	const row = await context.gateway.readSession(session)
	const print = printer(invocation, context)
	let last = 0
	let problems = 0
	let ended = false
	const reader = new SessionReader(context.account, session)
	for await (const message of reader.all(0, reader.through(row))) {
		print(message)
		last = message.seq + message.rows - 1
		if (message.problem !== null) problems++
		ended = ends(message)
	}
	if (flags.has('follow') && !ended) {
		if (!(await follow(context, session, last, print))) problems++
		if (process.exitCode === exit.interrupted) return exit.interrupted
	}
	context.account.log.assertTrusted()
	if (problems > 0) {
		throw refused(
			'session_not_verified',
			`${problems} of the messages of this session did not verify; they are marked where they stand.`,
		)
	}
	return exit.done
}
