/**
 * Runs an agent in its own interface, for system tests: started in a pseudo-terminal, it tells what the
 * adapter puts out over a socket, one JSON document a line, and takes answers from there.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import * as v from 'valibot'
import type { AgentAnswer } from '../../source/agents/agent.ts'
import { claude } from '../../source/agents/claude/index.ts'

const answerSchema = v.object({
	id: v.string(),
	answer: v.variant('decision', [
		v.object({ decision: v.literal('allow'), scope: v.picklist(['once', 'session']) }),
		v.object({ decision: v.literal('deny'), reason: v.string() }),
	]),
})

const [socketPath = '', ...args] = process.argv.slice(2)
const socket = connect(socketPath)
const tell = (what: unknown) => socket.write(`${JSON.stringify(what)}\n`)

const agent = await claude.start({
	cwd: process.cwd(),
	args,
	env: process.env,
	requestTimeoutMs: 60_000,
})
createInterface({ input: socket }).on('line', async (line) => {
	if (line === 'stop') return agent.stop()
	const { id, answer } = v.parse(answerSchema, JSON.parse(line))
	const given: AgentAnswer = answer
	tell({ type: 'answered', id, taken: await agent.answer(id, given) })
})
for await (const output of agent.output) tell(output)
const ended = await agent.ended
tell({ type: 'ended', ...ended })
socket.end(() => process.exit(ended.code ?? 1))
