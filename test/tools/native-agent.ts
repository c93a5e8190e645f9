/**
 * Runs an agent in its own interface, for system tests: started in a pseudo-terminal with the agent's name
 * and a socket, it tells there what the adapter puts out, one JSON document a line, and takes orders.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import * as v from 'valibot'
import { loadAdapter } from '../../source/host/adapters.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'

const order = v.number()
const orderSchema = v.variant('do', [
	v.object({
		do: v.literal('answer'),
		order,
		id: v.string(),
		answer: v.variant('decision', [
			v.looseObject({ decision: v.literal('allow'), scope: v.picklist(['once', 'session']) }),
			v.object({ decision: v.literal('deny'), reason: v.string() }),
		]),
	}),
	v.object({ do: v.literal('prompt'), order, text: v.string() }),
	v.object({ do: v.literal('mode'), order, mode: v.string() }),
	v.object({ do: v.literal('interrupt'), order }),
	v.object({ do: v.literal('stop'), order }),
])

const [name = '', socketPath = '', ...args] = process.argv.slice(2)
const socket = connect(socketPath)
const tell = (what: unknown) => socket.write(`${JSON.stringify(what)}\n`)

const adapter = await loadAdapter(name)
const agent = await adapter.start({
	cwd: process.cwd(),
	args,
	env: process.env,
	requestTimeoutMs: 120_000,
})
createInterface({ input: socket }).on('line', async (line) => {
	const given = v.parse(orderSchema, JSON.parse(line))
	try {
		const taken = await obey(given)
		tell({ type: 'done', order: given.order, taken })
	} catch (error) {
		if (!(error instanceof StyrbyError)) throw error
		tell({ type: 'done', order: given.order, taken: false, error: error.code })
	}
})
for await (const output of agent.output) tell(output)
const ended = await agent.ended
tell({ type: 'ended', code: ended.code, signal: ended.signal })
socket.end(() => process.exit(ended.code ?? 1))

async function obey(given: v.InferOutput<typeof orderSchema>): Promise<boolean> {
	switch (given.do) {
		case 'answer':
			return agent.answer(given.id, given.answer)
		case 'prompt':
			await agent.prompt(given.text)
			break
		case 'mode':
			await agent.setMode(given.mode)
			break
		case 'interrupt':
			await agent.interrupt()
			break
		case 'stop':
			await agent.stop()
	}
	return true
}
