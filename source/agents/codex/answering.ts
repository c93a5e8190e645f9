/** Answers and prompts of a person on their way to the app-server, headless and behind the interface. */
import { randomUUID } from 'node:crypto'
import { StyrbyError } from '../../protocol/errors.ts'
import type { AgentAnswer, AgentOutput } from '../agent.ts'
import { cannot } from '../cannot.ts'
import { within } from '../child-process.ts'
import type { AppServer } from './app-server.ts'
import { notice } from './items.ts'
import { modes, settingsOf } from './modes.ts'
import type { ThreadReader } from './thread-reader.ts'

/** How long the reason of a denial may hold up the denial, ms. */
const reasonMs = 1000

/**
 * Hands an answer over. `false`: the request is gone, or was answered. Codex's denials have no room for a
 * reason: it goes ahead of the denial as a message into the running turn, which the model reads right after
 * the refused call. Throws `agent_cannot` for an answer that Codex has no form for.
 */
export async function answerRequest(
	server: AppServer,
	reader: ThreadReader,
	id: string,
	answer: AgentAnswer,
	said: (output: AgentOutput) => void,
): Promise<boolean> {
	const request = reader.requests.find(id)
	if (request === null || !server.open) return false
	const taken = reader.requests.take(id, answer)
	if (taken === null) {
		throw cannot(
			'The agent takes no changed input, and a question needs its answers: answer as asked, or deny it.',
		)
	}
	if (answer.decision === 'deny') reader.denied(request.asked.item, answer.reason)
	if (answer.decision === 'deny' && !(await steer(server, reader, request.asked, answer.reason))) {
		const text = 'The agent was told no, but could not be told the reason'
		said(notice(new Date().toISOString(), text))
	}
	return server.respond(taken.rpc, taken.result)
}

async function steer(
	server: AppServer,
	reader: ThreadReader,
	{ thread, turn }: { thread: string; turn: string | null },
	text: string,
): Promise<boolean> {
	if (turn === null) return false
	const id = randomUUID()
	reader.sending(id, 'reason')
	const call = server.call('turn/steer', {
		threadId: thread,
		expectedTurnId: turn,
		clientUserMessageId: id,
		input: [textInput(text)],
	})
	return (await within(call, reasonMs)) && (await call).error === null
}

/**
 * Types a prompt: it begins a turn, or joins the one that runs. Throws `agent_cannot` when there is no
 * session yet or Codex refuses.
 */
export async function sendPrompt(
	server: AppServer,
	reader: ThreadReader,
	text: string,
	source: 'agent' | 'viewer',
): Promise<void> {
	const { thread, turn } = reader
	if (thread === null) throw notOpen()
	const id = randomUUID()
	reader.sending(id, source)
	const params = { threadId: thread, clientUserMessageId: id, input: [textInput(text)] }
	if (turn !== null) {
		const { error } = await server.call('turn/steer', { ...params, expectedTurnId: turn })
		if (error === null) return
		// The turn may have ended meanwhile: then the prompt begins one.
		if (reader.turn === turn) throw refused('the prompt', error, 'agent_cannot')
	}
	const { error } = await server.call('turn/start', params)
	if (error !== null) throw refused('the prompt', error, 'agent_cannot')
}

/** What both routes take. */
export const takes: AgentOutput = { type: 'about', takes: { prompt: true, interrupt: true, modes } }

/** Puts the session in a mode, from its next turn on. Throws `agent_cannot`, `agent_refused`. */
export async function changeMode(
	server: AppServer,
	reader: ThreadReader,
	mode: string,
): Promise<void> {
	const settings = settingsOf(mode)
	if (settings === null) {
		throw cannot(`Codex can be put in ${modes.join(', ')} from elsewhere.`)
	}
	if (reader.thread === null) throw notOpen()
	const params = { threadId: reader.thread, ...settings }
	const { error } = await server.call('thread/settings/update', params)
	if (error !== null) throw refused('the mode', error, 'agent_refused')
}

function notOpen(): StyrbyError {
	return cannot('The agent has no session open yet; try again then.')
}

function refused(what: string, why: string, code: string): StyrbyError {
	const words = why.replace(/\p{Cc}/gu, ' ').slice(0, 300)
	return new StyrbyError(code, `Codex did not take ${what}: ${words}.`)
}

function textInput(text: string): object {
	return { type: 'text', text, text_elements: [] }
}
