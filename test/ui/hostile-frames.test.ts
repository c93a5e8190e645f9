/** Text of agents, servers and other devices on every frame there is: none of it acts, or leaves its place. */
import { expect, test } from 'vitest'
import { lineText, lineWidth, type StyledLine } from '../../source/text/styled.ts'
import { composeFrame } from '../../source/ui/compose.ts'
import { type Frame, inputRows } from '../../source/ui/frame.ts'
import { defaultKeymap } from '../../source/ui/keymap/keymap.ts'
import { initialState, type Screen, type Size, startOfTranscript } from '../../source/ui/state.ts'
import { hostileTexts } from '../text/hostile-text.ts'
import { hostileData, hostileScreens, hostileState } from './_hostile.ts'
import { now, uuid } from './_viewer.ts'

const small: Size = { columns: 40, rows: 15 }
const larger: readonly Size[] = [
	{ columns: 80, rows: 24 },
	{ columns: 120, rows: 40 },
]

/** All at the size where each place is tightest, and by turns at one of the others. */
const cases = hostileTexts.map((hostile, index) => ({
	...hostile,
	sizes: [small, ...larger.filter((_, turn) => turn === index % larger.length)],
}))

const acting =
	/[\p{Cc}\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\u00ad\u{e0000}-\u{e0fff}]/u

/** All lines of a frame, each with the columns that it may take. */
function linesOf(frame: Frame): [string, StyledLine, number][] {
	const { columns } = frame.size
	const { input } = frame
	return [
		['header', frame.header, columns],
		...frame.notices.map((line): [string, StyledLine, number] => ['notice', line, columns]),
		...frame.keys.map((line): [string, StyledLine, number] => ['keys', line, columns]),
		...(input ? [...input.label, ...input.text] : []).map((line): [string, StyledLine, number] => [
			'input',
			line,
			columns,
		]),
		['footer', frame.footer, columns],
		...frame.panes.flatMap(({ title, rows, width }): [string, StyledLine, number][] => [
			// It is cut where it is drawn.
			['title', title, Number.POSITIVE_INFINITY],
			...rows.map(({ line }): [string, StyledLine, number] => ['row', line, width]),
		]),
	]
}

function check(frame: Frame, what: string): void {
	for (const [place, line, width] of linesOf(frame)) {
		const text = lineText(line)
		if (acting.test(text) || !text.isWellFormed() || lineWidth(line) > width) {
			expect(
				`${place} of ${lineWidth(line)} in ${width} columns: ${JSON.stringify(text).slice(0, 150)}`,
				what,
			).toBe('')
		}
	}
	const { size, panes, input, notices, keys, direction } = frame
	const heights = panes.map(({ height }) => height + 1)
	const body = direction === 'row' ? Math.max(0, ...heights) : heights.reduce((a, b) => a + b, 0)
	expect(2 + notices.length + body + inputRows(input) + keys.length, what).toBeLessThanOrEqual(
		size.rows,
	)
}

function frameOf(
	screens: readonly Screen[],
	data: ReturnType<typeof hostileData>[number],
	size: Size,
	unfold: boolean,
): Frame {
	const ui = initialState(size)
	const known = new Map(
		[uuid(1)].map((id) => [
			id,
			{
				...startOfTranscript,
				fold: unfold ? ('all' as const) : ('folded' as const),
				anchor: unfold ? { key: 'm1', line: 0 } : null,
			},
		]),
	)
	return composeFrame({
		ui: {
			...ui,
			...(data.open ? hostileState(data.info.device.name, data.open.state) : {}),
			cost: { ...ui.cost, by: 'model' },
			screens: [{ name: 'sessions' }, ...screens],
			transcripts: known,
		},
		data,
		now,
		banner: null,
		jumpScroll: false,
		attention: { unread: () => 0 },
		keymap: defaultKeymap,
	})
}

test.each(cases)('$id ($why) on every screen', ({ id, text, sizes }) => {
	const [first, ...acts] = hostileData(text)
	if (!first) throw new Error('no data')
	for (const size of sizes) {
		for (const [name, screens] of Object.entries(hostileScreens(text))) {
			for (const screen of screens) {
				const under: Screen[] =
					name === 'session' || 'session' in screen
						? [{ name: 'session', session: uuid(1) }]
						: [{ name: 'permissions' }]
				for (const data of name === 'act' ? acts : [first]) {
					for (const unfold of name === 'session' ? [false, true] : [false]) {
						check(
							frameOf([...under, screen], data, size, unfold),
							`${id} on ${name} at ${size.columns}`,
						)
					}
				}
			}
		}
	}
})

test('what is hostile does stand on the screens', () => {
	const [data] = hostileData('needle')
	if (!data) throw new Error('no data')
	const bare = ['interrupt', 'archive', 'revoked', 'access', 'act', 'panic', 'cost']
	for (const [name, screens] of Object.entries(hostileScreens('needle'))) {
		for (const screen of screens) {
			const frame = frameOf(
				[{ name: 'session', session: uuid(1) }, screen],
				data,
				{ columns: 120, rows: 40 },
				false,
			)
			const shown = linesOf(frame)
				.map(([, line]) => lineText(line))
				.join('\n')
			if (!bare.includes(name)) expect(shown, name).toContain('needle')
		}
	}
})
