import { describe, expect, test } from 'vitest'
import { parsePolicy } from '../../source/policy/policy.ts'
import { ruleText } from '../../source/policy/rule.ts'
import { rulesOf } from './_policy.ts'

const parse = (text: string) => parsePolicy(new TextEncoder().encode(text))
const problems = (text: string) => {
	const parsed = parse(text)
	return parsed.ok ? [] : parsed.problems.map(({ line, problem }) => `${line}: ${problem}`)
}
const ofRule = (rule: string) => problems(`{"rules": [\n${rule}\n]}`)

describe('a policy file', () => {
	test('is JSON with comments and trailing commas', () => {
		const parsed = parse(`\ufeff// mine
{
	/* all of them */
	"rules": [
		{ "answer": "allow", "command": "npm test" }, // the tests
		{
			"answer": "deny",
			"tool": ["Bash", "shell"],
			"reason": "no",
		},
	],
}
`)
		expect(parsed).toMatchObject({
			ok: true,
			policy: {
				rules: [
					{ answer: 'allow', command: ['npm test'], line: 5 },
					{ answer: 'deny', tool: ['Bash', 'shell'], reason: 'no', line: 6 },
				],
				digest: expect.stringMatching(/^[0-9a-f]{64}$/),
			},
		})
		expect(parse('{"rules": []}').ok).toBe(true)
	})

	test.each([
		['', '1: '],
		['{', '1: '],
		['{"rules": [\n{"answer": "allow" "tool": "x"}]}', '2: '],
		['[]', '1: has to be an object with "rules"'],
		['{}', '1: "rules" has to be a list'],
		['{"rules": {}}', '1: "rules" has to be a list'],
		['{"rules": [],\n "rule": []}', '2: "rule" is not known: there is only "rules"'],
		['{"rules": [],\n "rules": [{"answer":"ask"}]}', '2: "rules" is there twice'],
		['{"rules": [1]}', '1: a rule has to be an object'],
		[`{"rules": ${'['.repeat(100_000)}`, '1: is nested too deep'],
	])('that is none says in which line: %j', (text, problem) => {
		expect(
			problems(text).some((one) => one.startsWith(problem)),
			problems(text).join(),
		).toBe(true)
	})

	test('that is not UTF-8 is none', () => {
		expect(parsePolicy(Uint8Array.of(0x7b, 0xff, 0x7d))).toEqual({
			ok: false,
			problems: [{ line: 1, problem: 'is not UTF-8 text' }],
		})
	})

	test.each([
		['{"command": "ls"}', '2: a rule has to have "answer"'],
		['{"answer": "alow", "command": "ls"}', '2: "answer" is wrong'],
		['{"answer": "allow",\n "comand": "ls", "tool": "x"}', '3: "comand" is not known'],
		['{"answer": "allow", "answer": "deny", "tool": "x"}', '2: "answer" is there twice'],
		['{"answer": "allow", "__proto__": {}, "tool": "x"}', '2: "__proto__" is not known'],
		['{"answer": "allow"}', '2: a rule that allows has to say what'],
		['{"answer": "allow", "agent": "claude"}', '2: a rule that allows has to say what'],
		['{"answer": "allow", "folder": "~/x"}', '2: a rule that allows has to say what'],
		['{"answer": "allow", "agent": "claud", "tool": "x"}', '2: "agent" is wrong'],
		['{"answer": "allow", "command": []}', '2: "command" is wrong'],
		['{"answer": "allow", "command": ""}', '2: "command" is wrong'],
		['{"answer": "allow", "command": 1}', '2: "command" is wrong'],
		['{"answer": "allow", "command": "ls", "path": "x"}', '2: a rule is about a "command" or'],
		['{"answer": "allow", "command": "ls", "access": "read"}', '2: "access" goes with "path" only'],
		['{"answer": "deny", "command": "ls", "even": "high"}', '2: "even" goes with'],
		['{"answer": "allow", "command": "ls", "even": "medium"}', '2: "even" is wrong'],
		['{"answer": "allow", "command": "ls", "reason": "x"}', '2: "reason" is what the agent'],
		[
			'{"answer": "allow",\n"command": "ls && rm x"}',
			'3: "command" "ls && rm x" is not one simple',
		],
		['{"answer": "allow", "command": "ls > x"}', '2: "command" "ls > x" is not one simple'],
		['{"answer": "allow", "command": "ls | x"}', '2: "command" "ls | x" is not one simple'],
		['{"answer": "allow", "command": "ls &"}', '2: "command" "ls &" is not one simple'],
		['{"answer": "allow", "command": "A=1 ls"}', '2: "command" "A=1 ls" is not one simple'],
		['{"answer": "allow", "command": "ls $X"}', '2: "command" "ls $X" has parts that a shell'],
		['{"answer": "allow", "command": "ls $(x)"}', '2: "command" "ls $(x)" has parts that a shell'],
		['{"answer": "allow", "command": "ls \'"}', '2: "command" "ls \'" is not one simple'],
		['{"answer": "allow", "command": "git* x"}', '2: "command" "git* x" has a program that'],
		['{"answer": "allow", "command": "* x"}', '2: "command" "* x" has a program that'],
		['{"answer": "allow", "path": "../x"}', '2: "path" "../x" has ".." in it'],
		['{"answer": "allow", "path": "!x"}', '2: "path" "!x" begins with "!"'],
		['{"answer": "allow", "path": "~bob/x"}', '2: "path" "~bob/x" names the home of another user'],
		['{"answer": "deny", "folder": "a\\\\b"}', '2: "folder" "a\\\\b" has a backslash'],
	])('with the rule %s is none', (rule, problem) => {
		expect(
			ofRule(rule).some((one) => one.startsWith(problem)),
			ofRule(rule).join('\n'),
		).toBe(true)
	})

	test('names all its problems, in their order', () => {
		expect(ofRule('{"answer": "no"},\n{"answer": "allow"},\n{"answer": "ask", "x": 1}')).toEqual([
			expect.stringMatching(/^2: "answer"/),
			expect.stringMatching(/^3: a rule that allows/),
			expect.stringMatching(/^4: "x" is not known/),
		])
	})
})

test('a rule is told in one line', () => {
	const texts = rulesOf(
		{ answer: 'allow', command: ['npm test', 'npm run *'], agent: 'claude' },
		{ answer: 'deny', path: '~/x/**', access: 'write', folder: '/srv/*', reason: 'no' },
		{ answer: 'allow', tool: 'WebSearch', even: 'high' },
		{ answer: 'ask' },
	).map(ruleText)
	expect(texts).toEqual([
		'allow agent "claude", command "npm test" or "npm run *" (line 2)',
		'deny path "~/x/**", folder "/srv/*", access write (line 3)',
		'allow tool "WebSearch", even of high risk (line 4)',
		'ask (line 5)',
	])
})
