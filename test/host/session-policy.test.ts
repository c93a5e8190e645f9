import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PolicyFile } from '../../source/policy/policy-file.ts'
import type { StyrbyError } from '../../source/protocol/errors.ts'
import { someAsk } from '../tools/scripted-agent.ts'
import { bodiesOf, makeHost, readSession, type TestHost, until } from './_host.ts'

let host: TestHost
let folder: string
let file: string

beforeEach(async () => {
	host = await makeHost()
	folder = await realpath(await mkdtemp(join(tmpdir(), 'session-policy-')))
	await mkdir(join(folder, 'project'))
	await mkdir(join(folder, 'config'), { mode: 0o700 })
	file = join(folder, 'config', 'policy.jsonc')
})
afterEach(async () => {
	await host[Symbol.asyncDispose]()
	await rm(folder, { recursive: true })
})

async function write(...rules: object[]) {
	await writeFile(file, `// rules\n${JSON.stringify({ rules }, null, 1)}`, { mode: 0o600 })
}

async function start() {
	const troubles: StyrbyError[] = []
	const { session, id, agent } = await host.run({
		cwd: join(folder, 'project'),
		onTrouble: (error) => troubles.push(error),
		policy: {
			file: new PolicyFile(file),
			around: { userHome: folder, own: [join(folder, 'config')], shell: null, platform: 'linux' },
		},
	})
	const all = () => readSession(host, id)
	return {
		id,
		agent,
		troubles,
		outbox: session.publisher.outbox,
		all,
		ask: (name: string, command: string, more = {}) =>
			agent.ask(name, { ...someAsk, input: { command }, cwd: join(folder, 'project'), ...more }),
		responses: async () => bodiesOf(await all(), 'permission_response'),
		requests: async () => bodiesOf(await all(), 'permission_request'),
		policies: async () => bodiesOf(await all(), 'system').filter(({ type }) => type === 'policy'),
		stored: () => host.gateway.listRequests({ status: 'all', limit: 500, session: id }),
	}
}

const allowTests = { answer: 'allow', command: 'npm test' }
const denyPush = { answer: 'deny', command: 'git push', reason: 'pushing is done by hand' }

describe('a policy in a session', () => {
	it('answers by its rules, and the session says so', async () => {
		await write(allowTests, denyPush)
		const { ask, responses, requests, policies, stored } = await start()
		expect(await ask('a', 'npm test')).toEqual({ decision: 'allow', scope: 'once' })
		expect(await ask('b', 'git push origin')).toEqual({
			decision: 'deny',
			reason: 'pushing is done by hand',
		})
		void ask('c', 'npm install x')
		await until(async () => (await stored()).length === 3)
		await until(async () => (await responses()).length === 2)
		const [first, second] = await responses()
		expect(first).toMatchObject({
			result: 'approved',
			by: 'policy',
			device: null,
			command: null,
			reason: 'allow command "npm test" (line 4)',
		})
		expect(second).toMatchObject({
			result: 'denied',
			by: 'policy',
			reason: 'deny command "git push" (line 8): pushing is done by hand',
		})
		expect((await requests()).map(({ request }) => request).slice(0, 2)).toEqual([
			first?.request,
			second?.request,
		])
		expect((await stored()).map(({ status }) => status).toSorted()).toEqual([
			'approved',
			'denied',
			'pending',
		])
		expect((await policies()).map(({ data }) => data)).toEqual([
			expect.objectContaining({
				state: 'in_force',
				file,
				digest: expect.stringMatching(/^[0-9a-f]{64}$/),
				rules: { allow: 1, ask: 0, deny: 1 },
			}),
		])
	})

	it('never lets a request be seen waiting that it answers', async () => {
		await write(allowTests)
		const { ask, all, stored } = await start()
		const seen = new Set<string>()
		host.backend.faults.silent = true
		const look = setInterval(async () => {
			for (const { status } of await stored()) seen.add(status)
		}, 1)
		for (let n = 0; n < 20; n++) await ask(`${n}`, 'npm test')
		await until(async () => (await stored()).length === 20)
		clearInterval(look)
		expect([...seen].filter((status) => status !== 'approved')).toEqual([])
		const kinds = (await all()).map(({ event }) => event.kind)
		for (const [index, kind] of kinds.entries()) {
			if (kind === 'permission_request') expect(kinds[index + 1]).toBe('permission_response')
		}
	})

	it('tells the agent nothing before it is on the disk', async () => {
		await write(allowTests)
		const { ask, agent, outbox, policies } = await start()
		await until(async () => (await policies()).length === 1)
		const kept: number[] = []
		const answer = agent.answer.bind(agent)
		agent.answer = (id, given) => {
			kept.push(outbox.openRequests().length, outbox.chain().seq)
			return answer(id, given)
		}
		const before = outbox.chain().seq
		await ask('a', 'npm test')
		expect(kept[0]).toBe(0)
		expect(kept[1]).toBeGreaterThanOrEqual(before + 2)
	})

	it('says when the agent could not take the answer', async () => {
		await write(allowTests)
		const { agent, ask, responses, stored } = await start()
		agent.answer = async () => false
		void ask('a', 'npm test')
		await until(async () => (await responses()).length === 2)
		expect((await responses()).map(({ by, result }) => [by, result])).toEqual([
			['policy', 'approved'],
			['agent', 'cancelled'],
		])
		expect(await stored()).toHaveLength(1)
	})

	it('leaves questions to a person', async () => {
		await write({ answer: 'allow', tool: '*' }, { answer: 'deny', tool: 'AskUserQuestion' })
		const { agent, responses, stored } = await start()
		const questions = [{ question: 'Which?', header: null, options: [], multiple: false }]
		void agent.ask('a', { ...someAsk, tool: 'AskUserQuestion', input: { questions }, questions })

		await until(async () => (await stored()).length === 1)
		expect((await stored())[0]?.status).toBe('pending')
		expect(await responses()).toEqual([])
	})

	it('follows its file: changed, broken, changeable by others, gone', async () => {
		await write(denyPush)
		const { ask, policies, stored, troubles } = await start()
		const asked = async (name: string) => {
			const before = (await stored()).filter(({ status }) => status === 'pending').length
			void ask(name, 'npm test')
			await until(
				async () => (await stored()).filter(({ status }) => status === 'pending').length > before,
			)
		}
		const states = async () =>
			(await policies()).map(({ data }) => (data as { state: string }).state)
		await asked('a')
		await write(allowTests)
		expect(await ask('b', 'npm test')).toMatchObject({ decision: 'allow' })
		await writeFile(file, '{ "rules": [ { "answer": "allow", "comand": "npm test" } ] }')
		await asked('c')
		await asked('d')
		await write(allowTests)
		await chmod(file, 0o622)
		await asked('e')
		await chmod(file, 0o600)
		expect(await ask('f', 'npm test')).toMatchObject({ decision: 'allow' })
		await rm(file)
		await asked('g')
		await until(async () => (await states()).length === 6)
		expect(await states()).toEqual([
			...['in_force', 'in_force', 'refused', 'refused', 'in_force', 'none'],
		])
		expect((await policies())[2]?.text).toContain('line 1: "comand" is not known')
		expect((await policies())[3]?.text).toContain('chmod 600')
		expect(troubles.map(({ code }) => code)).toEqual(['policy_refused', 'policy_refused'])
	})

	it('is not there: nothing is said, everything is asked', async () => {
		const { ask, policies, stored } = await start()
		void ask('a', 'npm test')
		await until(async () => (await stored()).length === 1)
		expect((await stored())[0]?.status).toBe('pending')
		expect(await policies()).toEqual([])
	})

	it('an answer of the agent’s own that came first is said to hold', async () => {
		await write(allowTests)
		const { agent, ask, responses } = await start()
		agent.answer = async (id) => {
			agent.say({ type: 'withdrawn', id, result: 'denied' })
			return true
		}
		void ask('a', 'npm test')
		await until(async () => (await responses()).length === 2)
		expect((await responses()).map(({ by, result }) => [by, result])).toEqual([
			['policy', 'approved'],
			['agent', 'denied'],
		])
	})
})
