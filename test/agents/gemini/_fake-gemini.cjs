/**
 * A program named `gemini` that answers what opens a session and then says what it should not: the lines of
 * `HOSTILE_LINES`, and one over any cap. What it is answered is kept in `HOSTILE_ANSWERS`.
 */
const { appendFileSync, readFileSync } = require('node:fs')
const { createInterface } = require('node:readline')

const say = (line) =>
	process.stdout.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
const hostile = readFileSync(process.env.HOSTILE_LINES, 'utf8').split('\n')

createInterface({ input: process.stdin })
	.on('line', async (line) => {
		const { id, method, ...rest } = JSON.parse(line)
		if (method === undefined)
			appendFileSync(process.env.HOSTILE_ANSWERS, `${JSON.stringify({ id, ...rest })}\n`)
		if (method === 'initialize')
			say({ id, result: { newField: [{}], agentInfo: { version: '99.0.0' } } })
		if (method === 'session/new') say({ id, result: { sessionId: 'main', modes: 7 } })
		if (method !== 'session/prompt') return
		for (const bad of hostile) say(bad)
		const part = Buffer.alloc(1024 * 1024, 'x')
		for (let i = 0; i < 100; i++) {
			if (!process.stdout.write(part))
				await new Promise((resolve) => process.stdout.once('drain', resolve))
		}
		say('')
		say({ id, result: { stopReason: 'end_turn' } })
		process.stdout.write('{"method":"half a li')
	})
	.on('close', () => process.exit(0))
