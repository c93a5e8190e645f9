import { rmSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { decide } from '../../source/policy/decide.ts'
import type { PolicyAnswer } from '../../source/policy/rule.ts'
import { answerTo, asking, makeSurroundings, rulesOf, running } from './_policy.ts'

const around = makeSurroundings()
afterAll(() => rmSync(around.root, { recursive: true }))

const rules = rulesOf(
	{ answer: 'allow', command: ['npm test', 'git status *', 'ls *', 'echo *', 'true'] },
	{ answer: 'ask', command: 'git commit' },
	{ answer: 'deny', command: 'rm -rf' },
)

interface Shell {
	text: string
	answer: PolicyAnswer
}
const order = ['allow', 'ask', 'deny'] as const
const worst = (...answers: PolicyAnswer[]) =>
	order[Math.max(...answers.map((answer) => order.indexOf(answer)))] ?? 'ask'

const leaf: fc.Arbitrary<Shell> = fc.oneof(
	...(
		[
			...['npm test', 'git status -s', 'ls src', "echo 'a;b'", 'true', 'echo "x y"'].map((text) => [
				text,
				'allow',
			]),
			...['whoami', 'npm install', 'git commit -m x', './ls', 'ls $X', 'X=1 true'].map((text) => [
				text,
				'ask',
			]),
			...['rm -rf x', 'rm x -fr', '/bin/rm -r -f x', 'sudo rm -rf /'].map((text) => [text, 'deny']),
		] as const
	).map(([text = '', answer]) => fc.constant({ text, answer: answer as PolicyAnswer })),
)

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

/** Commands put together in the ways of a shell; the worst part decides. */
const { shell } = fc.letrec<{ shell: Shell; pair: Shell; one: Shell }>((tie) => ({
	shell: fc.oneof({ maxDepth: 3, withCrossShrink: true }, leaf, tie('pair'), tie('one')),
	pair: fc
		.tuple(
			tie('shell'),
			tie('shell'),
			fc.constantFrom(' && ', ' || ', '; ', ' | ', '\n', ' & ', ' |& '),
		)
		.map(([a, b, between]) => ({
			text: `{ ${a.text}\n}${between}{ ${b.text}\n}`,
			answer: worst(a.answer, b.answer),
		})),
	one: fc
		.tuple(
			tie('shell'),
			fc.constantFrom<(text: string) => string>(
				(text) => `(${text}\n)`,
				(text) => `if ${text}\nthen true; fi`,
				(text) => `while true; do ${text}\ndone`,
				(text) => `echo $(${text}\n)`,
				(text) => `echo "a $(${text}\n)"`,
				(text) => `bash -c ${quoted(text)}`,
				(text) => `timeout 5 sh -c ${quoted(text)}`,
			),
		)
		.map(([inner, around]) => ({ ...inner, text: around(inner.text) })),
}))

test('a command is answered as its worst part is', () => {
	fc.assert(
		fc.property(shell, ({ text, answer }) => {
			// Too deep to be looked into is asked, or denied where it was seen before.
			const verdict = decide(rules, running(text), around)
			if (verdict.obstacles.some((one) => one.includes('too deep'))) {
				expect(verdict.answer).not.toBe('allow')
			} else expect(verdict.answer, text).toBe(answer)
		}),
		{ numRuns: 400 },
	)
})

test('another command in a list never turns an answer into a wider one', () => {
	fc.assert(
		fc.property(
			fc.array(leaf, { minLength: 1, maxLength: 6 }),
			leaf,
			fc.nat(),
			(list, added, at) => {
				const text = (parts: Shell[]) => parts.map((part) => part.text).join(' && ')
				const before = answerTo(rules, running(text(list)), around)
				const after = answerTo(rules, running(text(list.toSpliced(at % 7, 0, added))), around)
				expect(order.indexOf(after)).toBeGreaterThanOrEqual(order.indexOf(before))
			},
		),
		{ numRuns: 200 },
	)
})

test('another rule that denies or asks never makes an answer wider', () => {
	const more = fc.constantFrom(
		{ answer: 'deny', command: 'ls' },
		{ answer: 'ask', path: '**' },
		{ answer: 'deny', tool: 'Bash' },
		{ answer: 'ask', agent: 'claude' },
		{ answer: 'deny', folder: '~/**' },
		{ answer: 'ask', path: 'x', access: 'write' },
	)
	fc.assert(
		fc.property(shell, more, ({ text }, rule) => {
			const before = answerTo(rules, running(text), around)
			const after = answerTo([...rulesOf(rule), ...rules], running(text), around)
			expect(order.indexOf(after)).toBeGreaterThanOrEqual(order.indexOf(before))
		}),
		{ numRuns: 200 },
	)
})

const anything = fc.oneof(
	fc.string({ unit: 'binary', maxLength: 200 }),
	fc
		.array(
			fc.constantFrom(
				...['ls', 'echo', ' ', '\n', ';', '&', '|', '(', ')', '{', '}', '<', '>', '"', "'", '`'],
				...[
					'$',
					'$(',
					'\\',
					'#',
					'*',
					'?',
					'[',
					']',
					'!',
					'~',
					'=',
					'EOF',
					'<<',
					'rm',
					'-rf',
					'-c',
				],
				...['bash', 'x', '\t', '\r', '\u00a0', '\0', '${', '$((', 'if', 'then', 'fi', 'do', 'done'],
			),
			{ maxLength: 40 },
		)
		.map((parts) => parts.join('')),
)

test('whatever an agent asks for, there is an answer', () => {
	const all = [
		...rules,
		...rulesOf(
			{ answer: 'allow', path: ['**/*.ts', 'src/**'] },
			{ answer: 'deny', path: '**/{a,b}*c*d*', tool: '*a*b*' },
		),
	]
	fc.assert(
		fc.property(
			anything,
			fc.anything({ maxDepth: 3 }),
			fc.constantFrom('Bash', 'Edit', 'Read', 'x'),
			fc.boolean(),
			(text, value, tool, plain) => {
				const input = plain
					? { command: text, file_path: text }
					: { command: value, path: value, changes: [value] }
				const ask = { tool, input, cwd: plain ? null : text, changes: [{ path: text, hunks: [] }] }
				expect(order).toContain(answerTo(all, asking(ask), around))
			},
		),
		{ numRuns: 600 },
	)
})

test('no text makes an answer take long', () => {
	const stars = rulesOf(
		{ answer: 'deny', command: 'ls *a*b*c*d*e*' },
		{ answer: 'deny', tool: '*a*b*c*d*e*f' },
		{ answer: 'deny', path: '**/*a*/**/*b*/**/c' },
	)
	const long = 'abcde'.repeat(9000)
	const path = 'ab/'.repeat(1300)
	// It would take hours where it is not bounded: then the test does not end.
	expect(answerTo(stars, running(`ls ${long}`), around)).toBe('deny')
	expect(answerTo(stars, asking({ tool: long, input: {} }), around)).toBe('ask')
	expect(answerTo(stars, asking({ tool: 'Read', input: { path } }), around)).toBe('ask')
})
