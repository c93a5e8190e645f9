/** `prompt`, `interrupt` and `mode`, against a real host. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Context } from '../../source/commands/context.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import { until } from '../tools/lab.ts'
import { Hosted, linesOf, Program } from './_program.ts'
import * as shapes from './_shapes.ts'

let program: Program
let context: Context
let hosted: Hosted

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
	const takes = { prompt: true, interrupt: true, modes: ['default', 'plan', 'yolo'] }
	hosted.agent.say({ type: 'about', mode: 'default', asks: true, takes })
	await until(async () => (await program.here(['mode', hosted.id])).stdout.includes('plan'))
})

test('a prompt is sent, and each stage printed until the agent has it', async () => {
	const { code, stdout, stderr } = await program.run(['prompt', hosted.id.slice(0, 8), 'go on'])
	expect([code, stderr]).toEqual([0, ''])
	expect(hosted.agent.prompts).toEqual(['go on'])
	expect(stdout).toBe(
		[
			'  sent: signed and sealed on this device',
			'  stored: the backend has it',
			'  obeyed: the host checked the signature, and the agent took it',
			'',
		].join('\n'),
	)
	const shown = await program.here(['show', hosted.id])
	expect(shown.stdout).toMatch(/· prompt from .* \(signature verified\): go on/)
})

test('a prompt of several lines is read from stdin', async () => {
	const { code } = await program.run(['prompt', hosted.id, '-'], {}, 'first\n\tsecond\n')
	expect(code).toBe(0)
	expect(hosted.agent.prompts).toEqual(['first\n\tsecond'])
})

test('an interrupt and a mode, as JSON', async () => {
	const interrupt = await program.json(shapes.sent, ['interrupt', hosted.id])
	expect(interrupt).toMatchObject({ kind: 'interrupt', accepted: true, stage: 'obeyed' })
	expect(interrupt.by_host_at).not.toBeNull()
	const mode = await program.json(shapes.sent, ['mode', hosted.id, 'plan'])
	expect(mode).toMatchObject({ session: hosted.id, kind: 'mode', accepted: true })
	expect([hosted.agent.interrupts, hosted.agent.modes]).toEqual([1, ['plan']])
})

test('mode alone says which there are', async () => {
	const { stdout } = await program.here(['mode', hosted.id])
	expect(stdout).toBe('default  (now)\nplan\nyolo  ⚠ everything unasked\n')
	expect(await program.json(shapes.modes, ['mode', hosted.id])).toEqual({
		session: hosted.id,
		mode: 'default',
		asks: true,
		modes: ['default', 'plan', 'yolo'],
	})
})

test('what the agent refuses is said, with exit code 1', async () => {
	hosted.agent.interrupt = async () => {
		throw new StyrbyError('agent_cannot', 'It can not be interrupted now.')
	}
	const { code, stdout } = await program.here(['interrupt', hosted.id, '--json'])
	expect(code).toBe(1)
	expect(linesOf(shapes.sent, stdout)).toMatchObject([
		{ accepted: false, by_host_at: null, stage: 'refused', why: 'It can not be interrupted now.' },
	])
})

test.each([
	[['mode', 'ID', 'auto'], 1, 'no_such_mode'],
	[['prompt', 'ID', ' '], 2, 'bad_usage'],
	[['prompt', 'ID', 'x'.repeat(100_001)], 2, 'bad_usage'],
	[['prompt', 'ID'], 2, 'wrong_arguments'],
	[['interrupt', '00000000-0000-4000-8000-000000000000'], 1, 'no_such_session'],
])('nothing is sent: %j', async (words, exitCode, error) => {
	const args = words.map((word) => (word === 'ID' ? hosted.id : word))
	const { code, stdout, stderr } = await program.here([...args, '--json'])
	expect([code, stdout]).toEqual([exitCode, ''])
	expect(linesOf(shapes.failure, stderr)[0]?.error.code).toBe(error)
	expect([hosted.agent.prompts, hosted.agent.modes, hosted.agent.interrupts]).toEqual([[], [], 0])
})
