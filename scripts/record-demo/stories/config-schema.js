import { bash, edit, read, write } from '../tools.js'

const config = `import { readFileSync } from 'node:fs'
import * as v from 'valibot'

const schema = v.object({
	smtp: v.object({
		host: v.pipe(v.string(), v.nonEmpty('must not be empty')),
		port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
	}),
	from: v.pipe(v.string(), v.email('must be an e-mail address')),
	retries: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 3),
})

/** Reads the configuration. Throws one error that names every field that is wrong. */
export function loadConfig(path) {
	const result = v.safeParse(schema, JSON.parse(readFileSync(path, 'utf8')))
	if (result.success) return result.output
	const problems = result.issues.map((issue) => \`\${v.getDotPath(issue)}: \${issue.message}\`)
	throw new Error(\`\${path} is not valid: \${problems.join('; ')}\`)
}
`

export default {
	name: 'config-schema',
	title: 'Validate the configuration with a schema',
	project: 'invoice-mailer',
	branch: 'config-schema',
	startedMinutesAgo: 451,
	allowed: ['Edit', 'Write', 'Bash(npm test)'],
	prompt:
		'"bad config" tells nobody anything. Validate the configuration with a schema library instead of the hand-written ifs, so that the error names the field. A small dependency is fine.',
	answers: [{ decision: 'allow', scope: 'once', waitedMs: 191_000 }],
	turns: [
		[
			{ text: 'Let me see the checks as they are now, and what the tests expect of them.' },
			read('src/config.js'),
			read('test/config.test.js'),
			read('package.json'),
		],
		[
			{
				thinking:
					'Requirements: small, no transitive dependencies, ES modules, good paths in errors. valibot fits: tree-shakeable, zero dependencies. It has to be a runtime dependency, not a development one, because config.js imports it.',
			},
			{
				text: 'Five checks, one message. I suggest **valibot**: no dependencies of its own, and each issue carries the path of the field. Installing needs your permission.',
			},
			bash('npm install valibot', 'Add valibot as a dependency'),
		],
		[
			{ text: 'Installed. Now the schema in place of the checks.' },
			write('src/config.js', config),
			edit(
				'test/config.test.js',
				`test('refuses a configuration without a mail server', () => {
	assert.throws(() => load({ from: valid.from }))
})`,
				`test('refuses a configuration without a mail server, and says so', () => {
	assert.throws(() => load({ from: valid.from }), /smtp: /)
})

test('names every field that is wrong in one error', () => {
	const wrong = { smtp: { host: '', port: 70_000 }, from: 'billing' }
	assert.throws(() => load(wrong), /smtp\\.host: .*smtp\\.port: .*from: must be an e-mail address/)
})`,
			),
		],
		[bash('npm test', 'Run the tests')],
		[bash('git status --short && git diff package.json', 'See what is left to commit')],
		[
			{
				text: `Done; the tests pass, one of them new.

An error now reads like this:

\`\`\`
config.json is not valid: smtp.host: must not be empty; from: must be an e-mail address
\`\`\`

| field | before | now |
| --- | --- | --- |
| \`smtp.host\` | any truthy value | non-empty text |
| \`smtp.port\` | any number, also 0.5 | whole number, 1 to 65535 |
| \`from\` | contains an \`@\` | an e-mail address |
| \`retries\` | not checked | whole number, 0 or more, default 3 |

One thing to know before you merge: a configuration that "worked" with a port such as \`"587"\` in quotes was refused before and still is, but \`retries: -1\` was accepted and is refused now.`,
			},
		],
	],
}
