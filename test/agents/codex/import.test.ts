import { appendFile, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import * as v from 'valibot'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ImportedLine, ImportedSession } from '../../../source/agents/agent.ts'
import { isClaudeTranscript } from '../../../source/agents/claude/import.ts'
import { isCodexRollout, readHistory } from '../../../source/agents/codex/import.ts'
import { RolloutReader } from '../../../source/agents/codex/rollout-reader.ts'
import { parseRolloutLine } from '../../../source/agents/codex/rollout-schema.ts'
import { cleanEvent } from '../../../source/host/clean-event.ts'
import { loadHistoryReader } from '../../../source/host/history-readers.ts'
import { eventSchemas } from '../../../source/protocol/events.ts'
import { fixtures } from './_recording.ts'

const rollouts = join(fixtures, 'rollouts')
const kinds = ['paginated', 'paginated-fork', 'legacy', 'legacy-fork']
const fileOf = (name: string) => join(rollouts, `${name}.jsonl`)

let folder = ''
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function all(path: string): Promise<{ session: ImportedSession; lines: ImportedLine[] }[]> {
	const sessions = []
	for await (const session of readHistory(path)) {
		const lines: ImportedLine[] = []
		for await (const line of session.events) lines.push(line)
		sessions.push({ session, lines })
	}
	return sessions
}

async function one(path: string) {
	const [found] = await all(path)
	if (found === undefined) throw new Error('no session')
	const events = found.lines.flatMap((line) => (line.type === 'event' ? [line.event] : []))
	return { ...found, events }
}

describe.each(kinds)('%s', (name) => {
	test('the events are those that were looked at', async () => {
		const { session, lines } = await one(fileOf(name))
		const { events: _events, file: _file, ...facts } = session
		// Names of lines change with every recording.
		const told = lines.map((line) => ({ ...line, source: undefined }))
		await expect(`${JSON.stringify({ facts, told }, null, '\t')}\n`).toMatchFileSnapshot(
			join(fixtures, 'golden', `rollout-${name}.json`),
		)
	})

	test('every event is one by its schema, each call has one result, and nothing is unknown', async () => {
		const { lines, events } = await one(fileOf(name))
		for (const event of events) {
			v.parse(eventSchemas[event.kind], event.body)
			if (event.kind === 'system') expect(event.body.type).not.toMatch(/^codex\//)
		}
		const calls = events.flatMap((e) => (e.kind === 'tool_use' ? [e.body.tool_use] : []))
		const results = events.flatMap((e) => (e.kind === 'tool_result' ? [e.body.tool_use] : []))
		expect(results).toEqual(calls)
		expect(lines.filter(({ type }) => type === 'problem')).toEqual([])
		const sources = lines.flatMap((line) => (line.type === 'event' ? [line.source] : []))
		expect(new Set(sources).size).toBe(sources.length)
	})

	test('is recognised by its content, and is no one else’s', async () => {
		const path = join(folder, 'a file of any name')
		await copyFile(fileOf(name), path)
		expect(await isCodexRollout(path)).toBe(true)
		expect(await isClaudeTranscript(path)).toBe(false)
		expect(await loadHistoryReader(path, undefined)).toBe(readHistory)
	})
})

test('what was said, done and used is the same in both ways that Codex keeps it', async () => {
	const [paginated, legacy] = await Promise.all([one(fileOf('paginated')), one(fileOf('legacy'))])
	const told = ({ events }: typeof paginated) =>
		events.flatMap((event): unknown[] => {
			if (event.kind === 'user_prompt' || event.kind === 'agent_response') return [event.body.text]
			if (event.kind === 'usage') return [event.body.cost_usd]
			if (event.kind !== 'tool_result') return []
			// A script's calls are told of by themselves only where items are kept.
			return event.body.text === 'from a script\n' ? [] : [event.body.text, event.body.changes]
		})
	expect(told(legacy)).toEqual(told(paginated))
})

test('a fork counts only what it used itself', async () => {
	for (const name of ['paginated-fork', 'legacy-fork']) {
		const { events } = await one(fileOf(name))
		const used = events.flatMap((e) => (e.kind === 'usage' ? [e.body.input] : []))
		expect(used).toEqual([1034])
		const prompts = events.flatMap((e) => (e.kind === 'user_prompt' ? [e.body.text] : []))
		expect(prompts.at(-1)).toBe('TEXT forked')
	}
})

test('before usage was recorded, it is the difference of the totals, once each', async () => {
	const path = join(folder, 'old.jsonl')
	const lines = (await readFile(fileOf('legacy'), 'utf8')).split('\n')
	await writeFile(path, lines.filter((line) => !line.includes('"token_usage_record"')).join('\n'))
	const usage = async (file: string) =>
		(await one(file)).events.flatMap((e) =>
			e.kind === 'usage' ? [[e.body.input, e.body.cache_read, e.body.output]] : [],
		)
	expect(await usage(path)).toEqual(await usage(fileOf('legacy')))
})

test('a session that went on is read again: what was there has its name, the rest is new', async () => {
	const path = join(folder, 'rollout.jsonl')
	const text = await readFile(fileOf('paginated'), 'utf8')
	const half = text.split('\n').slice(0, 60).join('\n')
	await writeFile(path, `${half}\n`)
	const before = await one(path)
	await writeFile(path, text)
	const after = await one(path)
	expect(after.session.session).toBe(before.session.session)
	expect(after.lines.slice(0, before.lines.length)).toEqual(before.lines)
	expect(after.lines.length).toBeGreaterThan(before.lines.length)
	expect((await one(path)).lines).toEqual(after.lines)
})

test('an interrupted turn leaves no call without a result', async () => {
	const path = join(folder, 'rollout.jsonl')
	const line = (type: string, payload: object) =>
		`${JSON.stringify({ timestamp: '2026-11-25T00:00:00.000Z', type, payload })}\n`
	const call = {
		type: 'function_call',
		call_id: 'c',
		name: 'exec_command',
		arguments: '{"cmd":"ls"}',
	}
	await writeFile(
		path,
		line('session_meta', { id: 'one', cwd: '/home/user' }) +
			line('response_item', call) +
			line('event_msg', { type: 'turn_aborted', reason: 'interrupted' }) +
			line('response_item', { type: 'function_call_output', call_id: 'c', output: 'late' }),
	)
	expect((await one(path)).events).toMatchObject([
		{ kind: 'tool_use', body: { input: { command: 'ls', cwd: '/home/user' } } },
		{ kind: 'tool_result', body: { tool_use: 'c', ok: false, text: 'Interrupted.' } },
		{ kind: 'system', body: { type: 'interrupted' } },
	])
})

test('lines that can not be read are named, and the rest is there', async () => {
	const path = join(folder, 'rollout.jsonl')
	await copyFile(fileOf('paginated-fork'), path)
	await appendFile(path, 'not JSON\n[1]\n{"type":"event_msg"}\n{"timestamp":"2026-11-25T00:00')
	const { lines } = await one(path)
	const whole = await one(fileOf('paginated-fork'))
	const problems = lines.filter(({ type }) => type === 'problem')
	expect(problems).toEqual([
		{ type: 'problem', line: 15, problem: 'not a line of a rollout, left out' },
		{ type: 'problem', line: 16, problem: 'not a line of a rollout, left out' },
		{ type: 'problem', line: 17, problem: 'not a line of a rollout, left out' },
		{ type: 'problem', line: 18, problem: 'cut off in the middle, left out' },
	])
	expect(lines.filter(({ type }) => type === 'event')).toEqual(whole.lines)
})

test('a folder gives all its rollouts and nothing else', async () => {
	const day = join(folder, 'sessions', '2026', '11', '25')
	await mkdir(day, { recursive: true })
	await copyFile(fileOf('legacy'), join(day, 'rollout-2026-11-25T00-00-00-b.jsonl'))
	await copyFile(fileOf('paginated'), join(day, 'rollout-2026-11-25T00-00-00-a.jsonl'))
	await writeFile(join(folder, 'history.jsonl'), '{"session_id":"x","ts":1,"text":"hello"}\n')
	await writeFile(join(folder, 'config.toml'), '')
	const files = (await all(folder)).map(({ session }) => session.file?.slice(folder.length))
	expect(files).toEqual([
		'/sessions/2026/11/25/rollout-2026-11-25T00-00-00-a.jsonl',
		'/sessions/2026/11/25/rollout-2026-11-25T00-00-00-b.jsonl',
	])
	await expect(all(join(folder, 'history.jsonl'))).rejects.toMatchObject({
		code: 'import_not_recognised',
	})
	await expect(all(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'import_unreadable' })
})

test('half lines, and lines with anything anywhere, give events or nothing', async () => {
	const lines = (await Promise.all(kinds.map((name) => readFile(fileOf(name), 'utf8')))).flatMap(
		(text) => text.trim().split('\n'),
	)
	const reader = new RolloutReader()
	const survive = (text: string) => {
		const line = parseRolloutLine(text)
		if (line === null) return
		for (const event of reader.read(line)) {
			const { kind, body } = cleanEvent(event)
			v.parse(eventSchemas[kind], body)
		}
	}
	fc.assert(
		fc.property(fc.constantFrom(...lines), fc.jsonValue(), fc.nat(), (text, value, at) => {
			const line = JSON.parse(text)
			const keys = Object.keys(line.payload)
			const key = keys[at % keys.length] ?? 'type'
			survive(JSON.stringify({ ...line, payload: { ...line.payload, [key]: value } }))
			survive(text.slice(0, at % text.length))
		}),
		{ numRuns: 1000 },
	)
	fc.assert(
		fc.property(
			fc.constantFrom(...lines),
			fc.dictionary(fc.string(), fc.jsonValue()),
			(text, item) => {
				const line = JSON.parse(text)
				const merged = { ...line.payload.item, ...item }
				survive(JSON.stringify({ ...line, payload: { ...line.payload, item: merged } }))
			},
		),
		{ numRuns: 1000 },
	)
})
