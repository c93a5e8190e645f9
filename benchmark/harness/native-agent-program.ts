/**
 * Stands in for Claude Code in its own interface: calls the hooks of its settings when the benchmark says
 * so, over a socket, and tells how long each took. It thinks no thoughts, so only the way is measured.
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import * as v from 'valibot'

const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6
const hookSchema = v.array(
	v.object({
		hooks: v.array(v.object({ url: v.string(), headers: v.record(v.string(), v.string()) })),
	}),
)
const settingsSchema = v.object({ hooks: v.record(v.string(), hookSchema) })
const orderSchema = v.object({ id: v.number(), event: v.string(), body: v.unknown() })

if (process.argv.includes('--version')) {
	process.stdout.write('2.1.330 (Claude Code)\n')
} else {
	const path = process.argv[process.argv.indexOf('--settings') + 1] ?? ''
	const { hooks } = v.parse(settingsSchema, JSON.parse(readFileSync(path, 'utf8')))
	const socket = connect(process.env.BENCHMARK_AGENT ?? '')
	const agent = new Agent({ keepAlive: true })
	createInterface({ input: socket })
		.on('line', (line) => {
			const { id, event, body } = v.parse(orderSchema, JSON.parse(line))
			const hook = hooks[event]?.[0]?.hooks[0]
			if (hook === undefined) throw new Error(`no hook for ${event}`)
			const sent = monotonicMs()
			const headers = { ...hook.headers, 'content-type': 'application/json' }
			request(hook.url, { method: 'POST', headers, agent }, async (response) => {
				let text = ''
				for await (const chunk of response.setEncoding('utf8')) text += chunk
				socket.write(`${JSON.stringify({ id, sent, answered: monotonicMs(), text })}\n`)
			}).end(JSON.stringify(body))
		})
		.on('close', () => process.exit(0))
	process.stdout.write('The agent is here.\n')
	process.on('SIGTERM', () => process.exit(0))
}
