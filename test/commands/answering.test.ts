/** `approve` and `deny`, against a real host in another process. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Context } from '../../source/commands/context.ts'
import { SessionHost } from '../../source/host/session-host.ts'
import { randomId } from '../../source/protocol/device.ts'
import { until } from '../tools/lab.ts'
import { someAsk } from '../tools/scripted-agent.ts'
import { Hosted, linesOf, Program } from './_program.ts'
import * as shapes from './_shapes.ts'

let program: Program
let context: Context
let hosted: Hosted
let asked = 0

beforeAll(async () => {
	program = await Program.make()
	context = await program.context()
}, 120_000)

afterAll(async () => {
	await hosted?.[Symbol.asyncDispose]()
	await context?.[Symbol.asyncDispose]()
	await program?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
	await hosted?.[Symbol.asyncDispose]()
	hosted = await Hosted.start(context)
})

/** Has the agent ask; resolves with the request's id once the backend has it, and the agent's answer. */
async function ask(what = someAsk) {
	const answered = hosted.agent.ask(`ask-${++asked}`, what)
	const find = async () =>
		(await context.gateway.listRequests({ status: 'pending', limit: 50 })).find(
			({ session }) => session === hosted.id,
		)
	await until(find)
	const id = (await find())?.id ?? ''
	return { id, answered }
}

test('approve prints each stage until the agent went on', async () => {
	const { id, answered } = await ask()
	const { code, stdout, stderr } = await program.run(['approve', id.slice(0, 8), '--yes'])
	expect([code, stderr]).toEqual([0, ''])
	expect(await answered).toEqual({ decision: 'allow', scope: 'once' })
	const [request, stages] = [stdout.slice(0, stdout.indexOf('  sent')), stdout.split('\n')]
	expect(request).toContain('$ rm -rf build')
	expect(request).toContain('/home/dev/api-server')
	expect(stages.slice(-5)).toEqual([
		'  sent: signed and sealed on this device',
		'  stored: the backend has it',
		'  verified: the host checked the signature and took it',
		'  applied: the agent went on',
		'',
	])
})

test('approve --json says what came of it, once the host has answered', async () => {
	const { id, answered } = await ask()
	const result = await program.json(shapes.answer, ['approve', id, '--yes', '--scope', 'session'])
	expect(await answered).toEqual({ decision: 'allow', scope: 'session' })
	expect(result).toMatchObject({ request: id, decision: 'allow', accepted: true, stage: 'applied' })
	expect(result.by_host_at).not.toBeNull()

	const { permissions } = await program.json(shapes.permissions, ['permissions', '--all'])
	expect(permissions.find((one) => one.id === id)).toMatchObject({
		status: 'approved',
		decided: {
			device: context.account.device.record.id,
			by: 'device',
			decision: 'allow',
			scope: 'session',
			verified: true,
		},
	})
})

test('deny gives the agent the reason', async () => {
	const { id, answered } = await ask()
	const args = ['deny', id, '--reason', 'not on a Friday', '--yes']
	expect(await program.json(shapes.answer, args)).toMatchObject({
		decision: 'deny',
		accepted: true,
	})
	expect(await answered).toEqual({ decision: 'deny', reason: 'not on a Friday' })
})

test('--expect lets only the request through that was looked at', async () => {
	const { id, answered } = await ask()
	const { permissions } = await program.json(shapes.permissions, ['permissions'])
	const digest = permissions.find((one) => one.id === id)?.digest ?? ''
	const wrong = digest.replace(/^./, (first) => (first === '0' ? '1' : '0'))
	const refused = await program.run(['approve', id, '--yes', '--expect', wrong, '--json'])
	expect([refused.code, refused.stdout]).toEqual([4, ''])
	expect(linesOf(shapes.failure, refused.stderr)[0]?.error.code).toBe('request_changed')
	expect(hosted.agent.answers.size).toBe(0)

	expect((await program.run(['approve', id, '--yes', '--expect', digest])).code).toBe(0)
	expect(await answered).toMatchObject({ decision: 'allow' })
})

test('without a terminal nothing is answered without --yes', async () => {
	const { id } = await ask()
	const { code, stdout, stderr } = await program.run(['approve', id])
	expect([code, stdout]).toEqual([2, ''])
	expect(stderr).toContain('--yes')
	expect(hosted.agent.answers.size).toBe(0)
})

describe('questions', () => {
	const question = (words: string, multiple: boolean, options: string[]) => ({
		question: words,
		header: null,
		multiple,
		options: options.map((label) => ({ label, description: null })),
	})
	const questions = [
		question('Which database?', false, ['Postgres', 'SQLite']),
		question('Which checks?', true, ['lint', 'types', 'tests']),
	]
	const asks = { ...someAsk, tool: 'AskUserQuestion', input: {}, session_rules: [], questions }

	test('are answered by number, label or in own words, in their order', async () => {
		const { id, answered } = await ask(asks)
		const args = ['approve', id, '--yes', '--answer', 'sqlite', '--answer=3,lint']
		expect(await program.json(shapes.answer, args)).toMatchObject({ accepted: true })
		const input = { answers: { 'Which database?': 'SQLite', 'Which checks?': ['lint', 'tests'] } }
		expect(await answered).toEqual({ decision: 'allow', scope: 'once', input })
		const { permissions } = await program.json(shapes.permissions, ['permissions', '--all'])
		expect(permissions.find((one) => one.id === id)?.decided).toMatchObject({ input })
	})

	test('show what will be sent', async () => {
		const { id } = await ask({ ...asks, questions: questions.slice(0, 1) })
		const { stdout } = await program.run(['approve', id, '--yes', '--answer', 'MySQL'])
		expect(stdout).toContain('  Which database? → MySQL\n')
		expect(stdout).toContain('applied')
	})

	test.each([
		[[], 4, 'answer_needed'],
		[['--answer', '1'], 2, 'bad_usage'],
		[['--answer', '3', '--answer', '1'], 2, 'bad_answer'],
	])('with %j nothing is sent', async (given, exitCode, error) => {
		const { id } = await ask(asks)
		const { code, stdout, stderr } = await program.run(['approve', id, '--yes', '--json', ...given])
		expect([code, stdout]).toEqual([exitCode, ''])
		expect(linesOf(shapes.failure, stderr)[0]?.error.code).toBe(error)
		expect(hosted.agent.answers.size).toBe(0)
	})

	test('are none for a permission', async () => {
		const { id } = await ask()
		const { code, stderr } = await program.run(['approve', id, '--yes', '--answer', '1'])
		expect([code, stderr]).toEqual([2, expect.stringContaining('takes no --answer')])
		expect(hosted.agent.answers.size).toBe(0)
	})
})

test('a second answer changes nothing and says so', async () => {
	const { id } = await ask()
	await program.json(shapes.answer, ['deny', id, '--yes'])
	const late = await program.run(['approve', id, '--yes', '--json'])
	expect(late.code).toBe(1)
	expect(linesOf(shapes.answer, late.stdout)).toMatchObject([
		{ accepted: false, stage: 'lost', decision: 'allow' },
	])
	const text = await program.run(['approve', id, '--yes'])
	expect(text.code).toBe(1)
	expect(text.stderr).toMatch(
		/^styrby-tui: this request was not answered: it is denied already \(by /,
	)
	expect([...hosted.agent.answers.values()].flat()).toHaveLength(1)
})

test('of an approval and a denial at the same moment one wins, and the other is told', async () => {
	const { id } = await ask()
	const both = await Promise.all([
		program.run(['approve', id, '--yes', '--json']),
		program.run(['deny', id, '--yes', '--json']),
	])
	const answers = both.flatMap(({ stdout }) => linesOf(shapes.answer, stdout))
	expect(answers.filter(({ accepted }) => accepted)).toHaveLength(1)
	expect(both.map(({ code }) => code).sort()).toEqual([0, 1])
	const given = [...hosted.agent.answers.values()].flat()
	const winner = answers.find(({ accepted }) => accepted)
	expect(given.map(({ decision }) => decision)).toEqual([winner?.decision])
	expect(answers.find(({ accepted }) => !accepted)?.why).toMatch(/faster|already/)
})

test('an answer that no host takes in time is stored, and the request still waits', async () => {
	const { account, gateway, home, io } = context
	// It publishes, and hears nothing.
	await using deaf = await SessionHost.open({
		account,
		gateway,
		dataFolder: home.data,
		agent: 'claude',
		cwd: io.cwd,
		project: 'plain',
		timeoutMs: 600_000,
	})
	const id = randomId()
	const expires_at = new Date(Date.now() + 600_000).toISOString()
	const body = { ...someAsk, request: id, expires_at }
	await deaf.publisher.publish({
		at: new Date().toISOString(),
		event: { kind: 'permission_request', body },
		opens: { request: id, expires_at },
	})
	expect(await deaf.publisher.delivered(10_000)).toBe(true)

	const { code, stdout } = await program.run(['approve', id, '--yes', '--wait', '0.5', '--json'])
	expect(code).toBe(1)
	expect(linesOf(shapes.answer, stdout)).toMatchObject([
		{ request: id, accepted: false, stage: 'stored', by_host_at: null },
	])
	const { permissions } = await program.json(shapes.permissions, ['permissions'])
	expect(permissions.find((one) => one.id === id)?.status).toBe('pending')
})
