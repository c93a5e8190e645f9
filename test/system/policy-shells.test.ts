/** What a policy allows is run by real shells: nothing may run there but what a rule allows. */
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findExecutable } from '../../source/agents/executable.ts'
import { answerTo, makeSurroundings, rulesOf, running } from '../policy/_policy.ts'

const run = promisify(execFile)
const around = makeSurroundings()
const rules = rulesOf(
	{ answer: 'allow', command: ['good', 'good *', 'echo *', 'true', 'fine x *', 'cat'] },
	{ answer: 'allow', path: 'out/**' },
)
const allowed = new Set(['good', 'fine', 'cat'])

let tools: string

beforeAll(async () => {
	tools = await realpath(await mkdtemp(join(tmpdir(), 'policy-tools-')))
	for (const name of ['good', 'fine', 'bad', 'x', 'test', 'rm', 'sh', 'bash', 'cat', 'env']) {
		const file = join(tools, name)
		await writeFile(file, `#!/bin/sh\nprintf '%s\\n' ${name} >> "$RAN"\n`)
		await chmod(file, 0o755)
	}
})
afterAll(async () => {
	await rm(tools, { recursive: true })
	await rm(around.root, { recursive: true })
})

/** Pieces that shells and parsers are known to read differently. */
const piece = fc.constantFrom(
	...['good', 'good', 'good a', 'echo', 'echo x', 'true', 'bad', 'bad', 'fine x', 'cat', 'env'],
	...[
		' ',
		' ',
		' ',
		'\n',
		'\n',
		';',
		'&&',
		'||',
		'|',
		'&',
		'|&',
		';;',
		'!',
		'#',
		' # ',
		'\\',
		'\\\n',
	],
	...['; bad', '\nbad', '&& bad', '| bad', '$(bad)', '`bad`', '"$(bad)"', '(bad)', '# bad', ' bad'],
	...['>! ', '&! bad', '&| bad', ';| bad', ' always { bad }', '=(bad)', '*(e:bad:)', '[a](e:bad:)'],
	...[
		"$'a\\' ; bad #'",
		'<1-3>',
		'() { bad }',
		' { bad }',
		'>&| ',
		'\\\r\n',
		'repeat 2 bad',
		'<<\'E\'"F"\n',
	],
	...['(', ')', '{ ', '; }', '{', '}', '$(', '`', '"', "'", "$'", '$"', '\\"', "\\'", '\\`', '\\$'],
	...[
		'<<EOF\n',
		"<<'EOF'\n",
		'<<-EOF\n',
		'\nEOF\n',
		'\n\tEOF\n',
		'<<"E"\n',
		'\nE\n',
		'<<< ',
		'<<\\EOF\n',
	],
	...['> out/a', '>> out/b', '2>&1', '< out/a', '>&2', '&> out/c', '>|out/d', '<>', '2>', '>&-'],
	...[
		'$((',
		'))',
		'((',
		'[[ ',
		' ]]',
		'${',
		'${x:-',
		'${x//',
		'}',
		'$x',
		'$@',
		'$1',
		'*',
		'?',
		'~',
		'=',
	],
	...[
		'if ',
		'; then ',
		'; fi',
		'while ',
		'; do ',
		'; done',
		'case x in x) ',
		' esac',
		'for x in a',
	],
	...[
		'\t',
		'\r',
		'\v',
		'\f',
		'\0',
		'\u00a0',
		'\u2028',
		'\ufeff',
		'x=',
		'x+=(',
		'f()',
		'function f ',
		'-',
	],
	...[
		"$'\\n'",
		"$'\\''",
		"'\\''",
		'"$(',
		')"',
		'"`',
		'`"',
		'\\\\',
		'$(cat <<E\n',
		'\nE\n)',
		'<(',
		'>(',
	],
	...[
		'time ',
		'timeout 5 ',
		'command ',
		'exec ',
		'eval ',
		'nohup ',
		'coproc ',
		'{a,b}',
		'{bad,a}',
		'[a',
	],
)
const script = fc
	.array(piece, { minLength: 1, maxLength: 14 })
	.map((pieces) => `good ${pieces.join('')}`)

/** Of the scripts that can be made of these pieces, those that are allowed. */
function allowedScripts(): string[] {
	const found = new Set<string>()
	const look = (text: string) => {
		// An argument can't hold it; and where nothing bad is in it, nothing bad can run.
		if (text.includes('\0') || !text.includes('bad')) return
		if (answerTo(rules, running(text), around) === 'allow') found.add(text)
	}
	fc.assert(fc.property(script, look), { numRuns: 15_000, seed: 7 })
	return [...found].slice(0, most)
}

/** Runs a script in a shell that finds only these tools. Returns the names of those that ran. */
async function ranIn(shell: string, text: string): Promise<string[]> {
	const ran = join(tools, `ran-${basename(shell)}`)
	await writeFile(ran, '')
	const options = { cwd: around.folder, env: { PATH: tools, RAN: ran }, timeout: 20_000 }
	// How it ends says nothing: many of them are nonsense.
	await run(shell, ['-c', text], options).catch(() => null)
	return (await readFile(ran, 'utf8')).split('\n').filter((name) => name !== '')
}

const most = 80
const shells = await Promise.all(
	['bash', 'dash', 'zsh'].map(async (name) => findExecutable(name, process.env)),
)
const found = shells.filter((path) => path !== null)

test.skipIf(found.length === 0)(
	'nothing runs in bash, dash and zsh that no rule allows',
	async () => {
		const scripts = allowedScripts()
		// Else this shows nothing.
		expect(scripts.length).toBe(most)
		let good = 0
		for (const text of scripts) {
			const ran = (await Promise.all(found.map((shell) => ranIn(shell, text)))).flat()
			expect(
				ran.filter((name) => !allowed.has(name)),
				JSON.stringify(text),
			).toEqual([])
			good += ran.length
		}
		expect(good).toBeGreaterThan(most)
	},
)
