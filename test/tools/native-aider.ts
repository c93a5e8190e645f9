/**
 * Runs Aider in its own interface, for system tests: started in a pseudo-terminal, it tells what the adapter
 * puts out over a socket, one JSON document a line, and takes orders from there.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import * as v from 'valibot'
import { aider } from '../../source/agents/aider/index.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'

const orderSchema = v.variant('do', [
	v.object({
		do: v.literal('answer'),
		id: v.string(),
		answer: v.variant('decision', [
			v.looseObject({
				decision: v.literal('allow'),
				scope: v.picklist(['once', 'session']),
			}),
			v.object({ decision: v.literal('deny'), reason: v.string() }),
		]),
	}),
	v.object({ do: v.literal('prompt'), text: v.string() }),
	v.object({ do: v.literal('mode'), mode: v.string() }),
	v.object({ do: v.literal('interrupt') }),
	v.object({ do: v.literal('stop') }),
])

const [socketPath = '', ...args] = process.argv.slice(2)
const socket = connect(socketPath)
const tell = (what: unknown) => socket.write(`${JSON.stringify(what)}\n`)

const agent = await aider.start({
	cwd: process.cwd(),
	args,
	env: process.env,
	requestTimeoutMs: 60_000,
})
createInterface({ input: socket }).on('line', async (line) => {
	const order = v.parse(orderSchema, JSON.parse(line))
	try {
		if (order.do === 'stop') await agent.stop()
		else if (order.do === 'interrupt') await agent.interrupt()
		else if (order.do === 'prompt') await agent.prompt(order.text)
		else if (order.do === 'mode') await agent.setMode(order.mode)
		else tell({ type: 'answered', id: order.id, taken: await agent.answer(order.id, order.answer) })
	} catch (error) {
		if (!(error instanceof StyrbyError)) throw error
		tell({ type: 'refused', code: error.code })
	}
})
for await (const output of agent.output) tell(output)
const ended = await agent.ended
tell({ type: 'ended', ...ended })
socket.end(() => process.exit(ended.code ?? 1))
