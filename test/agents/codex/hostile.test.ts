import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import type { AgentOutput } from '../../../source/agents/agent.ts'
import { meaningOf } from '../../../source/agents/codex/answer.ts'
import { codex } from '../../../source/agents/codex/index.ts'
import { openedSchema, parseMessage } from '../../../source/agents/codex/schema.ts'
import { ThreadReader } from '../../../source/agents/codex/thread-reader.ts'
import { cleanEvent } from '../../../source/host/clean-event.ts'
import { eventSchemas } from '../../../source/protocol/events.ts'
import { events } from '../../tools/outputs.ts'
import { allLines, names, play, type Recorded, recording } from './_recording.ts'

/** None of it may throw, and whatever comes out has the form of an event. */
function survive(reader: ThreadReader, line: string): void {
	const message = parseMessage(line)
	if (message === null) return
	if (message.type === 'response') {
		const opened = v.safeParse(openedSchema, message.result)
		if (opened.success) reader.opened(opened.output)
	}
	for (const output of reader.read(message, '2026-11-25T00:00:00.000Z')) {
		if (output.type !== 'event') continue
		const { kind, body } = cleanEvent(output.event)
		v.parse(eventSchemas[kind], body)
	}
}

test('half messages, and messages with anything anywhere', () => {
	const reader = new ThreadReader()
	fc.assert(
		fc.property(
			fc.constantFrom(...allLines),
			fc.double({ min: 0, max: 1, noNaN: true }),
			(line, at) => survive(reader, line.slice(0, Math.floor(line.length * at))),
		),
	)
	fc.assert(
		fc.property(fc.constantFrom(...allLines), fc.jsonValue(), fc.nat(), (line, value, at) =>
			survive(reader, JSON.stringify(replaced(JSON.parse(line), value, at))),
		),
		{ numRuns: 1000 },
	)
	fc.assert(fc.property(fc.string(), (text) => survive(reader, text)))
	fc.assert(fc.property(fc.json(), (text) => survive(reader, text)))
	for (const event of events(reader.end('2026-11-25T00:00:00.000Z'))) {
		v.parse(eventSchemas[event.kind], event.body)
	}
})

/** The same with one of its values replaced. */
function replaced(value: unknown, by: unknown, at: number): unknown {
	let count = 0
	const text = JSON.stringify(value, (_key, item) => {
		count++
		return item
	})
	const place = at % count
	count = 0
	return JSON.parse(text, (_key, item) => (count++ === place ? by : item))
}

test('fields and methods of a newer version change nothing', () => {
	for (const name of names) {
		const steps = recording(name)
		const newer = steps.map(({ message, ...rest }): Recorded => {
			if (message === undefined) return rest
			// A permission profile is granted whole: one with more in it than is known is not shown.
			const params = { ...message.params, newField: { deep: [1] } }
			return { message: { ...message, params, jsonrpc: '3.0' } }
		})
		expect(play(newer).outputs).toEqual(play(steps).outputs)
	}
})

test('nested without end', () => {
	const deep = '['.repeat(20_000) + ']'.repeat(20_000)
	const reader = new ThreadReader()
	const item = `{"type":"mcpToolCall","id":"a","arguments":${deep},"result":${deep},"error":${deep}}`
	for (const line of [
		`{"method":"item/started","params":{"threadId":"t","item":${item}}}`,
		`{"method":"item/completed","params":{"threadId":"t","item":${item}}}`,
		`{"method":"error","params":{"error":{"message":"x","codexErrorInfo":${deep}}}}`,
		`{"method":"thread/settings/updated","params":{"threadSettings":${deep}}}`,
		`{"method":"turn/plan/updated","params":{"plan":${deep}}}`,
		`{"id":${deep},"method":"x"}`,
		`{"id":1,"method":"item/tool/requestUserInput","params":${deep}}`,
		deep,
	]) {
		survive(reader, line)
	}
})

const hostile = [
	'',
	'no JSON at all',
	'\u0000\u001B]0;title\u0007',
	'{"method":"item/started","params":{"thr',
	'null',
	'[]',
	'7',
	'{"id":{},"method":"x"}',
	'{"method":"item/completed","params":{"threadId":"main","item":{"type":"newType","id":"n","text":"?"}}}',
	'{"method":"brand/new/method","params":{}}',
	'{"id":"styrby-tui:999","result":{}}',
	'{"id":1,"method":"item/newKind/requestApproval","params":{"threadId":"main","command":"rm -rf /"}}',
	'{"id":2,"method":"item/commandExecution/requestApproval","params":null}',
	'{"id":3,"method":"item/commandExecution/requestApproval","params":{"threadId":"main","turnId":"turn","itemId":"i","command":["rm"]}}',
	'{"id":4,"method":"item/fileChange/requestApproval","params":{"threadId":"main","turnId":"turn","itemId":"never announced"}}',
	'{"id":5,"method":"item/permissions/requestApproval","params":{"threadId":"main","turnId":"turn","itemId":"i","permissions":{"everything":true}}}',
	'{"id":6,"method":"mcpServer/elicitation/request","params":{"threadId":"main","serverName":"s","mode":"url","url":"https://example.com","message":"m"}}',
	'{"id":7,"method":"execCommandApproval","params":{"command":["rm","-rf","/"]}}',
	'{"id":8,"method":"applyPatchApproval","params":{}}',
]

test.skipIf(process.platform === 'win32')(
	'a whole session of garbage, and a line of 100 MiB: it goes on to its end, and approves nothing',
	async () => {
		const folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
		try {
			const program = await readFile(join(import.meta.dirname, '_fake-codex.cjs'), 'utf8')
			const script = `#!${process.execPath}\n${program}`
			await writeFile(join(folder, 'codex'), script, { mode: 0o755 })
			await writeFile(join(folder, 'lines'), hostile.join('\n'))
			await using agent = await codex.start({
				cwd: folder,
				args: [],
				env: {
					PATH: `${folder}${delimiter}${dirname(process.execPath)}`,
					HOSTILE_LINES: join(folder, 'lines'),
					HOSTILE_ANSWERS: join(folder, 'answers'),
				},
				headless: 'go',
				requestTimeoutMs: 60_000,
			})
			const outputs: AgentOutput[] = []
			for await (const output of agent.output) outputs.push(output)
			expect(await agent.ended).toMatchObject({ signal: null })

			expect(outputs.filter(({ type }) => type === 'request')).toEqual([])
			expect(outputs.at(-2)).toEqual({ type: 'status', status: 'idle' })
			const notices = events(outputs).flatMap((event) =>
				event.kind === 'system' && event.body.type === 'notice' ? [event.body.text] : [],
			)
			expect(notices).toContain('A line of the agent is over 64 MiB and was left out')
			expect(notices.at(-1)).toBe('A line of the agent is not a message and was left out')

			const schema = v.object({
				id: v.number(),
				result: v.optional(v.unknown()),
				error: v.optional(v.object({ code: v.number() })),
			})
			const lines = (await readFile(join(folder, 'answers'), 'utf8')).trim().split('\n')
			const answers = lines.map((line) => v.parse(schema, JSON.parse(line)))
			expect(answers.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
			for (const { id, result, error } of answers) {
				const old = id >= 7 ? { decision: 'decline' } : result
				if (id >= 7) expect(result).toEqual({ decision: 'denied' })
				if (error === undefined) expect(meaningOf(old)).toBe('denied')
				else expect(id).toBe(1)
			}
		} finally {
			await rm(folder, { recursive: true, force: true })
		}
	},
)
