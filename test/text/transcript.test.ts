import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Body, FileChange, SessionEvent } from '../../source/protocol/events.ts'
import { changeLines, diffStats, statsText } from '../../source/text/diff.ts'
import { markdownLines } from '../../source/text/markdown.ts'
import { decodeEntities } from '../../source/text/markdown-inline.ts'
import { commandOutput, firstLine, fold, jsonLines, outputLines } from '../../source/text/plain.ts'
import { requestSummary, subjectText } from '../../source/text/request-summary.ts'
import { displayText, revealText } from '../../source/text/safe-text.ts'
import { lineText, lineWidth, type StyledLine } from '../../source/text/styled.ts'
import {
	formatCount,
	formatDuration,
	formatUsd,
	relativeTime,
	shortTime,
	timeLeft,
} from '../../source/text/time.ts'
import { commandOf, pathOf, restOf, subjectOf, urlOf } from '../../source/text/tool-input.ts'
import { eventToLines, eventToPlainLines, usageText } from '../../source/text/transcript.ts'
import { expectDrawable, hardLines } from './_texts.ts'
import { hostileTexts } from './hostile-text.ts'

const texts = (lines: readonly StyledLine[]) => lines.map((line) => lineText(line).trimEnd())
const md = (raw: string, width = 60) => texts(markdownLines(raw, width))

describe('markdown', () => {
	test('paragraphs, headings, lists, quotes, code and rules', () => {
		expect(md('# Title\n\nSome *soft* and **strong** words.')).toEqual([
			'# Title',
			'',
			'Some soft and strong words.',
		])
		expect(md('- one\n- two\n  - inner')).toEqual(['• one', '• two', '  • inner'])
		expect(md('9. nine\n10. ten')).toEqual([' 9. nine', '10. ten'])
		expect(md('- [x] done\n- [ ] open')).toEqual(['☑ done', '☐ open'])
		expect(md('> said')).toEqual(['│ said'])
		expect(md('```js\nlet a = 1\n```')).toEqual(['  js', '  let a = 1'])
		expect(md('---')).toEqual(['─'.repeat(40)])
		expect(md('| a | b |\n| - | - |\n| 1 | 2 |')).toEqual(['a │ b', '──┼──', '1 │ 2'])
	})

	test('a link shows where it leads, whatever its words say', () => {
		expect(md('[https://bank.example](https://evil.example)')).toEqual([
			'https://bank.example (https://evil.example)',
		])
		expect(md('<https://a.example>')).toEqual(['https://a.example'])
		expect(md('![alt](https://a.example/x.png)')).toEqual(['image alt (https://a.example/x.png)'])
	})

	test('HTML is the text that it is for', () => {
		expect(md('<script>alert(1)</script>')).toEqual(['<script>alert(1)</script>'])
		expect(markdownLines('a <b>c</b>', 60).flat().at(-1)).toMatchObject({
			text: 'c',
			style: 'strong',
		})
		expect(md('a<br>b <kbd>x</kbd>')).toEqual(['a', 'b x'])
		expect(md('<h2 align="center">Top</h2>')).toEqual(['## Top'])
		expect(md('<ul>\n  <li>one</li>\n  <li>two</li>\n</ul>')).toEqual(['• one', '• two'])
		expect(md('<tr><td>a</td><td>b</td></tr>')).toEqual(['a · b'])
		expect(md('| a |\n| - |\n| x<br><b>y</b> |')).toEqual(['a', '───', 'x y'])
		expect(md('<details>\n<summary>More</summary>\n\n- one\n\n</details>')).toEqual([
			'More',
			'',
			'• one',
		])
		expect(md('<p><a href="https://a.example"><img alt=logo src=\'x.png\'></a></p>')).toEqual([
			'image logo (x.png) (https://a.example)',
		])
		expect(md('<!-- not seen elsewhere -->')).toEqual(['(comment: not seen elsewhere)'])
	})

	test('what only looks like HTML stays', () => {
		for (const text of ['a Vec<String> b', 'put it into a <div> there'])
			expect(md(text)).toEqual([text])
		expect(md('put `<br>` there')).toEqual(['put <br> there'])
		expect(md('<T a="b">x</T>')).toEqual(['<T a="b">x</T>'])
		expect(md('<div></div>')).toEqual(['<div></div>'])
	})

	test('HTML made to exhaust a parser is drawn too', () => {
		for (const bomb of [
			'<a '.repeat(600),
			'<b>'.repeat(600) + '</b>'.repeat(600),
			'<li>\n'.repeat(300),
		])
			expectDrawable(markdownLines(bomb, 40), 40)
		for (const { text } of hostileTexts) {
			const html = `<p title="${text}">${text}</p>\n\n<b>${text}</b><img alt="${text}" src="${text}">`
			expectDrawable(markdownLines(html, 40), 40)
		}
	})

	test('character references are cleaned like all other text', () => {
		expect(decodeEntities('&lt;&amp;&gt;&#65;&#x42;&nope;&#0;&#x110000;')).toBe(
			'<&>AB&nope;&#0;&#x110000;',
		)
		for (const reference of ['&#27;[2J', '&#x1b;]0;x&#7;', '&#x202e;x', '&#8203;']) {
			expectDrawable(markdownLines(`a ${reference} b`, 60), 60)
		}
	})

	test('text made to exhaust a parser is shown as it is', () => {
		for (const bomb of [
			'>'.repeat(5000),
			'['.repeat(5000),
			'*a '.repeat(5000),
			`${'- '.repeat(200)}x`,
			'<'.repeat(5000),
			`${'a'.repeat(300_000)}`,
		]) {
			expectDrawable(markdownLines(bomb, 80), 80)
		}
	})

	test('no line is wider than asked', () => {
		const marks = fc.constantFrom(
			'# ',
			'- ',
			'1. ',
			'> ',
			'```\n',
			'| a | b |\n| - | - |\n| ',
			'**',
			'',
		)
		fc.assert(
			fc.property(
				fc.array(fc.tuple(marks, hardLines), { maxLength: 5 }),
				fc.integer({ min: 20, max: 80 }),
				(parts, width) => {
					const raw = parts.map(([mark, text]) => mark + text).join('\n')
					expectDrawable(markdownLines(raw, width), width)
				},
			),
		)
	})
})

const change = (lines: string[], start = 1): FileChange => ({
	path: 'src/a.ts',
	hunks: [
		{
			old_start: start,
			old_lines: lines.filter((line) => !line.startsWith('+')).length,
			new_start: start,
			new_lines: lines.filter((line) => !line.startsWith('-')).length,
			lines,
		},
	],
})

describe('changes', () => {
	test('are numbered and signed', () => {
		expect(texts(changeLines(change([' a', '-b', '+c', ' d']), 40))).toEqual([
			' 1   a',
			' 2 - b',
			' 2 + c',
			' 3   d',
		])
		expect(texts(changeLines(change(['+x'], 120), 40))).toEqual(['@@ −120,0 +120,1 @@', '120 + x'])
		expect(diffStats([change(['-a', '+b', '+c'])])).toEqual({ added: 2, removed: 1 })
		expect(statsText({ added: 2, removed: 1 })).toBe('+2 −1')
	})

	test('words that differ have a style of their own', () => {
		const [removed, added] = changeLines(change(['-return "hello"', '+return "good day"']), 60)
		const marked = (line: StyledLine | undefined, style: string) =>
			line?.filter((one) => one.style === style).map(({ text }) => text)
		expect(marked(removed, 'removedWord')?.join('')).toContain('hello')
		expect(marked(added, 'addedWord')?.join('')).toContain('good day')
		expect(marked(added, 'addedWord')?.join('')).not.toContain('return')
	})

	test('every character of what is decided on is there', () => {
		fc.assert(
			fc.property(hardLines, fc.integer({ min: 12, max: 60 }), (raw, width) => {
				const one = raw.replaceAll(/[\n\t]/g, ' ')
				const lines = changeLines(change([`+${one}`]), width, { numbers: false })
				expect(lines.map((line) => lineText(line).slice(2)).join('')).toBe(revealText(one))
				expectDrawable(lines, width)
			}),
		)
	})

	test('a line without a sign is shown whole', () => {
		expect(texts(changeLines(change(['rm -rf x']), 40))).toEqual([' 1   rm -rf x'])
	})
})

describe('output and data', () => {
	test('what a command overwrote is gone', () => {
		expect(outputLines('10%\r50%\r100%\ndone\n\n')).toEqual(['100%', 'done'])
		expect(outputLines('a\r\nb\r\n')).toEqual(['a', 'b'])
	})

	test('folds the middle, and never to save one line', () => {
		expect(fold([1, 2, 3, 4], 3)).toEqual({ head: [1, 2, 3, 4], hidden: 0, tail: [] })
		expect(fold([1, 2, 3, 4, 5, 6], 3)).toEqual({ head: [1, 2], hidden: 3, tail: [6] })
		const output = texts(commandOutput('1\n2\n3\n4\n5\n6\n7', 40, { limit: 3 }))
		expect(output).toEqual(['1', '2', '… +4 lines', '7'])
	})

	test('JSON whole, when it is to be decided on', () => {
		const value = { a: 'x\u202ey', list: Array.from({ length: 50 }, (_, n) => n) }
		const lines = jsonLines(value, 30)
		expectDrawable(lines, 30)
		expect(texts(lines).join('')).toContain('\\u202e')
		expect(lines.length).toBeGreaterThan(50)
		expect(texts(jsonLines(value, 30, 6))).toContainEqual(expect.stringMatching(/^… \+\d+ lines$/))
		expect(texts(jsonLines(undefined, 30))).toEqual(['null'])
	})

	test('the first line says that there are more', () => {
		expect(firstLine(displayText('a\nb'))).toBe('a …')
		expect(firstLine(displayText('a\n \n'))).toBe('a')
	})
})

describe('what a call is about', () => {
	test('commands, as text or as words', () => {
		expect(commandOf({ command: 'ls' })).toBe('ls')
		expect(commandOf({ cmd: 'ls' })).toBe('ls')
		expect(commandOf({ command: ['bash', '-lc', 'rm -rf x'] })).toBe('rm -rf x')
		expect(commandOf({ command: ['/usr/bin/zsh', '-c', 'ls'] })).toBe('ls')
		// What else would run, or be different, is shown.
		expect(commandOf({ command: ['/p/bash', '-lc', 'ls'] })).toBe('/p/bash -lc ls')
		expect(commandOf({ command: ['./sh', '-c', 'ls'] })).toBe('./sh -c ls')
		expect(commandOf({ command: ['sh', '-c', 'ls', 'x'] })).toBe('sh -c ls x')
		expect(commandOf({ command: ['bash', '-ic', 'ls'] })).toBe('bash -ic ls')
		expect(restOf({ command: 'ls', cmd: 'rm x' }, { command: true, changes: [] })).toEqual({
			cmd: 'rm x',
		})
		expect(commandOf({ command: ['rm', "it's here"] })).toBe("rm 'it'\\''s here'")
		expect(commandOf({ command: ['rm', 5] })).toBeNull()
		for (const odd of [null, 5, 'ls', [], { command: 5 }, {}]) expect(commandOf(odd)).toBeNull()
	})

	test('paths, addresses, subjects, and the rest', () => {
		expect(pathOf({ file_path: 'a', path: 'b' })).toBe('a')
		expect(urlOf({ url: 'https://a' })).toBe('https://a')
		expect(subjectOf({ query: 'q' })).toBe('q')
		expect(restOf({ command: 'ls', timeout: 5 }, { command: true, changes: [] })).toEqual({
			timeout: 5,
		})
		expect(restOf({ command: 'ls' }, { command: true, changes: [] })).toBeNull()
		const hunk = {
			old_start: 1,
			old_lines: 1,
			new_start: 1,
			new_lines: 1,
			lines: ['-x', '+y', '+z'],
		}
		const shown = { command: false, changes: [{ path: 'a', hunks: [hunk] }] }
		expect(restOf({ file_path: 'a', mode: 1 }, shown)).toEqual({ mode: 1 })
		expect(restOf({ file_path: 'a', old_string: 'x', new_string: 'y\nz\n' }, shown)).toBeNull()
		expect(restOf({ edits: [{ old_string: 'x', new_string: 'z' }] }, shown)).toBeNull()
		// What the change does not show is shown beside it, whatever it is called.
		for (const other of [
			{ file_path: 'b' },
			{ new_string: 'yz' },
			{ content: 'w' },
			{ more: 'y' },
		]) {
			expect(restOf(other, shown)).toEqual(other)
		}
		expect(restOf({ paths: ['a', 'b'] }, shown)).toEqual({ paths: ['a', 'b'] })
	})

	test('on one line', () => {
		expect(requestSummary({ tool: 'Bash', input: { command: 'ls\nrm x' } })).toBe('$ ls …')
		expect(requestSummary({ tool: 'Edit', input: { file_path: 'src/a.ts' } })).toBe('Edit src/a.ts')
		expect(requestSummary({ tool: 'X', input: {} })).toBe('X')
		expect(subjectText({ odd: 1 })).toBe('{"odd":1}')
	})
})

describe('times, counts and money', () => {
	const now = Date.parse('2026-03-04T12:00:00.000Z')
	test.each([
		[0, 'now'],
		[59_000, 'now'],
		[60_000, '1m'],
		[3 * 3600_000, '3h'],
		[4 * 86_400_000, '4d'],
		[20 * 86_400_000, '2w'],
		[800 * 86_400_000, '2y'],
		[-30_000, 'now'],
		[-5 * 60_000, 'in 5m'],
	])('%d ms ago', (age, text) => expect(relativeTime(now - age, now)).toBe(text))

	test('what is no time or number is a question mark', () => {
		expect(relativeTime('never', now)).toBe('?')
		expect(timeLeft('never', now)).toBe('?')
		expect(shortTime('never')).toBe('?')
		for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
			expect([formatDuration(odd), formatCount(odd), formatUsd(odd)]).toEqual(['?', '?', '?'])
		}
		expect(formatDuration(-1)).toBe('?')
	})

	test('short forms', () => {
		const left = (ms: number) => timeLeft(new Date(now + ms).toISOString(), now)
		expect([left(299_000), left(3720_000), left(-1)]).toEqual(['4:59', '1h 02m', '0:00'])
		const duration = [40, 200, 12_000, 180_000, 3_900_000].map(formatDuration)
		expect(duration).toEqual(['40 ms', '0.2 s', '12 s', '3 min', '1 h 05 min'])
		const counts = [999, 1234, 12_400, 124_000, 1_200_000, 3e9, 5e12].map(formatCount)
		expect(counts).toEqual(['999', '1.2k', '12.4k', '124k', '1.2M', '3.0G', '5000G'])
		const money = [0, 0.42, 12.3, 0.004, 0.0001].map(formatUsd)
		expect(money).toEqual(['$0.00', '$0.42', '$12.30', '$0.004', '<$0.001'])
		expect(shortTime('2026-01-31T14:05:59Z')).toBe('2026-01-31 14:05')
	})

	test('the steps between units leave no gap', () => {
		fc.assert(
			fc.property(fc.double({ min: 0, max: 1e15, noNaN: true }), (value) => {
				for (const text of [formatDuration(value), formatCount(value), formatUsd(value)]) {
					expect(text).not.toMatch(/NaN|undefined|Infinity|e\+/)
				}
			}),
		)
	})
})

/** One event of each kind that carries text, with this text wherever text can be. */
function events(text: string): SessionEvent[] {
	const hunk = change([` ${text}`, `-${text}`, `+${text}x`])
	const request: Body<'permission_request'> = {
		request: '00000000-0000-4000-8000-000000000001',
		tool: text,
		tool_use: null,
		input: { command: text },
		description: text,
		cwd: text,
		reason: text,
		changes: [{ ...hunk, path: text }],
		session_rules: [{ tool: text, rule: text }],
		questions: null,
		expires_at: text,
	}
	return [
		{ kind: 'user_prompt', body: { text, source: 'agent' } },
		{ kind: 'agent_response', body: { text, block: null, model: null, parent: null } },
		{ kind: 'agent_thinking', body: { text, block: null, parent: null } },
		{
			kind: 'tool_use',
			body: { tool_use: text, name: text, input: { command: text }, parent: null },
		},
		{
			kind: 'tool_use',
			body: { tool_use: text, name: text, input: { file_path: text }, parent: null },
		},
		{
			kind: 'tool_use',
			body: { tool_use: text, name: text, input: { [text]: [text, { text }] }, parent: null },
		},
		{
			kind: 'tool_result',
			body: {
				tool_use: text,
				ok: false,
				text,
				exit_code: 1,
				duration_ms: 5,
				changes: [{ ...hunk, path: text }],
				parent: null,
			},
		},
		{ kind: 'permission_request', body: request },
		{ kind: 'permission_request', body: { ...request, input: { [text]: text }, changes: [] } },
		{
			kind: 'permission_request',
			body: {
				...request,
				questions: [
					{
						question: text,
						header: text,
						options: [{ label: text, description: text }],
						multiple: false,
					},
				],
			},
		},
		{
			kind: 'permission_response',
			body: {
				request: request.request,
				result: 'denied',
				by: 'device',
				device: text,
				scope: null,
				reason: text,
				command: null,
			},
		},
		{ kind: 'status', body: { status: 'error', detail: text, applied: null } },
		{ kind: 'error', body: { code: text, text } },
		{ kind: 'system', body: { type: text, text, data: text } },
		{ kind: 'system', body: { type: 'notice', text, data: null } },
	]
}

describe('every event, whatever is in it', () => {
	test.each(hostileTexts)('hostile text: $id', ({ text }) => {
		for (const event of events(text)) {
			for (const width of [24, 80]) {
				const lines = eventToLines(event, width, { deviceName: () => text })
				expectDrawable(lines, width)
				expect(eventToPlainLines(event, width, { deviceName: () => text })).toEqual(
					lines.map(lineText),
				)
			}
			if (event.kind !== 'tool_use' && event.kind !== 'permission_request') continue
			const call = 'name' in event.body ? { ...event.body, tool: event.body.name } : event.body
			expect(requestSummary(call)).not.toMatch(/[\n\r]/)
		}
	})

	test('hard text is never wider than asked', () => {
		fc.assert(
			fc.property(hardLines, fc.integer({ min: 24, max: 100 }), (text, width) => {
				for (const event of events(text)) expectDrawable(eventToLines(event, width), width)
			}),
			{ numRuns: 60 },
		)
	})

	test('a command that is asked for is shown whole', () => {
		fc.assert(
			fc.property(hardLines, fc.integer({ min: 24, max: 100 }), (command, width) => {
				const request = events('x').find(({ kind }) => kind === 'permission_request')
				if (request?.kind !== 'permission_request') throw new Error('there is none')
				const body = { ...request.body, input: { command }, changes: [], session_rules: [] }
				const shown = eventToPlainLines({ kind: 'permission_request', body }, width)
				// Each further line stands behind four columns: the card's two and those of the mark.
				const bare = shown.map((line) => line.slice(4)).join('')
				for (const line of revealText(command).split('\n')) expect(bare).toContain(line)
			}),
		)
	})
})

test('usage says what was used, and nothing else', () => {
	const usage: Body<'usage'> = {
		message: null,
		model: null,
		input: 12_400,
		output: 300,
		cache_read: 1_200_000,
		cache_write: 0,
		cost_usd: 0.42,
		cost_source: 'agent',
	}
	expect(usageText(usage)).toBe('12.4k in · 300 out · 1.2M cached · $0.42')
	expect(usageText({ ...usage, input: 0, output: 0, cache_read: 0 })).toBe('$0.42')
	expect(usageText({ ...usage, cache_read: 0, cost_usd: null })).toBe('12.4k in · 300 out')
	expect(lineWidth([])).toBe(0)
})
