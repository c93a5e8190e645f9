/**
 * The demo without a terminal: everything as text, the waiting requests answered by the second device,
 * and a summary that counts only what this device has decrypted and verified.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { nextWay } from '../../agents/recorded/recording.ts'
import { StyrbyError } from '../../protocol/errors.ts'
import type { Body } from '../../protocol/events.ts'
import { displayText } from '../../text/safe-text.ts'
import { formatUsd } from '../../text/time.ts'
import { SessionReader } from '../../viewer/session-reader.ts'
import type { DecisionState, RequestView, ShownMessage } from '../../viewer/viewer.ts'
import type { Io } from '../io.ts'
import { messageLines } from '../message-lines.ts'
import { requestLines } from '../request-lines.ts'
import { type PlayedSession, playAll } from './play.ts'
import type { DemoProfile } from './profile.ts'

/** Live sessions are played this much faster than they were recorded. */
const speed = 3
const columns = 100
/** A person takes a moment to read; so does this, ms. */
const pause = 250

interface Tally {
	sessions: number
	messages: number
	problems: number
	answers: string[]
	/** Of all messages, USD. */
	cost: number
}

/** Returns what was counted. Throws `demo_not_verified` when a message did not verify. */
export async function playAsText(io: Io, profile: DemoProfile): Promise<Tally> {
	const tally: Tally = { sessions: 0, messages: 0, problems: 0, answers: [], cost: 0 }
	const print = (text: string) => io.stdout.write(text)
	await using playing = await playAll(profile, { speed, now: io.now })
	await profile.viewer.ready
	const answering = answerAll(io, profile, playing.live, tally)
	for (const session of [...playing.past, ...playing.live]) {
		await session.ended
		print(heading(session))
		for (const message of await readAll(profile, session.id)) {
			tally.messages++
			if (message.problem !== null) tally.problems++
			tally.cost += costOf(message)
			print(messageLines(message, columns, (id) => profile.viewer.account.deviceName(id)))
		}
		tally.sessions++
	}
	answering.stop()
	await Promise.all(answering.running)
	if (tally.problems > 0) {
		throw new StyrbyError('demo_not_verified', `${tally.problems} messages did not verify.`)
	}
	return tally
}

function costOf({ kind, body, verified }: ShownMessage): number {
	return kind === 'usage' && verified ? ((body as Body<'usage'>).cost_usd ?? 0) : 0
}

function heading({ recorded }: PlayedSession): string {
	const title = `${recorded.project} · ${recorded.agent} · ${recorded.title}`
	return `\n${displayText(`━━ ${title} `.padEnd(columns, '━'))}\n\n`
}

/** Through the whole way back: from the backend, verified and decrypted with the laptop's own key. */
async function readAll(profile: DemoProfile, session: string): Promise<ShownMessage[]> {
	const { account } = profile.viewer
	const row = await account.gateway.readSession(session)
	const messages: ShownMessage[] = []
	for await (const message of new SessionReader(account, session).all(0, row?.last_seq ?? 0)) {
		messages.push(message)
	}
	return messages
}

/** Answers each request of the live sessions as the recording's list says, from the second device. */
function answerAll(
	io: Io,
	{ viewer }: DemoProfile,
	live: readonly PlayedSession[],
	tally: Tally,
): { running: Promise<void>[]; stop(): void } {
	const ways = new Map(live.map(({ id }) => [id, '']))
	const taken = new Set<string>()
	const running: Promise<void>[] = []
	const look = () => {
		for (const request of viewer.requests.get()) {
			const session = live.find(({ id }) => id === request.session)
			if (!session || request.status !== 'pending' || taken.has(request.id)) continue
			taken.add(request.id)
			running.push(answerOne(request, session))
		}
	}
	const answerOne = async (request: RequestView, session: PlayedSession) => {
		const way = ways.get(request.session) ?? ''
		const planned = session.recorded.requests.find((one) => one.way === way)
		const decision = planned?.decision ?? 'deny'
		ways.set(request.session, nextWay(way, decision))
		await sleep(pause)
		const reason = planned?.reason ?? undefined
		const scope = planned?.scope ?? 'once'
		const choice = { decision, scope, ...(reason === undefined ? {} : { reason }) }
		const state = await viewer.decide(request, choice).done
		tally.answers.push(decision)
		io.stdout.write(answerText(io, request, state))
	}
	const stop = viewer.requests.subscribe(look)
	look()
	return { running, stop }
}

function answerText(io: Io, request: RequestView, { choice, stages, why }: DecisionState): string {
	const verb = choice.decision === 'allow' ? 'allowed' : 'denied'
	const reason = choice.reason === undefined ? '' : `: ${displayText(choice.reason)}`
	const reached = stages.map(({ stage }) => stage).join(' → ')
	const end = why === null ? '' : ` (${displayText(why)})`
	return `\n┄┄ a session waits for permission\n${requestLines(request, io.now(), columns)}   ${verb} on "laptop"${reason}\n   ${reached}${end}\n`
}

/** The closing lines. */
export function summaryText(tally: Tally, seconds: number): string {
	const allowed = tally.answers.filter((answer) => answer === 'allow').length
	const denied = tally.answers.length - allowed
	return `
${'━'.repeat(columns)}
${tally.sessions} sessions published by "build-box", read by "laptop"
${tally.messages} messages decrypted and verified, ${tally.problems} problems
${tally.answers.length} permission requests answered: ${allowed} allowed, ${denied} denied
${formatUsd(tally.cost)} of model cost recorded, ${seconds.toFixed(1)} s, nothing left behind
`
}
