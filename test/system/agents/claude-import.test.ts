/** Transcripts that the real Claude Code has just written, imported and looked for line by line. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bash, Lab, type PrintedMessage, type Ran, Started } from '../../tools/lab.ts'

const long = 'A long answer, over the size of one message. '.repeat(3000)
const file = (name: string) => ['$', `{cwd}/${name}`].join('')

let lab: Lab
let projects = ''

beforeAll(async () => {
	lab = await Lab.make({
		fallback: 'fine',
		rules: [
			{ match: '^LONG', turns: [[{ thinking: 'Let me think.' }, { text: long }]] },
			{
				match: '^TOOLS',
				turns: [
					[{ text: 'First a look.' }, bash('seq 1 3'), bash('echo no >&2; exit 3')],
					[{ tool: 'Read', input: { file_path: file('missing.txt') } }],
					[{ tool: 'Write', input: { file_path: file('new.txt'), content: 'one\ntwo\n' } }],
					[
						{
							tool: 'Edit',
							input: { file_path: file('new.txt'), old_string: 'two', new_string: 'drei ✓' },
						},
					],
					[bash('seq 1 9000')],
					[bash('printf "\\033[31mred\\033[0m \\007 \\xff"')],
					[{ text: 'All of it was tried.' }],
				],
			},
			{ match: '^REFUSED', turns: [[bash('rm -rf build')], [{ text: 'then not' }]] },
			{ match: '^INNER', turns: [[{ text: 'inside' }, bash('seq 7 9')], [{ text: 'inner end' }]] },
			{
				match: '^HELPERS',
				turns: [
					[1, 2].map((n) => ({
						tool: 'Agent',
						input: {
							description: `Helper ${n}`,
							prompt: `INNER number ${n}`,
							subagent_type: 'general-purpose',
						},
					})),
					[{ text: 'both were sent' }],
				],
			},
			{
				match: '^FAIL',
				turns: [
					[{ error: { status: 400, type: 'invalid_request_error', message: 'no such thing' } }],
				],
			},
			{ match: '^HANG', turns: [[bash('seq 4 5')], [{ text: 'half an ans' }, { hang: true }]] },
		],
	})
	projects = join(lab.folder, 'home', '.claude', 'projects')
	const allowed = ['--allowedTools', 'Bash,Read,Write,Edit']
	const first = randomUUID()
	await claude(['LONG one – “quoted”, ünïcode 😀 and a tab\there', '--session-id', first])
	await claude(['then SOMETHING ELSE', '--resume', first])
	await Promise.all([
		claude(['TOOLS please\nin two lines', ...allowed]),
		claude(['HELPERS', ...allowed]),
	])
	await Promise.all([claude(['REFUSED']), claude(['FAIL now']), claude(['HANG', ...allowed], 8000)])
}, 300_000)

afterAll(async () => {
	await lab[Symbol.asyncDispose]()
})

/** Claude Code by itself, as somebody used it before they had this program. */
async function claude(args: readonly string[], killAfter?: number): Promise<Ran> {
	const env = Object.entries(lab.env).filter(([name]) => !name.startsWith('STYRBY_'))
	const started = new Started(
		spawn('claude', ['-p', ...args], {
			cwd: lab.cwd,
			env: Object.fromEntries(env),
			stdio: ['ignore', 'pipe', 'pipe'],
		}),
	)
	const timer = killAfter && setTimeout(() => started.child.kill('SIGKILL'), killAfter)
	const ran = await started.done
	clearTimeout(timer)
	return ran
}

const blockSchema = v.object({
	type: v.string(),
	text: v.optional(v.string()),
	thinking: v.optional(v.string()),
	id: v.optional(v.string()),
	name: v.optional(v.string()),
	input: v.optional(v.unknown()),
	tool_use_id: v.optional(v.string()),
	content: v.optional(v.unknown()),
})
const lineSchema = v.object({
	type: v.picklist(['user', 'assistant']),
	message: v.object({ content: v.union([v.string(), v.array(blockSchema)]) }),
})

/** What has to be found of a transcript: read as plainly as can be, without the program's own reader. */
function wanted(text: string): Record<string, unknown>[] {
	return text.split('\n').flatMap((line) => {
		let value: unknown = null
		try {
			value = JSON.parse(line)
		} catch {
			return []
		}
		const parsed = v.safeParse(lineSchema, value)
		if (!parsed.success) return []
		const { type, message } = parsed.output
		const { content } = message
		const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
		return blocks.map((block) => {
			if (block.type === 'tool_use') {
				return { tool: block.id, name: block.name, input: block.input }
			}
			if (block.type === 'tool_result') {
				return { result: block.tool_use_id, text: textOf(block.content) }
			}
			if (block.type === 'thinking') return { thought: block.thinking }
			return { said: block.text, by: type }
		})
	})
}

function textOf(content: unknown): string {
	if (typeof content === 'string') return content
	const blocks = v.parse(v.array(v.object({ text: v.optional(v.string(), '') })), content)
	return blocks.map(({ text }) => text).join('\n')
}

/** The same of a printed message. */
function given({ kind, body }: PrintedMessage): Record<string, unknown> | null {
	switch (kind) {
		case 'tool_use':
			return { tool: body?.tool_use, name: body?.name, input: body?.input }
		case 'tool_result':
			return { result: body?.tool_use, text: body?.text }
		case 'agent_thinking':
			return { thought: body?.text }
		case 'agent_response':
		case 'error':
			return { said: body?.text, by: 'assistant' }
		case 'user_prompt':
			return { said: body?.text, by: 'user' }
		case 'system':
			return body?.text === null ? null : { said: body?.text, by: 'user' }
		default:
			return null
	}
}

/** All of a session's files: each in its own order, and nothing twice. Returns how much was looked for. */
function expectFound(files: readonly string[], shown: readonly PrintedMessage[]): number {
	const there = shown.map((message) => JSON.stringify(given(message)))
	const all = files.flatMap((text) => {
		let at = 0
		return wanted(text).map((value) => {
			const item = JSON.stringify(value)
			const found = there.indexOf(item, at)
			expect(found, item.slice(0, 300)).toBeGreaterThanOrEqual(0)
			at = found + 1
			return item
		})
	})
	const count = (list: readonly string[], one: string) => list.filter((each) => each === one).length
	for (const one of new Set(all)) expect(count(there, one), one.slice(0, 300)).toBe(count(all, one))
	return all.length
}

const importedSchema = v.object({
	file: v.string(),
	session: v.string(),
	messages: v.number(),
	skipped: v.number(),
	problem: v.nullable(v.string()),
})

async function imported(path: string) {
	const { code, stdout, stderr } = await lab.run(['import', path, '--json'])
	const lines = stdout.split('\n').filter((line) => line !== '')
	const sessions = lines.map((line) => v.parse(importedSchema, JSON.parse(line)))
	return { code, stderr, sessions }
}

async function transcripts(folder: string): Promise<string[]> {
	const names = await readdir(folder, { recursive: true })
	return names.filter((name) => name.endsWith('.jsonl')).map((name) => join(folder, name))
}

describe('a folder of transcripts', () => {
	it('is there line by line, in order, once; importing it again adds nothing', async () => {
		const files = await transcripts(projects)
		const mains = files.filter((path) => !path.includes('subagents'))
		expect(mains).toHaveLength(6)
		expect(files.length - mains.length).toBe(2)

		const first = await imported(projects)
		expect(first).toMatchObject({ code: 0, stderr: '' })
		expect(first.sessions.map((one) => one.file).sort()).toEqual(mains.sort())
		let items = 0
		const before = new Map<string, PrintedMessage[]>()
		for (const { file: main, session } of first.sessions) {
			const shown = await lab.show(session)
			before.set(session, shown)
			expect(shown.filter(({ problem }) => problem !== null)).toEqual([])
			const own = files.filter((path) => path.includes(basename(main, '.jsonl')))
			const texts = await Promise.all(own.map((path) => readFile(path, 'utf8')))
			items += expectFound(texts, shown)
		}
		// Prompts, answers, calls and results of all sessions together: the check has looked at something.
		expect(items).toBeGreaterThan(45)

		const again = await imported(projects)
		expect(again.code).toBe(0)
		expect(again.sessions.map(({ messages }) => messages)).toEqual(mains.map(() => 0))
		for (const [session, shown] of before) expect(await lab.show(session)).toEqual(shown)
	})

	it('that has grown adds what is new', async () => {
		const path = (await transcripts(projects)).find((one) => !one.includes('subagents')) ?? ''
		const id = basename(path, '.jsonl')
		await claude(['one MORE thing', '--resume', id])
		const { sessions } = await imported(path)
		expect(sessions).toMatchObject([{ file: path, problem: null }])
		expect(sessions[0]?.messages).toBeGreaterThan(0)
		const shown = await lab.show(sessions[0]?.session ?? '')
		expectFound([await readFile(path, 'utf8')], shown)
	})
})

it('broken lines are reported with their numbers, and the rest is imported', async () => {
	const all = await transcripts(projects)
	const texts = await Promise.all(all.map(async (path) => [path, await readFile(path, 'utf8')]))
	const [path = '', text = ''] = texts.find(([, content]) => content?.includes('drei')) ?? []
	const id = randomUUID()
	const lines = text.replaceAll(basename(path, '.jsonl'), id).trimEnd().split('\n')
	lines.splice(3, 0, '{"type":"user","message":{"role":"user","content":"cut')
	lines.splice(6, 0, 'no JSON at all \u0000\u0007')
	lines.push(lines.at(-1)?.slice(0, 90) ?? '')
	const folder = join(lab.folder, 'broken')
	await mkdir(folder)
	const broken = join(folder, `${id}.jsonl`)
	await writeFile(broken, lines.join('\n'))

	const { code, sessions } = await imported(folder)
	expect(code).toBe(1)
	const problem = sessions[0]?.problem ?? ''
	expect(problem).toContain('line 4: ')
	expect(problem).toContain('line 7: ')
	expect(problem).toMatch(new RegExp(`line ${lines.length}: cut off`))
	const shown = await lab.show(sessions[0]?.session ?? '')
	expect(expectFound([lines.join('\n')], shown)).toBeGreaterThan(15)

	const again = await imported(folder)
	expect(again.sessions).toMatchObject([{ messages: 0, problem }])
	expect(await lab.show(sessions[0]?.session ?? '')).toEqual(shown)
})
