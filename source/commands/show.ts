import { type ExitCode, exit, refused, StyrbyError } from '../protocol/errors.ts'
import type { Body } from '../protocol/events.ts'
import { staleAfter } from '../protocol/live.ts'
import { jsonText } from '../text/json-text.ts'
import { messageJson } from '../viewer/message-json.ts'
import { SessionTotals, wrongRow } from '../viewer/row-check.ts'
import { senderOf } from '../viewer/senders.ts'
import { FeedPool } from '../viewer/session-feed.ts'
import { SessionReader } from '../viewer/session-reader.ts'
import { Tail } from '../viewer/tail.ts'
import type { ShownMessage } from '../viewer/viewer.ts'
import type { Invocation } from './command.ts'
import { type Context, openContext } from './context.ts'
import { findSession, sessionWithheld } from './find.ts'
import { finishDead } from './finish-dead.ts'
import { messageLines } from './message-lines.ts'
import { senderLine } from './sender-line.ts'
import { untilRevoked } from './until-revoked.ts'

function printer({ flags, io }: Invocation, { account }: Context): (message: ShownMessage) => void {
	if (flags.has('json')) {
		return (message) => io.stdout.write(`${jsonText(messageJson(message))}\n`)
	}
	const width = io.stdout.columns ?? 100
	return (message) => {
		const sender = senderOf(account, message)
		const lines = sender
			? `${senderLine(sender)}\n\n`
			: messageLines(message, width, (id) => account.deviceName(id))
		io.stdout.write(lines)
	}
}

async function printRaw(context: Context, session: string): Promise<void> {
	for (let after = 0; ; ) {
		const rows = await context.gateway.readMessages(session, { after, limit: 500 })
		for (const row of rows) context.io.stdout.write(`${jsonText(row)}\n`)
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

/** Tells whether the live channel is there and the host is heard, as that changes. */
function watchLine(
	feeds: FeedPool,
	session: string,
	told: {
		changed(joined: boolean): void
		silent(silent: boolean): void
		attack(code: string): void
	},
): Disposable {
	let timer: NodeJS.Timeout | undefined
	const wait = () => {
		clearTimeout(timer)
		timer = setTimeout(() => told.silent(true), staleAfter).unref()
	}
	const stop = feeds.listen(session, {
		joined: () => told.changed(true),
		lost: () => told.changed(false),
		heartbeat: () => {
			told.silent(false)
			wait()
		},
		attack: told.attack,
	})
	wait()
	return {
		[Symbol.dispose]() {
			clearTimeout(timer)
			stop()
		},
	}
}

/**
 * Prints what comes after the stored part, until the session ends or the person does. Resolves to whether
 * all of it held; what the server answers that it may not ends it with that error.
 */
async function follow(
	context: Context,
	session: string,
	after: number,
	print: (message: ShownMessage) => void,
): Promise<boolean> {
	await using feeds = new FeedPool(context.account)
	let sound = true
	let away = false
	let silent = false
	const say = (text: string) => context.io.stderr.write(`styrby-tui: ${text}\n`)
	using _watching = watchLine(feeds, session, {
		changed(joined) {
			if (joined === !away) return
			away = !joined
			say(joined ? 'the backend is back' : 'the backend is out of reach: waiting for it')
		},
		silent(now) {
			if (now === silent) return
			silent = now
			say(now ? 'no sign of life from the host: it is silent, or withheld' : 'the host is back')
		},
		attack(code) {
			sound = false
			say(`something on the live channel did not verify (${code})`)
		},
	})
	using gone = untilRevoked(context.account)
	const followed = new Promise<void>((resolve, reject) => {
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
			// What lacks while the backend is away comes later; an answer that may not be is none.
			failed: (error) => {
				const away = error instanceof StyrbyError && error.exitCode !== exit.refused
				if (!away) reject(error)
			},
		})
		// A host signs how far it is: what the server does not show of that is withheld.
		feeds.listen(session, {
			heartbeat: ({ seq }) => {
				if (seq > tail.position) void tail.pull(seq)
			},
		})
		process.once('SIGINT', () => {
			tail[Symbol.dispose]()
			process.exitCode = exit.interrupted
			resolve()
		})
	})
	await Promise.race([followed, gone.revoked])
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
	if (!row) throw sessionWithheld()
	const print = printer(invocation, context)
	let last = 0
	let problems = 0
	let ended = false
	const totals = new SessionTotals()
	const reader = new SessionReader(context.account, session)
	for await (const message of reader.all(0, reader.through(row))) {
		print(message)
		last = message.seq + message.rows - 1
		if (message.problem !== null) problems++
		else totals.add(message)
		ended = ends(message)
	}
	await reader.keys()
	const sound = problems === 0
	const [wrong] = await wrongRow(context.account, row, { totals, last, sound })
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
	if (wrong) {
		throw refused(
			'session_row_altered',
			`What the server says of this session is not what its host has signed: ${wrong.problem}.`,
		)
	}
	return exit.done
}
