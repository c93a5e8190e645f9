/** Reading one session: finding in it and jumping through it, in what is loaded and beyond. */
import { describe, expect, test } from 'vitest'
import { StyrbyError } from '../../source/protocol/errors.ts'
import type { ShownMessage } from '../../source/viewer/viewer.ts'
import { keys, type Screen } from './_screen.ts'
import { Stage } from './_stage.ts'
import {
	ask,
	call,
	message,
	request,
	requestBody,
	result,
	say,
	summary,
	transcript,
	uuid,
} from './_viewer.ts'

const session = uuid(1)

/** A session of which only the last `loaded` messages are in the window. */
function stageOf(messages: readonly ShownMessage[], loaded = messages.length): Stage {
	const stage = new Stage()
	stage.viewer.sessions.set([summary()])
	stage.viewer.stored.set(session, messages)
	const window = messages.slice(-loaded)
	stage.viewer.transcript(session).set(transcript(window, { hasOlder: loaded < messages.length }))
	return stage
}

async function opened(stage: Stage, size = { columns: 80, rows: 24 }): Promise<Screen> {
	const screen = await stage.open(size)
	await screen.press(keys.enter)
	await screen.settled()
	return screen
}

/** Text of all cells that are drawn inverse. */
function inverse(screen: Screen): string[] {
	const { active } = screen.term.buffer
	return Array.from({ length: screen.term.rows }, (_, row) => {
		const line = active.getLine(active.viewportY + row)
		return Array.from({ length: screen.term.cols }, (__, column) => line?.getCell(column))
			.map((cell) => (cell?.isInverse() ? cell.getChars() : ' '))
			.join('')
			.trim()
	}).filter((text) => text !== '')
}

const type = (text: string) => Array.from(text)
const many = (count: number, text: (seq: number) => string = (seq) => `message ${seq}.`) =>
	Array.from({ length: count }, (_, index) => say(index + 1, text(index + 1)))

describe('finding in a session', () => {
	test.concurrent('marks what is typed, counts it, and goes from one place to the next', async () => {
		await using stage = stageOf([
			say(1, 'A rate limit is needed.'),
			...many(60).slice(1, 40),
			say(41, 'The RATE\nlimit holds: Rate.'),
			say(42, 'Done.'),
		])
		const screen = await opened(stage)
		await screen.press('/')
		expect(screen.text()).toContain('Find in this session:')
		await screen.press(...type('rate'))
		expect(inverse(screen)).toEqual(['RATE', 'Rate'])
		await screen.press(keys.enter)
		await screen.until('find “rate”  2/2')
		await screen.press('n')
		expect(screen.text()).toContain('› limit holds: Rate.')
		await screen.press('n')
		await screen.until('1/2')
		expect(screen.text()).toContain('› A rate limit is needed.')
		expect(screen.text()).toContain('That was the last one: on from the first.')
		await screen.press('N')
		await screen.until('2/2')
		await screen.press(keys.escape)
		expect(screen.text()).not.toContain('find “')
		expect(inverse(screen)).toEqual([])
		expect(screen.text()).toContain('Done.')
	})

	test.concurrent('looks through what is not loaded, nearest first, and says how far it is', async () => {
		const all = many(2000, (seq) => (seq === 700 || seq === 20 ? `needle ${seq}` : `hay ${seq}`))
		await using stage = stageOf(all, 200)
		const screen = await opened(stage)
		await screen.press('/', ...type('needle'), keys.enter)
		await screen.until('2/2')
		expect(screen.text()).toContain('› needle 700')
		const read = stage.viewer.pagesRead
		expect(read[0]).toEqual([1701, 1800])
		expect(Math.max(...read.map(([from, to]) => to - from + 1))).toBe(100)
		await screen.press('N')
		await screen.until('1/2')
		expect(screen.text()).toContain('› needle 20')
	})

	test.concurrent('opens what is folded when it is there that the words are', async () => {
		const output = Array.from({ length: 50 }, (_, line) => `line ${line}`).join('\n')
		await using stage = stageOf([call(1, 'c', 'make'), result(2, 'c', `${output}\nsecret word`)])
		const screen = await opened(stage)
		expect(screen.text()).not.toContain('secret word')
		await screen.press('/', ...type('secret'), keys.enter)
		await screen.until('› ')
		expect(screen.text()).toMatch(/› +│ secret word/)
		expect(inverse(screen)).toEqual(['secret'])
		expect(screen.text()).toContain('1/1')
	})

	test.concurrent('finds words that are broken over two lines', async () => {
		await using stage = stageOf([say(1, `${'word '.repeat(14)}npm install everything`)])
		const screen = await opened(stage)
		await screen.press('/', ...type('npm install'), keys.enter)
		await screen.until('1/1')
		expect(inverse(screen)).toEqual(['npm', 'install'])
	})

	test.concurrent('says that it is nowhere; n goes to requests again once it is left', async () => {
		await using stage = stageOf(many(5))
		const screen = await opened(stage)
		await screen.press('/', ...type('nothing'), keys.enter)
		await screen.until('✗ not in this session')
		await screen.press(keys.escape, '/', keys.enter)
		await screen.until('find “nothing”')
		const waiting = request(uuid(11))
		stage.viewer.requests.set([waiting])
		const messages = [...many(5), message(6, 'permission_request', requestBody(uuid(11)))]
		stage.viewer.transcript(session).set(transcript(messages))
		await screen.until('⚠ 1 waiting')
		await screen.press('n')
		expect(screen.text()).toContain('✗ not in this session')
		expect(screen.text()).not.toContain('▐')
		stage.viewer.requests.update((all) => [...all, request(uuid(12), { session: uuid(2) })])
		await screen.press(keys.escape, 'n')
		await screen.until('━ permission requests')
	})

	test.concurrent('counts what comes after', async () => {
		await using stage = stageOf([say(1, 'needle')])
		const screen = await opened(stage)
		await screen.press('/', ...type('needle'), keys.enter)
		await screen.until('1/1')
		stage.viewer.transcript(session).set(transcript([say(1, 'needle'), say(2, 'a needle too')]))
		await screen.until('1/2')
	})
})

describe('jumping', () => {
	const conversation = [
		ask(1, 'First prompt.'),
		...many(30).slice(1),
		call(31, 'bad', 'make test'),
		result(32, 'bad', 'it broke', { ok: false, exit_code: 1 }),
		message(33, 'permission_request', requestBody(uuid(11))),
		...Array.from({ length: 30 }, (_, index) => say(34 + index, `later ${index}.`)),
		ask(64, 'Second prompt.'),
		...Array.from({ length: 30 }, (_, index) => say(65 + index, `end ${index}.`)),
	]

	test.concurrent('from prompt to prompt, request to request, failure to failure', async () => {
		await using stage = stageOf(conversation)
		const screen = await opened(stage)
		await screen.press('[')
		await screen.until('▌ Second prompt.')
		await screen.press('[')
		await screen.until('▌ First prompt.')
		await screen.press('[')
		await screen.until('There is no prompt before this.')
		await screen.press(']')
		await screen.until('▌ Second prompt.')
		await screen.press('(')
		await screen.until('make test')
		await screen.press(')')
		await screen.until('There is no failure after this.')
		await screen.press('}')
		await screen.until('wants to run a command')
		await screen.press('{')
		await screen.until('There is no request before this.')
	})

	test.concurrent('beyond what is loaded, and the window moves there', async () => {
		const all = [ask(1, 'Long ago.'), ...many(1500).slice(1)]
		await using stage = stageOf(all, 100)
		const screen = await opened(stage)
		await screen.press('[')
		await screen.until('▌ Long ago.')
		expect(stage.viewer.asked).toContainEqual({ session, what: 'around 1' })
		await screen.press(']')
		await screen.until('There is no prompt after this.')
	})
})

describe('copying', () => {
	/** What the terminal was asked to keep. */
	const copied = (screen: Screen) =>
		screen.written
			.split('\u001B]52;c;')
			.slice(1)
			.map((after) => Buffer.from(after.split('\u0007')[0] ?? '', 'base64').toString())

	test.concurrent('the newest answer on the screen, or the command that is selected', async () => {
		await using stage = stageOf([
			call(1, 'c', 'rg -n "a\u202Eb" src'),
			result(2, 'c', 'found\n'),
			say(3, 'The answer.'),
		])
		const screen = await opened(stage)
		await screen.press('y')
		expect(screen.text()).toContain('Copied the answer, 11 bytes')
		await screen.press(keys.tab, 'y')
		expect(screen.text()).toContain('Copied the command,')
		await screen.press(' ', 'y')
		expect(copied(screen)).toEqual([
			'The answer.',
			'rg -n "a\\u202eb" src',
			'rg -n "a\\u202eb" src\nfound',
		])
	})

	test.concurrent('no more than terminals take, and says so; within tmux in both ways', async () => {
		await using stage = stageOf([say(1, 'ä'.repeat(50_000))])
		const screen = await stage.open({ env: { TERM: 'tmux-256color', TMUX: '/tmp/x,1,0' } })
		await screen.press(keys.enter)
		await screen.settled()
		await screen.press('y')
		expect(screen.text()).toMatch(/Copied the answer: 56\.2k bytes of 100k, more/)
		expect(copied(screen)[0]).toBe('ä'.repeat(28_122))
		expect(screen.written).toContain('\u001BPtmux;\u001B\u001B]52;c;')
	})
})

describe('the raw view', () => {
	test.concurrent('shows what the server holds of a message and what it says', async () => {
		await using stage = stageOf([ask(1, 'The prompt.'), say(2, 'The answer.')])
		const screen = await opened(stage, { columns: 120, rows: 40 })
		await screen.press('v')
		await screen.until('raw view of message #1')
		expect(screen.text()).toContain('AAECAwQFBgcICQoLDA0ODxAREhMUFRYX')
		expect(screen.text()).toContain(Buffer.from('sealed 1').toString('base64'))
		expect(screen.text()).toContain('none of its own')
		expect(screen.text()).toContain('"text": "The prompt."')
		await screen.press('.')
		await screen.until('raw view of message #2')
		expect(screen.text()).toContain('"text": "The answer."')
		await screen.press('.')
		await screen.until('There is no message beyond this one.')
		await screen.press(',')
		await screen.until('raw view of message #1')
		await screen.press(keys.escape)
		await screen.until('The answer.')
	})
})

describe('writing to a file', () => {
	test.concurrent('asks for its name and says when it is there', async () => {
		const saved: { path: string; text: string }[] = []
		await using stage = stageOf([ask(1, 'The prompt.'), say(2, 'The answer.')])
		const screen = await stage.open({
			save: async (path, parts) => {
				if (saved.some((one) => one.path === path)) throw new StyrbyError('file_exists', 'It is.')
				let text = ''
				for await (const part of parts) text += part
				saved.push({ path, text })
				return `/home/sam/${path}`
			},
		})
		await screen.press('E')
		await screen.until('in the clear')
		expect(screen.text()).toContain('› api-server-2026-03-04-00000000.md')
		await screen.press(keys.enter)
		await screen.until('2 messages written to /home/sam/api-server-2026-03-04-00000000.md.')
		expect(saved[0]?.text).toContain('The answer.')
		await screen.press('E', keys.enter)
		await screen.until('There is such a file already: choose another name.')
		await screen.press('\u0015', ...type('b.jsonl'), keys.enter)
		await screen.until('2 messages written to /home/sam/b.jsonl.')
		const [first = ''] = saved[1]?.text.split('\n') ?? []
		expect(JSON.parse(first)).toMatchObject({ seq: 1, kind: 'user_prompt', verified: true })
	})
})
