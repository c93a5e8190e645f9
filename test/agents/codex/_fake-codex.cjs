/**
 * A program named `codex` that answers what opens a session and then says what it should not: the lines of
 * `HOSTILE_LINES`, and one over any cap. What it is answered is kept in `HOSTILE_ANSWERS`.
 */
const { appendFileSync, readFileSync } = require('node:fs')
const { createInterface } = require('node:readline')

const say = (line) =>
	process.stdout.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
const hostile = readFileSync(process.env.HOSTILE_LINES, 'utf8').split('\n')
const thread = { id: 'main', parentThreadId: null, cliVersion: '99.0.0', newField: [{}] }

createInterface({ input: process.stdin }).on('line', async (line) => {
	const { id, method, ...rest } = JSON.parse(line)
	if (method === undefined)
		appendFileSync(process.env.HOSTILE_ANSWERS, `${JSON.stringify({ id, ...rest })}\n`)
	if (method === 'initialize') say({ id, result: {} })
	if (method === 'thread/start') say({ id, result: { thread, approvalPolicy: 'on-request' } })
	if (method !== 'turn/start') return
	say({ id, result: {} })
	say({ method: 'turn/started', params: { threadId: 'main', turn: { id: 'turn' } } })
	for (const bad of hostile) say(bad)
	const part = Buffer.alloc(1024 * 1024, 'x')
	for (let i = 0; i < 100; i++) {
		if (!process.stdout.write(part))
			await new Promise((resolve) => process.stdout.once('drain', resolve))
	}
	say('')
	const params = { threadId: 'main', turn: { id: 'turn', status: 'completed' } }
	say({ method: 'turn/completed', params })
	process.stdout.write('{"method":"half a li')
})
