import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decide } from '../../source/policy/decide.ts'
import { answerTo, asking, makeSurroundings, rulesOf, running } from './_policy.ts'

const around = makeSurroundings()
const { folder, root, userHome } = around
afterAll(() => rmSync(root, { recursive: true }))
beforeAll(() => {
	symlinkSync(join(root, 'outside'), join(folder, 'src/away'))
	symlinkSync(join(root, 'outside/not-there-yet'), join(folder, 'src/dangling'))
	symlinkSync('loop', join(folder, 'src/loop'))
	symlinkSync(join(folder, 'secret'), join(folder, 'src/inward'))
	symlinkSync(folder, join(root, 'by-link'))
	mkdirSync(join(folder, 'app/(group)/[id]'), { recursive: true })
	mkdirSync(join(userHome, 'notes'))
	writeFileSync(join(root, 'own/config/policy.jsonc'), '')
})

const rules = rulesOf(
	{ answer: 'allow', path: ['src/**', './app/(group)/**', '*.md', '~/notes/**'] },
	{ answer: 'allow', path: 'readable/**', access: 'read' },
	{ answer: 'allow', tool: ['WebSearch', 'mcp__github__get_*'] },
	{ answer: 'allow', tool: 'mcp__files__write', path: 'src/**' },
	{ answer: 'ask', path: ['**/*.key', '.git/**'] },
	{ answer: 'deny', path: ['secret/**', `${root}/outside/**`] },
	{ answer: 'deny', path: 'frozen/**', access: 'write' },
	{ answer: 'deny', tool: 'mcp__github__delete_*' },
)

const write = (file_path: string) => asking({ tool: 'Write', input: { file_path, content: 'x' } })
const read = (file_path: string) => asking({ tool: 'Read', input: { file_path } })
const change = (path: string) => ({ path, hunks: [] })

describe('files', () => {
	test.each([
		['src/main.ts', 'allow'],
		['./src/main.ts', 'allow'],
		['src/new/folder/file.ts', 'allow'],
		['src/.hidden', 'allow'],
		['src/../src/main.ts', 'allow'],
		['app/(group)/[id]/page.tsx', 'allow'],
		['notes.md', 'allow'],
		[`${folder}/src/main.ts`, 'allow'],
		['SRC/main.ts', 'ask'],
		['src', 'allow'],
		['srcs/x', 'ask'],
		['package.json', 'ask'],
		['a/notes.md', 'ask'],
		['src/../package.json', 'ask'],
		['src/../../x', 'ask'],
		['/etc/passwd', 'ask'],
		['~/.bashrc', 'ask'],
		['~other/notes/x', 'ask'],
		['', 'ask'],
		['src/x.key', 'ask'],
		['.git/hooks/pre-commit', 'ask'],
		// Through links: it is where they lead that counts.
		['src/away/x', 'deny'],
		['src/away/../x', 'ask'],
		['src/dangling', 'ask'],
		['src/dangling/x', 'ask'],
		['src/loop', 'ask'],
		['src/loop/x', 'ask'],
		['src/inward/plan.txt', 'deny'],
		['secret/plan.txt', 'deny'],
		['src/../secret/plan.txt', 'deny'],
		['secret', 'deny'],
		['secret/new', 'deny'],
		['src/nothing/../../secret/plan.txt', 'ask'],
		['src/new\n/x', 'ask'],
		['secret/a\nb', 'deny'],
		['src/x\u202e', 'ask'],
		['src/\u0430b', 'ask'],
		[`src/${'x'.repeat(5000)}`, 'ask'],
		['src/x\0y', 'ask'],
	])('a change of %j: %s', (path, answer) => {
		const verdict = decide(rules, write(path), around)
		expect(verdict.answer, JSON.stringify(verdict)).toBe(answer)
	})

	test('outside of the folder of the session, a change is of high risk, reading is not', () => {
		const notes = join(userHome, 'notes/today.txt')
		const far = rulesOf({ answer: 'allow', path: '~/notes/**', even: 'high' })
		const elsewhere = { ...around, root: '/srv' }
		expect(answerTo(rules, read(notes), elsewhere)).toBe('allow')
		expect(answerTo(far, write(notes), elsewhere)).toBe('allow')
	})

	test('access keeps reading and writing apart', () => {
		expect(answerTo(rules, read('readable/x'), around)).toBe('allow')
		expect(answerTo(rules, write('readable/x'), around)).toBe('ask')
		expect(answerTo(rules, write('frozen/x'), around)).toBe('deny')
		expect(answerTo(rules, running('cat frozen/x'), around)).toBe('ask')
		expect(answerTo(rules, running('cp x frozen/x'), around)).toBe('deny')
		expect(answerTo(rules, running('unknown-program frozen/x'), around)).toBe('deny')
		expect(answerTo(rules, running('echo x > frozen/x'), around)).toBe('deny')
	})

	test('every file of a call counts, of the changes and of the input', () => {
		const edit = (input: object, paths: string[], tool = 'apply_patch') =>
			answerTo(rules, asking({ tool, input, changes: paths.map(change) }), around)
		expect(edit({ paths: ['src/a', 'src/b'] }, ['src/a', 'src/b'])).toBe('allow')
		expect(edit({ paths: ['src/a', 'package.json'] }, ['src/a'])).toBe('ask')
		expect(edit({ paths: ['src/a'] }, ['src/a', 'package.json'])).toBe('ask')
		expect(edit({ paths: ['src/a'] }, ['src/a', 'secret/b'])).toBe('deny')
		const patch =
			'*** Begin Patch\n*** Update File: src/a\n*** Move to: package.json\n*** End Patch'
		expect(edit({ patch }, ['src/a'])).toBe('ask')
		expect(edit({ file_path: 'src/a', path: 'package.json' }, [], 'Edit')).toBe('ask')
		expect(edit({ filePath: 'src/a', oldString: 'a', newString: 'b' }, ['src/a'], 'edit')).toBe(
			'allow',
		)
		expect(edit({ absolute_path: `${folder}/src/a`, content: '' }, [], 'write_file')).toBe('allow')
		expect(edit({ paths: ['src/a'], grant_root: '/' }, ['src/a'])).toBe('ask')
		expect(edit({}, [])).toBe('ask')
	})

	test('a command may write only where a rule about a path allows it', () => {
		const more = [...rules, ...rulesOf({ answer: 'allow', command: 'echo *' })]
		expect(answerTo(more, running('echo x > src/a'), around)).toBe('allow')
		expect(answerTo(more, running('echo x > other'), around)).toBe('ask')
		expect(answerTo(more, running('echo x > src/away/y'), around)).toBe('deny')
		expect(answerTo(more, running('echo x > src/dangling'), around)).toBe('ask')
		expect(answerTo(more, running('echo x > ~/notes/y'), around)).toBe('ask')
	})

	test('a link on the way is followed for what a command names, too', () => {
		const more = rulesOf({ answer: 'allow', command: ['cat *', 'cp *', 'ls *'] })
		expect(answerTo(more, running('cat src/main.ts'), around)).toBe('allow')
		expect(answerTo(more, running('cat src/away/x'), around)).toBe('ask')
		expect(answerTo(more, running('cp src/main.ts src/away/x'), around)).toBe('ask')
		expect(answerTo(more, running('cd src/away && ls'), around)).toBe('ask')
		expect(answerTo([...more, ...rules], running('cat src/inward/plan.txt'), around)).toBe('deny')
	})

	test('a link that is made between two requests counts for the second', () => {
		const path = 'src/turning/x'
		mkdirSync(join(folder, 'src/turning'))
		expect(answerTo(rules, write(path), around)).toBe('allow')
		rmSync(join(folder, 'src/turning'), { recursive: true })
		symlinkSync(join(root, 'own'), join(folder, 'src/turning'))
		expect(answerTo(rules, write(path), around)).toBe('ask')
		rmSync(join(folder, 'src/turning'))
		symlinkSync(join(folder, 'src'), join(folder, 'src/turning'))
		expect(answerTo(rules, write(path), around)).toBe('allow')
	})

	test('the session’s own folder may be reached by a link', () => {
		const linked = { ...around, folder: join(root, 'by-link') }
		expect(answerTo(rules, write('src/main.ts'), linked)).toBe('allow')
		expect(answerTo(rules, write(`${folder}/src/main.ts`), linked)).toBe('allow')
		expect(answerTo(rules, write('secret/x'), linked)).toBe('deny')
	})

	test('what is ours is never touched unseen', () => {
		const all = rulesOf(
			{ answer: 'allow', path: '/**', even: 'high' },
			{ answer: 'allow', command: '*', even: 'high' },
		)
		const own = join(root, 'own/config/policy.jsonc')
		expect(answerTo(all, write(own), around)).toBe('ask')
		expect(answerTo(all, read(own), around)).toBe('ask')
		expect(answerTo(all, running(`cat ${own}`), around)).toBe('ask')
		expect(answerTo(all, running(`cp package.json ${own}`), around)).toBe('ask')
		expect(answerTo(all, running('cat package.json'), around)).toBe('allow')
	})
})

describe('other tools', () => {
	const tool = (name: string, input: object = {}) =>
		answerTo(rules, asking({ tool: name, input }), around)

	test('are allowed by their name only, denied by it in any case', () => {
		expect(tool('WebSearch', { query: 'x' })).toBe('allow')
		expect(tool('websearch', { query: 'x' })).toBe('ask')
		expect(tool('WebFetch', { url: 'https://example.org' })).toBe('ask')
		expect(tool('mcp__github__get_issue', { number: 1 })).toBe('ask')
		expect(tool('mcp__github__delete_repo')).toBe('deny')
		expect(tool('MCP__GitHub__Delete_Repo')).toBe('deny')
		expect(tool('mcp__files__write', { path: 'src/a' })).toBe('allow')
		expect(tool('mcp__files__write', { path: 'a' })).toBe('ask')
		expect(tool('mcp__files__write', {})).toBe('ask')
		expect(tool('mcp__other__write', { path: 'src/a' })).toBe('ask')
		expect(tool('mcp__other__write', { path: 'secret/a' })).toBe('deny')
	})

	test('one that is not known needs its name in the rule, and its files in a path', () => {
		const named = rulesOf(
			{ answer: 'allow', tool: 'mcp__notes__*' },
			{ answer: 'allow', tool: 'mcp__docs__add', path: 'src/**' },
			{ answer: 'allow', path: 'src/**' },
		)
		const ask = (name: string, input: object) =>
			answerTo(named, asking({ tool: name, input }), around)
		expect(ask('mcp__notes__add', { title: 'x' })).toBe('allow')
		expect(ask('mcp__notes__add', { path: 'src/a' })).toBe('allow')
		expect(ask('mcp__notes__add', { path: '../a' })).toBe('ask')
		expect(ask('mcp__docs__add', { path: 'src/a' })).toBe('allow')
		expect(ask('mcp__docs__add', {})).toBe('ask')
		expect(ask('mcp__else__add', { path: 'src/a' })).toBe('ask')
	})

	test('a search by a pattern that leads elsewhere is asked', () => {
		const all = rulesOf({ answer: 'allow', path: '**', access: 'read' })
		const search = (input: object) => answerTo(all, asking({ tool: 'Glob', input }), around)
		expect(search({ pattern: '**/*.ts' })).toBe('allow')
		expect(search({ pattern: '/etc/*' })).toBe('ask')
		expect(search({ pattern: '../*' })).toBe('ask')
		expect(search({ pattern: '~/*' })).toBe('ask')
	})
})

describe('the rest of a request', () => {
	const all = rulesOf(
		{ answer: 'allow', command: '*', even: 'high' },
		{ answer: 'allow', path: '/**', even: 'high' },
		{ answer: 'allow', tool: '*', even: 'high' },
	)

	test.each([
		['more than the command', { command: 'ls', dangerouslyDisableSandbox: true }],
		['another permission', { command: 'ls', with_escalated_permissions: true }],
		['something that is not known', { command: 'ls', afterwards: 'rm -rf /' }],
		['a folder elsewhere', { command: 'ls', directory: '/' }],
		['a folder above', { command: 'ls', workdir: '..' }],
		['the network', { command: 'ls', network: { host: 'example.org' } }],
		['a command that is no text', { command: { a: 1 } }],
	])('a command with %s is asked', (_, input) => {
		expect(answerTo(all, asking({ input }), around)).toBe('ask')
	})

	test.each([
		['false', { command: 'ls', dangerouslyDisableSandbox: false }],
		['a time limit', { command: 'ls', timeout: 1000, description: 'rm -rf /' }],
		['a folder inside', { command: 'ls', directory: 'src' }],
		['a list of words', { command: ['bash', '-lc', 'ls'] }],
	])('a command with %s is not', (_, input) => {
		const verdict = decide(all, asking({ input }), around)
		expect(verdict.answer, JSON.stringify(verdict)).toBe('allow')
	})

	test('the shell that a command is for is one of the system, or needs a rule', () => {
		const listing = rulesOf({ answer: 'allow', command: 'ls *' })
		const answerFor = (...command: string[]) =>
			answerTo(listing, asking({ input: { command } }), around)
		expect(answerFor('/bin/bash', '-lc', 'ls src')).toBe('allow')
		for (const shell of ['./bash', `${folder}/bash`, '/tmp/bash', 'src/sh']) {
			expect(answerFor(shell, '-lc', 'ls src'), shell).toBe('ask')
		}
		expect(answerFor('bash', '-lc', 'ls src', 'x')).toBe('ask')
		expect(answerFor('bash', '-ic', 'ls src')).toBe('ask')
		expect(answerTo(listing, asking({ input: { command: 'ls', cmd: 'id' } }), around)).toBe('ask')
	})

	test('a question is for a person', () => {
		const questions = [{ question: 'Which?', header: null, options: [], multiple: false }]
		const none = rulesOf({ answer: 'deny', tool: '*' })
		for (const rules of [all, none]) {
			expect(answerTo(rules, asking({ tool: 'AskUserQuestion', questions }), around)).toBe('ask')
		}
	})

	test('a request from another folder than the session’s is asked', () => {
		const { input } = running('ls').ask
		for (const cwd of ['/', root, '..', '/nowhere']) {
			expect(answerTo(all, asking({ input, cwd }), around), cwd).toBe('ask')
		}
		for (const cwd of [folder, `${folder}/src`, null]) {
			expect(answerTo(all, asking({ input, cwd }), around), `${cwd}`).toBe('allow')
		}
	})

	test('a session of the whole machine, or of all homes, is asked', () => {
		for (const wide of ['/', root, join(root, 'home')]) {
			expect(answerTo(all, running('ls'), { ...around, folder: wide }), wide).toBe('ask')
		}
		expect(answerTo(all, running('ls'), { ...around, folder: userHome })).toBe('allow')
	})

	test('commands for a shell of another language are asked', () => {
		for (const shell of ['/usr/bin/fish', '/usr/bin/nu', '/bin/tcsh', 'pwsh']) {
			expect(answerTo(all, running('ls'), { ...around, shell }), shell).toBe('ask')
		}
		for (const shell of ['/bin/zsh', '/usr/bin/dash', null]) {
			expect(answerTo(all, running('ls'), { ...around, shell }), `${shell}`).toBe('allow')
		}
		const powershell = asking({ tool: 'PowerShell', input: { command: 'ls' } })
		expect(answerTo(all, powershell, around)).toBe('ask')
		const onWindows = { ...around, platform: 'win32' } as const
		const codex = asking({ tool: 'shell', input: { command: 'ls' } }, 'codex')
		expect(answerTo(all, codex, onWindows)).toBe('ask')
	})

	test.each([
		null,
		undefined,
		'ls',
		7,
		[],
		['ls'],
		{ command: null },
		{ command: [] },
		{ command: [1] },
		{ command: ['ls', { a: 1 }] },
		{ cmd: 7 },
		{ __proto__: { command: 'ls' } },
	])('an input of another shape is asked: %j', (input) => {
		const only = rulesOf({ answer: 'allow', command: '*', even: 'high' })
		expect(answerTo(only, asking({ input }), around)).toBe('ask')
	})

	test('what is of high risk is allowed only where the rule says so', () => {
		const plain = rulesOf({ answer: 'allow', command: ['git push', 'npm test'] })
		const far = rulesOf({ answer: 'allow', command: 'git push', even: 'high' })
		const verdict = decide(plain, running('git push'), around)
		expect(verdict.answer).toBe('ask')
		expect(verdict.risk).toBe('high')
		expect(verdict.obstacles).toEqual([
			'is of high risk, and a rule that allows it does not say "even": "high"',
		])
		expect(answerTo(far, running('git push'), around)).toBe('allow')
		expect(answerTo([...plain, ...far], running('git push'), around)).toBe('allow')
		expect(answerTo([...plain, ...far], running('npm test && git push'), around)).toBe('ask')
	})

	test.each([
		'make -f other.mk test',
		'make SHELL=/tmp/x test',
		'git -c core.pager=x log',
		'git fetch --upload-pack=x origin',
		'node --require ./x.js main.js',
		'go test -exec x ./...',
		'cargo --config x test',
		'rsync -e x src out',
		'pytest -p x',
		'jest --config x',
		'yarn --cwd out test',
		'find . -delete',
		"awk 'BEGIN { system(1) }'",
	])('further words do not let a program run something else: %s', (command) => {
		const name = `${command.split(' ')[0]} *`
		const open = rulesOf({ answer: 'allow', command: name })
		const far = rulesOf({ answer: 'allow', command: name, even: 'high' })
		expect(answerTo(open, running(command), around)).toBe('ask')
		expect(answerTo(far, running(command), around)).toBe('allow')
	})

	test('agent and folder narrow a rule', () => {
		const narrow = rulesOf(
			{ answer: 'allow', command: 'ls', agent: 'codex' },
			{ answer: 'allow', command: 'pwd', folder: ['~/project', '/srv/**'] },
			{ answer: 'deny', command: 'whoami', folder: '~/other/**' },
		)
		expect(answerTo(narrow, running('ls'), around)).toBe('ask')
		expect(
			answerTo(narrow, asking({ tool: 'shell', input: { command: 'ls' } }, 'codex'), around),
		).toBe('allow')
		expect(answerTo(narrow, running('pwd'), around)).toBe('allow')
		expect(answerTo(narrow, running('whoami'), around)).toBe('ask')
		expect(answerTo(narrow, running('pwd'), { ...around, folder: join(folder, 'src') })).toBe('ask')
	})

	test('deny goes before ask, ask before allow, in any order', () => {
		const [allow, ask, deny] = (['allow', 'ask', 'deny'] as const).map((answer) => ({
			answer,
			command: 'ls *',
		}))
		const orders = [
			[allow, ask, deny],
			[deny, ask, allow],
			[ask, allow, deny],
			[ask, deny, allow],
		]
		for (const order of orders) {
			expect(answerTo(rulesOf(...order.map((rule) => rule ?? {})), running('ls'), around)).toBe(
				'deny',
			)
		}
		expect(answerTo(rulesOf(allow ?? {}, ask ?? {}), running('ls'), around)).toBe('ask')
		expect(answerTo(rulesOf(ask ?? {}, allow ?? {}), running('ls'), around)).toBe('ask')
		expect(answerTo([], running('ls'), around)).toBe('ask')
	})
})
