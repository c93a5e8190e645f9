/** What an agent put out, for tests: read to its end, and looked at by what it is. */
import type { AgentAnswer, AgentOutput, RunningAgent } from '../../source/agents/agent.ts'
import type { Body, Kind, SessionEvent } from '../../source/protocol/events.ts'

type Outputs = readonly AgentOutput[]
type Of<T extends AgentOutput['type']> = Extract<AgentOutput, { type: T }>
export type Request = Of<'request'>
/** What a request gets; nothing where it is left open. */
export type Answer = (request: Request, agent: RunningAgent) => AgentAnswer | null

export const allow = (): AgentAnswer => ({ decision: 'allow', scope: 'once' })
export const allowForSession = (): AgentAnswer => ({ decision: 'allow', scope: 'session' })
export const deny = (reason: string): AgentAnswer => ({ decision: 'deny', reason })
export const unanswered = (): null => null

/** Reads an agent to its end. Throws where it does not take the answer to what it asks. */
export async function readAll(
	agent: RunningAgent,
	answer: Answer = unanswered,
	onOutput: (output: AgentOutput) => void = () => {},
): Promise<AgentOutput[]> {
	const outputs: AgentOutput[] = []
	for await (const output of agent.output) {
		outputs.push(output)
		onOutput(output)
		if (output.type !== 'request') continue
		const given = answer(output, agent)
		if (given === null || (await agent.answer(output.id, given))) continue
		throw new Error(`Not taken: ${JSON.stringify(given)} for ${JSON.stringify(output)}`)
	}
	return outputs
}

/** All of one type, in order. */
export function typed<T extends AgentOutput['type']>(outputs: Outputs, type: T): Of<T>[] {
	return outputs.filter((one): one is Of<T> => one.type === type)
}

/** The bodies of all events of one kind, in order. */
export function bodies<K extends Kind>(outputs: Outputs, kind: K): Body<K>[] {
	const is = (event: SessionEvent): event is SessionEvent & { kind: K; body: Body<K> } =>
		event.kind === kind
	return events(outputs).flatMap((event) => (is(event) ? [event.body] : []))
}

export const events = (outputs: Outputs): SessionEvent[] =>
	typed(outputs, 'event').map(({ event }) => event)
export const requests = (outputs: Outputs): Request[] => typed(outputs, 'request')
/** What became of the requests. */
export const settled = (outputs: Outputs): (Of<'applied'> | Of<'withdrawn'>)[] =>
	outputs.filter((one) => one.type === 'applied' || one.type === 'withdrawn')
export const calls = (outputs: Outputs) => bodies(outputs, 'tool_use')
export const results = (outputs: Outputs) => bodies(outputs, 'tool_result')
export const usage = (outputs: Outputs) => bodies(outputs, 'usage')
export const said = (outputs: Outputs): string[] =>
	bodies(outputs, 'agent_response').map(({ text }) => text)
/** The agent's own name of the session, the newest; empty where it has none. */
export const sessionOf = (outputs: Outputs): string =>
	typed(outputs, 'about').findLast(({ session }) => session !== undefined)?.session ?? ''
