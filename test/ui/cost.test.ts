/** The cost screen: what it shows, and that its keys are all one needs. */
import { expect, test } from 'vitest'
import { StyrbyError } from '../../source/protocol/errors.ts'
import { costCsv } from '../../source/viewer/cost-csv.ts'
import { dayOf, dayStart } from '../../source/viewer/cost-table.ts'
import { spentOn } from './_cost.ts'
import { keys } from './_screen.ts'
import { twoWaiting } from './_stage.ts'
import { now } from './_viewer.ts'

const day = (before: number) => dayOf(dayStart(now, before))

function spending() {
	const stage = twoWaiting()
	stage.viewer.cost.show([
		spentOn(day(0), { costUsd: 4 }),
		spentOn(day(0), { costUsd: 1, model: 'haiku' }),
		spentOn(day(1), { costUsd: 2, agent: 'codex', model: 'gpt', project: null }),
		spentOn(day(20), { costUsd: 90, project: 'long-ago' }),
	])
	return stage
}

test('shows a bar a day, the longest for the dearest, and the highlighted one in full', async () => {
	await using stage = spending()
	const screen = await stage.open({ columns: 100, rows: 30 })
	await screen.press('$')
	const text = await screen.until('$7.00')
	expect(text).toContain('[7 days]')
	expect(text).not.toContain('$90')
	const bars = screen.lines().filter((line) => line.includes('█'))
	const length = (line: string | undefined) => line?.match(/[█▌]+/)?.[0].length ?? 0
	expect(bars[0]).toContain('$5.00')
	expect(bars[1]).toContain('$2.00')
	expect(Math.abs(length(bars[1]) - length(bars[0]) * 0.4)).toBeLessThan(1)
	expect(text).toContain('71 % of all shown')
	expect(text).toMatch(/model +opus .*\$4\.00/)
	await screen.press(keys.down)
	expect(await screen.until('29 % of all shown')).toMatch(/project +\(no project\)/)
})

test('goes through what to go by with tab, through times with r, each said in brackets', async () => {
	await using stage = spending()
	const { cost } = stage.viewer
	const screen = await stage.open({ columns: 100, rows: 30 })
	await screen.press('$')
	expect(cost.asked).toEqual([{ since: dayStart(now, 6), again: true }])
	for (const [name, first] of [
		['[agent]', 'claude'],
		['[project]', 'api-server'],
		['[model]', 'opus'],
		['[day]', '$5.00'],
	] as const) {
		await screen.press(keys.tab)
		const text = await screen.until(name)
		expect(text.split('\n').find((line) => line.includes('▸'))).toContain(first)
	}
	await screen.press('r')
	expect(await screen.until('[30 days]')).toContain('$97.00')
	expect(cost.asked.at(-1)).toEqual({ since: dayStart(now, 29), again: false })
	await screen.press('r', 'r')
	await screen.until('[all]')
	expect(cost.asked.at(-1)).toEqual({ since: null, again: false })
	await screen.press('r')
	expect(await screen.until('[today]')).toContain('$5.00')
	await screen.press(keys.escape)
	await screen.until('sessions')
})

test('shows tokens where nothing has a price, or where one wants that', async () => {
	await using stage = spending()
	const screen = await stage.open({ columns: 100, rows: 30 })
	await screen.press('$', 'm')
	expect(await screen.until('tokens  ')).toMatch(/▸\S+ \d+ \S+ +█+ +49\.0k +\$5\.00/)
	stage.viewer.cost.show([spentOn(day(0), { costUsd: 0, unpriced: 10 })])
	await screen.press('m')
	const text = await screen.until('⚠ 10 of them have no price')
	expect(text).toMatch(/█+ +24\.5k +\?/)
})

test('says how far it has read, what it does not count, and why it stopped', async () => {
	await using stage = spending()
	const { cost } = stage.viewer
	const screen = await stage.open({ columns: 100, rows: 30 })
	await screen.press('$')
	cost.state.update((state) => ({
		...state,
		reading: true,
		rows: 1500,
		reached: new Date(dayStart(now, 3)).toISOString(),
	}))
	await screen.until(`… reading: 1500 replies, back to ${day(3)}`)
	cost.state.update((state) => ({
		...state,
		reading: false,
		problems: 2,
		problem: 'not signed by \u001b[31mthe\u202e host',
		error: 'The backend is out of reach.',
	}))
	const text = await screen.until('✗ The backend is out of reach.')
	expect(text).toContain('✗ 2 replies are not counted: not signed by \\x1b[31mthe\\u202e host')
	cost.show([], { problems: 0, error: null })
	await screen.until('Nothing was spent in this time')
})

test('writes what is shown to a file, and asks for another name where there is one', async () => {
	await using stage = spending()
	const files = new Map<string, string>([['taken.csv', '']])
	const save = async (path: string, parts: AsyncIterable<string>) => {
		if (files.has(path)) throw new StyrbyError('file_exists', 'It is there.')
		let text = ''
		for await (const part of parts) text += part
		files.set(path, text)
		return `/home/sam/${path}`
	}
	const screen = await stage.open({ columns: 100, rows: 30, save })
	await screen.press('$', keys.tab, 'E')
	await screen.until('styrby-cost-by-agent.csv')
	await screen.press('\u0015')
	await screen.press(...'taken.csv')
	await screen.press(keys.enter)
	await screen.until('choose another name')
	await screen.press('\u0015')
	await screen.press(...'mine.csv')
	await screen.press(keys.enter)
	await screen.until('2 rows written to /home/sam/mine.csv')
	expect(files.get('mine.csv')).toBe(
		'agent,responses,input,output,cache_read,cache_write,cost_usd,unpriced\r\n' +
			'claude,20,2000,1000,40000,6000,5,0\r\ncodex,10,1000,500,20000,3000,2,0\r\n',
	)
})

test('a name that a spreadsheet would take for a formula is text in the file', () => {
	const group = { ...spentOn(day(0)), values: ['=HYPERLINK("x")', 'a,"b"\u001b[2J'] }
	const [, row] = costCsv(['project', 'model'], [group]).split('\r\n')
	expect(row).toBe(`"'=HYPERLINK(""x"")","a,""b""\\x1b[2J",10,1000,500,20000,3000,1,0`)
})
