import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type * as v from 'valibot'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { SessionHost } from '../../source/host/session-host.ts'
import { PolicyFile } from '../../source/policy/policy-file.ts'
import { ScriptedAgent, someAsk } from '../tools/scripted-agent.ts'
import { linesOf, Program } from './_program.ts'
import * as shapes from './_shapes.ts'

const text = `// what needs no person
{
	"rules": [
		{ "answer": "allow", "command": ["npm test", "git status *"] },
		{ "answer": "allow", "path": "src/**" },
		{ "answer": "ask", "command": "git commit" },
		{ "answer": "deny", "command": "git push", "agent": "claude", "reason": "by hand" },
	],
}
`

let program: Program
let file: string

beforeAll(async () => {
	program = await Program.make()
	await mkdir(program.home.config, { recursive: true, mode: 0o700 })
	file = join(program.home.config, 'policy.jsonc')
})
afterAll(() => program[Symbol.asyncDispose]())
beforeEach(() => writeFile(file, text, { mode: 0o600 }))

const policy = (...args: string[]) => program.here(['permissions', 'policy', ...args])
async function json<T extends v.GenericSchema>(schema: T, ...args: string[]) {
	const { code, stdout, stderr } = await policy('--json', ...args)
	const [result] = stdout === '' ? [] : linesOf(schema, stdout)
	return { code, result, stderr }
}

describe('permissions policy', () => {
	test('shows the rules in force and where they stand', async () => {
		const { code, stdout } = await policy()
		expect(code).toBe(0)
		expect(stdout.split('\n').slice(1)).toEqual([
			'  allow command "npm test" or "git status *" (line 4)',
			'  allow path "src/**" (line 5)',
			'  ask command "git commit" (line 6)',
			'  deny agent "claude", command "git push" (line 7): by hand',
			'',
		])
		expect(stdout.startsWith(`${file}  `)).toBe(true)
		const { result } = await json(shapes.policy)
		expect(result).toMatchObject({ file, state: 'in_force', problem: null })
		expect(result?.rules.map(({ line, answer }) => [line, answer])).toEqual([
			[4, 'allow'],
			[5, 'allow'],
			[6, 'ask'],
			[7, 'deny'],
		])
	})

	test('says that there is none, and that one is refused', async () => {
		await rm(file)
		const none = await policy()
		expect(none).toMatchObject({ code: 0, stderr: '' })
		expect(none.stdout).toContain('There is no policy, so everything is asked.')
		expect((await json(shapes.policy)).result).toMatchObject({ state: 'none', rules: [] })
		await writeFile(file, text)
		await chmod(file, 0o666)
		const refused = await json(shapes.policy)
		expect(refused.code).toBe(4)
		expect(refused.result).toMatchObject({ state: 'refused', digest: null, rules: [] })
		expect(refused.stderr).toContain('"code":"policy_refused"')
		const tried = await policy('test', 'npm test')
		expect(tried).toMatchObject({ code: 4, stdout: '' })
		await chmod(file, 0o600)
	})

	test.each([
		[['npm test'], 0, 'allow'],
		[['npm test && git status -s'], 0, 'allow'],
		[['--', 'git', 'status', '-s'], 0, 'allow'],
		[['npm test && whoami'], 10, 'ask'],
		[['--', 'npm', 'test', '&&', 'whoami'], 10, 'ask'],
		[['git commit -m x'], 10, 'ask'],
		[['git push'], 11, 'deny'],
		[['git push', '--agent', 'codex', '--tool', 'shell'], 10, 'ask'],
		[['npm test', '--tool', 'PowerShell'], 10, 'ask'],
		[['--path', 'src/a.ts'], 0, 'allow'],
		[['--tool', 'Edit', '--path', 'src/a.ts'], 0, 'allow'],
		[['--path', 'other/a.ts'], 10, 'ask'],
		[['--tool', 'WebSearch'], 10, 'ask'],
		[['--tool', 'Bash', '--input', '{"command":"npm test"}'], 0, 'allow'],
		[['--tool', 'Bash', '--input', '{"command":"npm test","x":1}'], 10, 'ask'],
	])('test %j', async (args, code, answer) => {
		const tried = await json(shapes.policyTest, 'test', ...args)
		expect(tried).toMatchObject({ code, result: { answer, folder: program.cwd } })
	})

	test('test names the part and the rule that decided', async () => {
		expect((await policy('test', 'npm test && X=1 whoami')).stdout).toBe(`ask
  npm test
    allow command "npm test" or "git status *" (line 4)
  whoami
    no rule
  ! it sets a variable: X
  risk low
`)
		expect((await policy('test', 'npm test; git push origin')).stdout).toBe(`deny
  git push origin
    deny agent "claude", command "git push" (line 7): by hand
  risk high
`)
		expect((await json(shapes.policyTest, 'test', 'git push')).result).toMatchObject({
			rules: [{ line: 7, text: 'deny agent "claude", command "git push" (line 7)' }],
			reason: 'by hand',
			risk: 'high',
		})
	})

	test('test without a policy says that everything is asked', async () => {
		await rm(file)
		const tried = await policy('test', 'npm test')
		expect(tried.code).toBe(10)
		expect(tried.stdout).toContain('there is no policy, so everything is asked')
	})

	test('test takes the folder of the session', async () => {
		const path = join(program.folder, 'src/a.ts')
		expect((await policy('test', '--path', path)).code).toBe(10)
		expect((await policy('test', '--path', path, '--cwd', program.folder)).code).toBe(0)
		expect((await policy('test', '--path', path, '--cwd', '..')).code).toBe(0)
	})

	test('check names every line that is wrong', async () => {
		expect(await policy('check')).toMatchObject({ code: 0, stdout: `${file} is right: 4 rules.\n` })
		const other = join(program.cwd, 'other.jsonc')
		await writeFile(other, '{"rules": [\n{"answer": "alow"},\n{"answer": "ask", "x": 1}]}')
		const checked = await policy('check', 'other.jsonc')
		expect(checked.code).toBe(1)
		expect(checked.stdout.trim().split('\n')).toEqual([
			`${other}:2: "answer" is wrong: it takes ("allow" | "ask" | "deny"), not "alow"`,
			`${other}:3: "x" is not known`,
		])
		expect(await json(shapes.policyCheck, 'check', other)).toMatchObject({
			code: 1,
			result: { ok: false, there: true, problems: [{ line: 2 }, { line: 3 }] },
		})
		await writeFile(file, '{')
		expect((await policy('check')).stdout).toContain(`${file}:1: `)
		await writeFile(file, text)
		await chmod(file, 0o666)
		expect((await policy('check')).stdout).toContain('can be changed by other users')
		await rm(file)
		expect(await policy('check')).toMatchObject({ code: 0, stdout: `${file} is not there.\n` })
		expect(await policy('check', 'nowhere')).toMatchObject({ code: 1 })
	})

	test.each([
		[['test']],
		[['test', 'ls', '--input', '{}']],
		[['test', '--input', '[]']],
		[['test', '--input', 'x']],
		[['test', '--request', 'abcd', '--tool', 'Bash']],
		[['tset']],
		[['check', '--tool', 'Bash']],
		[['--tool', 'Bash']],
		[['test', '--agent', 'nobody', 'ls']],
	])('%j is wrong usage', async (args) => {
		expect((await policy(...args)).code).toBe(2)
	})

	test('what a policy answered is told everywhere, and tried again by its id', async () => {
		await using context = await program.context()
		const { account, gateway, home, io } = context
		const host = await SessionHost.open({
			account,
			gateway,
			dataFolder: home.data,
			agent: 'claude',
			cwd: io.cwd,
			project: 'plain',
			timeoutMs: 600_000,
			policy: {
				file: new PolicyFile(file),
				around: { userHome: '/home/dev', own: [], shell: null, platform: 'linux' },
			},
		})
		const agent = new ScriptedAgent()
		const done = host.run(agent)
		const ask = (id: string, command: string) =>
			agent.ask(id, { ...someAsk, input: { command }, cwd: program.cwd })
		await ask('a', 'npm test')
		await ask('b', 'git push origin')
		agent.finish()
		await done
		const waiting = await program.json(shapes.permissions, ['permissions'])
		expect(waiting.permissions).toEqual([])
		const { permissions } = await program.json(shapes.permissions, ['permissions', '--all'])
		expect(
			permissions.map(({ status, decided }) => [status, decided?.by, decided?.reason]),
		).toEqual(
			expect.arrayContaining([
				['approved', 'policy', 'allow command "npm test" or "git status *" (line 4)'],
				['denied', 'policy', 'deny agent "claude", command "git push" (line 7): by hand'],
			]),
		)
		const all = await program.here(['permissions', '--all'])
		expect(all.stdout).toContain('approved by a policy of the host')
		const shown = await program.here(['show', host.session])
		expect(shown.stdout).toContain(
			'✓ approved by a policy of the host: allow command "npm test" or "git status *" (line 4)',
		)
		expect(shown.stdout).toContain('A policy of this machine is in force (allow 2, ask 1, deny 1;')
		const denied = permissions.find(({ status }) => status === 'denied')?.id ?? ''
		expect((await policy('test', '--request', denied)).code).toBe(11)
		const tried = await json(shapes.policyTest, 'test', '--request', denied.slice(0, 8))
		expect(tried.result).toMatchObject({ answer: 'deny', folder: program.cwd })
		expect((await policy('test', '--request', '00000000')).code).toBe(1)
	})
})

test('doctor says whether the rules are in force', async () => {
	const check = async () => {
		const { stdout } = await program.here(['doctor', '--json'])
		const [{ checks } = { checks: [] }] = linesOf(shapes.checks, stdout)
		return checks.find(({ id }) => id === 'policy')
	}
	expect(await check()).toMatchObject({ state: 'ok', detail: `4 rules of ${file} are in force` })
	await chmod(file, 0o666)
	expect(await check()).toMatchObject({ state: 'warn' })
	await rm(file)
	expect(await check()).toMatchObject({ state: 'ok', mend: null })
})
