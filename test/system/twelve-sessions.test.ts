/** Twelve real agents at once against one backend: each session is whole, in order, and its own. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Lab, type PrintedMessage } from '../tools/lab.ts'
import type { Block } from '../tools/scripted-anthropic.mjs'

const agents = Array.from(
	{ length: 12 },
	(_, index) => `agent-${String(index + 1).padStart(2, '0')}`,
)
const turns = 6
const file = ['$', '{cwd}/notes.txt'].join('')

/** What the model says in each turn: two sentences around a call, and at the end one alone. */
const sentence = (agent: string, turn: number) =>
	`${agent} says sentence ${turn} of ${turns}: ${'as said before, '.repeat(turn * 20)}done.`

function script(agent: string): Block[][] {
	const working = Array.from({ length: turns - 1 }, (_, turn): Block[] => [
		{ text: sentence(agent, turn + 1) },
		{ tool: 'Read', input: { file_path: file, offset: turn + 1, limit: 1 } },
	])
	return [...working, [{ text: sentence(agent, turns) }]]
}

let lab: Lab
beforeAll(async () => {
	const rules = agents.map((agent) => ({ match: `^Begin, ${agent}`, turns: script(agent) }))
	lab = await Lab.make({ rules })
	const lines = Array.from({ length: turns }, (_, line) => `note ${line + 1}`)
	await writeFile(join(lab.cwd, 'notes.txt'), `${lines.join('\n')}\n`)
})
afterAll(() => lab[Symbol.asyncDispose]())

const ofKind = (messages: PrintedMessage[], kind: string) =>
	messages.filter((message) => message.kind === kind).map(({ body }) => body ?? {})

test('nothing is lost, nothing is doubled, the numbers are dense', async () => {
	const hosts = agents.map((agent) =>
		lab.start(['run', 'claude', '--headless', `Begin, ${agent}`, '--json']),
	)
	const ended = await Promise.all(hosts.map((host) => host.done))
	expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(agents.map(() => [0, '']))

	const listed = await lab.sessions()
	expect(listed).toHaveLength(agents.length)
	for (const [index, agent] of agents.entries()) {
		const id = String(hosts[index]?.printed()[0]?.session)
		const messages = await lab.show(id)
		expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, place) => place + 1))
		expect(messages.every(({ verified, problem }) => verified && problem === null)).toBe(true)
		expect(listed.find((one) => one.id === id)).toMatchObject({
			messages: messages.length,
			status: 'stopped',
		})

		expect(ofKind(messages, 'user_prompt')).toMatchObject([{ text: `Begin, ${agent}` }])
		expect(ofKind(messages, 'agent_response').map(({ text }) => text)).toEqual(
			Array.from({ length: turns }, (_, turn) => sentence(agent, turn + 1)),
		)
		expect(ofKind(messages, 'tool_use')).toMatchObject(
			Array.from({ length: turns - 1 }, (_, turn) => ({
				name: 'Read',
				input: { file_path: join(lab.cwd, 'notes.txt'), offset: turn + 1, limit: 1 },
			})),
		)
		const results = ofKind(messages, 'tool_result')
		expect(results).toHaveLength(turns - 1)
		for (const [turn, result] of results.entries()) {
			expect(result).toMatchObject({ ok: true })
			expect(JSON.stringify(result)).toContain(`note ${turn + 1}`)
		}

		// What the host printed is what the backend has, and nothing of another session is in it.
		const printed = hosts[index]?.printed().filter((line) => typeof line.seq === 'number') ?? []
		expect(printed.map(({ seq, kind, body }) => ({ seq, kind, body }))).toEqual(
			messages.map(({ seq, kind, body }) => ({ seq, kind, body })),
		)
		const text = JSON.stringify(messages)
		for (const other of agents) if (other !== agent) expect(text).not.toContain(other)
	}
}, 300_000)
