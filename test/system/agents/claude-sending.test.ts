/**
 * What a person sends from the viewer to a headless session that stays open: prompts, an interrupt, a mode
 * and answers to questions, until the real Claude Code has it and its model sees it.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bash, Lab, press, type Started, until } from '../../tools/lab.ts'
import type { Terminal } from '../../tools/terminal.ts'

const question = (words: string, multiSelect: boolean, labels: string[]) => ({
	question: words,
	header: 'Choice',
	multiSelect,
	options: labels.map((label) => ({ label, description: `${label} it is` })),
})

let lab: Lab
let host: Started
let viewer: Terminal
let session = ''

beforeAll(async () => {
	lab = await Lab.make({
		fallback: 'fine',
		rules: [
			{ match: '^HELLO', turns: [[{ text: 'hello there' }]] },
			{
				match: '^ASK',
				turns: [
					[
						{
							tool: 'AskUserQuestion',
							input: {
								questions: [
									question('Which database?', false, ['Postgres', 'SQLite']),
									question('Which checks?', true, ['lint', 'types', 'tests']),
								],
							},
						},
					],
					[{ text: 'thank you' }],
				],
			},
			{ match: '^CHANGE', turns: [[bash('touch asked.txt')], [{ text: 'made it' }]] },
			{ match: '^WAIT', turns: [[{ text: 'thinking about it' }, { hang: true }]] },
			{ match: '^AFTER', turns: [[{ text: 'still here' }]] },
		],
	})
	host = lab.start(['run', 'claude', '--headless', 'HELLO', '--stay', '--json'])
	await until(() => host.printed().some((line) => 'session' in line) || host.result, host)
	session = String(host.printed()[0]?.session)
	viewer = lab.terminal([], { columns: 120, rows: 40 })
	await viewer.until('connected')
	await viewer.press(press.enter)
	await viewer.until('hello there')
	await viewer.until('i prompt')
}, 300_000)

afterAll(async () => {
	await viewer?.[Symbol.asyncDispose]()
	await lab?.[Symbol.asyncDispose]()
})

/** What the model was sent last with this in it. */
const asked = (text: string) =>
	lab.api.requests.findLast(({ body }) => JSON.stringify(body ?? null).includes(text))

it('a prompt, of several lines, reaches the model, and stands in the session with who sent it', async () => {
	await viewer.press('i')
	await viewer.until('Prompt for project')
	await viewer.press('\u001B[200~ASK me\n\tsomething\u001B[201~')
	await viewer.until('·     something')
	await viewer.press(press.enter)
	await viewer.until(/▌ from .* ✓ signature checked/)
	await until(() => asked('ASK me\\n\\tsomething'))
}, 120_000)

it('questions are answered one after the other, and the answers reach the model', async () => {
	await viewer.until('[a] answer')
	await viewer.settled()
	await viewer.press('a')
	await viewer.until('Question 1 of 2: Which database?')
	await viewer.press('2')
	await viewer.until('Question 2 of 2: Which checks?')
	await viewer.press('1', '3', press.enter)
	await viewer.until(/Which checks\? → lint, tests/)
	await viewer.looked()
	await viewer.press(press.enter)
	await viewer.until('thank you')
	await viewer.until(/✓ answered on .* · signature checked/)
	const seen = JSON.stringify(asked('Which database?')?.body)
	expect(seen).toMatch(/Which database\?[^,]*SQLite/)
	expect(seen).toMatch(/Which checks\?.{0,20}lint, tests/)
}, 120_000)

it('a command is changed before it is allowed: the changed one runs, and both are in the session', async () => {
	await viewer.press('i')
	await viewer.type('CHANGE it')
	await viewer.press(press.enter)
	await viewer.until('[e] change')
	await viewer.settled()
	await viewer.press('e')
	await viewer.until('› touch asked.txt')
	await viewer.press('\u0015')
	await viewer.type('touch changed.txt')
	await viewer.press(press.enter)
	await viewer.until(/− touch asked\.txt\n *\+ touch changed\.txt/)
	await viewer.looked()
	await viewer.press(press.enter)
	await viewer.until('made it')
	await viewer.until(/changed to\n.*│ touch changed\.txt/)
	expect(['asked.txt', 'changed.txt'].map((name) => existsSync(join(lab.cwd, name)))).toEqual([
		false,
		true,
	])
}, 120_000)

it('a mode is changed, and shown', async () => {
	await viewer.press('m')
	const modes = await viewer.until('Mode of project')
	expect(modes).toMatch(/▸ manual +\(now\)/)
	expect(modes).toMatch(/acceptEdits +⚠ edits are made unasked/)
	await viewer.press('j', 'j')
	await viewer.until('▸ plan')
	await viewer.press(press.enter)
	await viewer.until(/mode changed to plan from .* ✓ signature checked/)
	await viewer.until(/· plan mode ·/)
}, 120_000)

it('a turn is interrupted, after a second key, and the session goes on', async () => {
	await viewer.press('i')
	await viewer.type('WAIT')
	await viewer.press(press.enter)
	await viewer.until('thinking about it')
	await viewer.until('x interrupt')
	await viewer.press('x')
	await viewer.until('Interrupt the agent of project?')
	await viewer.press(press.enter)
	await viewer.until(/· interrupted from .* ✓ signature checked/)
	await until(async () => (await lab.session(session)).status === 'idle')
	await viewer.press('i')
	await viewer.type('AFTER that')
	await viewer.press(press.enter)
	await viewer.until('still here')
}, 120_000)

it('everything that was sent is proved by the signatures in the session', async () => {
	const { stdout } = await lab.done(['show', session])
	expect(stdout.match(/· prompt from .* \(signature verified\)/g)).toHaveLength(4)
	expect(stdout.match(/· (interrupt|mode) from .* \(signature verified\)/g)).toHaveLength(2)
	expect(stdout).not.toContain('NOT VERIFIED')
	const messages = await lab.show(session)
	const prompts = messages.filter(({ kind }) => kind === 'user_prompt').map(({ body }) => body)
	expect(prompts.map((body) => body?.source)).toEqual([
		'agent',
		...Array.from({ length: 4 }, () => 'viewer'),
	])
}, 120_000)

it('a session that has ended gets nothing, and the key says so', async () => {
	host.child.kill('SIGTERM')
	await host.done
	await viewer.until(/ended|stopped/)
	await until(async () => (await lab.session(session)).status !== 'idle')
	await viewer.settled()
	await viewer.press('i')
	await viewer.until('This session has ended')
}, 120_000)
