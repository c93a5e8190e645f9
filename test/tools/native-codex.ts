/**
 * Runs Codex in its own interface, for system tests: started in a pseudo-terminal, it tells what the adapter
 * puts out over a socket, one JSON document a line, and takes answers, prompts and interrupts from there.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import * as v from 'valibot'
import { codex } from '../../source/agents/codex/index.ts'

const orderSchema = v.variant('type', [
	v.object({
		type: v.literal('answer'),
		id: v.string(),
		answer: v.variant('decision', [
			v.object({
				decision: v.literal('allow'),
				scope: v.picklist(['once', 'session']),
				input: v.optional(v.unknown()),
			}),
			v.object({ decision: v.literal('deny'), reason: v.string() }),
		]),
	}),
	v.object({ type: v.literal('prompt'), text: v.string() }),
	v.object({ type: v.literal('interrupt') }),
	v.object({ type: v.literal('mode'), mode: v.string() }),
	v.object({ type: v.literal('stop') }),
])

const [socketPath = '', ...args] = process.argv.slice(2)
const socket = connect(socketPath)
const tell = (what: unknown) => socket.write(`${JSON.stringify(what)}\n`)

const agent = await codex.start({
	cwd: process.cwd(),
	args,
	env: process.env,
	requestTimeoutMs: 60_000,
})

createInterface({ input: socket }).on('line', async (line) => {
	const order = v.parse(orderSchema, JSON.parse(line))
	switch (order.type) {
		case 'answer': {
			const taken = await agent.answer(order.id, order.answer)
			tell({ type: 'answered', id: order.id, taken })
			break
		}
		case 'prompt':
			await agent.prompt(order.text)
			break
		case 'interrupt':
			await agent.interrupt()
			break
		case 'mode':
			await agent.setMode(order.mode)
			break
		case 'stop':
			await agent.stop()
	}
})
for await (const output of agent.output) tell(output)
const ended = await agent.ended
tell({ type: 'ended', ...ended })
socket.end(() => process.exit(ended.code ?? 1))
