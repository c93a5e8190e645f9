import { afterEach, beforeEach, expect, it } from 'vitest'
import type { RunningAgent } from '../../source/agents/agent.ts'
import type { SessionHostOptions } from '../../source/host/session-host.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import { ScriptedAgent } from '../tools/scripted-agent.ts'
import { bodiesOf, makeHost, readSession, type TestHost, until } from './_host.ts'

let host: TestHost
beforeEach(async () => {
	host = await makeHost()
})
afterEach(() => host[Symbol.asyncDispose]())

const open = (more: Partial<SessionHostOptions> = {}) =>
	host.openSession({ project: 'plain', ...more })

it('publishes what its agent says, names the session by its first prompt, and ends with the agent', async () => {
	const known: string[] = []
	const session = await open({ onAgentSession: (id) => known.push(id) })
	const agent = new ScriptedAgent()
	const at = new Date().toISOString()
	agent.say({ type: 'about', session: 'theirs', model: 'm', mode: 'auto', asks: false })
	const body = { text: '\n  Add a limit \nto the login', source: 'agent' } as const
	agent.say({ type: 'event', at, event: { kind: 'user_prompt', body } })
	agent.say({ type: 'status', status: 'running' })
	agent.text('done')
	agent.finish({ code: 3, signal: null, stderr: 'no more memory\n' })
	const end = await session.run(agent)
	expect(end).toEqual({
		status: 'error',
		code: 3,
		signal: null,
		delivered: true,
		pending: 0,
		revoked: null,
	})
	expect(known).toEqual(['theirs'])
	const row = await host.gateway.readSession(session.session)
	expect(row).toMatchObject({ status: 'error', project: 'api-server', pending: 0 })
	expect(row?.ended_at).not.toBeNull()
	const label = row?.label && host.account.openLabel(`session:${session.session}`, row.label)
	expect(label).toMatchObject({ title: 'Add a limit', cwd: '/home/dev/api-server' })
	const events = await readSession(host, session.session)
	expect(bodiesOf(events, 'status').map(({ status }) => status)).toEqual([
		'starting',
		'running',
		'error',
	])
	expect(bodiesOf(events, 'error')).toEqual([{ code: 'agent_failed', text: 'no more memory\n' }])
	expect(bodiesOf(events, 'system').map(({ type, data }) => ({ type, data }))).toEqual([
		{ type: 'about', data: { session: 'theirs', model: 'm' } },
		{ type: 'mode', data: { mode: 'auto', asks: false } },
	])
})

it('goes on though its home can not note the agent’s own id', async () => {
	const troubles: string[] = []
	const session = await open({
		onAgentSession: () => {
			throw new StyrbyError('disk_full', 'The disk is full.')
		},
		onTrouble: (error) => troubles.push(error.code),
	})
	const agent = new ScriptedAgent()
	agent.say({ type: 'about', session: 'theirs' })
	agent.text('done')
	agent.finish()
	expect(await session.run(agent)).toMatchObject({ status: 'stopped', delivered: true })
	expect(troubles).toEqual(['disk_full'])
	const events = await readSession(host, session.session)
	expect(bodiesOf(events, 'agent_response').map(({ text }) => text)).toEqual(['done'])
})

it('keeps the project that it began in, wherever the agent goes', async () => {
	const session = await open()
	const agent = new ScriptedAgent()
	agent.say({ type: 'about', cwd: '/home/dev/api-server/packages/login' })
	agent.finish()
	await session.run(agent)
	const row = await host.account.gateway.readSession(session.session)
	expect(row?.project).toBe('api-server')
	if (!row?.label) throw new Error('no label')
	expect(host.account.openLabel(`session:${row.id}`, row.label)).toMatchObject({
		project: 'api-server',
		cwd: '/home/dev/api-server/packages/login',
	})
})

it('ends a session whose agent breaks, denies what waits, and says so', async () => {
	const session = await open()
	const agent = new ScriptedAgent()
	const asked = agent.ask('a')
	const broken: RunningAgent = {
		name: 'claude',
		ended: agent.ended,
		answer: (id, answer) => agent.answer(id, answer),
		prompt: (text) => agent.prompt(text),
		interrupt: () => agent.interrupt(),
		setMode: async () => {},
		stop: () => agent.stop(),
		output: (async function* () {
			for await (const output of agent.output) {
				yield output
				throw new StyrbyError('agent_failed', 'The agent broke.')
			}
		})(),
		[Symbol.asyncDispose]: () => agent.stop(),
	}
	await expect(session.run(broken)).rejects.toMatchObject({ code: 'agent_failed' })
	expect(await asked).toMatchObject({ decision: 'deny' })
	const events = await readSession(host, session.session)
	expect(bodiesOf(events, 'error').map(({ code }) => code)).toEqual(['agent_failed'])
	expect(bodiesOf(events, 'permission_response').map(({ result }) => result)).toEqual(['cancelled'])
	expect(await host.gateway.readSession(session.session)).toMatchObject({
		status: 'error',
		pending: 0,
	})
})

it('ends with its agent on a full disk, and says what was lost', async () => {
	const troubles: string[] = []
	const session = await open({ onTrouble: (error) => troubles.push(error.code) })
	const agent = new ScriptedAgent()
	const running = session.run(agent)
	agent.text('kept')
	await until(() => session.publisher.outbox.chain().seq === 2)
	session.publisher.outbox.commit = () => {
		throw new StyrbyError('outbox_full', 'The disk is full.')
	}
	for (let n = 0; n < 1500; n++) agent.text(`${n}`)
	agent.finish()
	expect(await running).toMatchObject({ status: 'stopped', delivered: false })
	expect(new Set(troubles)).toEqual(new Set(['outbox_full', 'events_lost']))
})

it('is not hosted twice, and gives its lock back', async () => {
	const session = await open()
	expect(await host.locks(session.session)).toBeNull()
	await session.fail(new StyrbyError('agent_not_installed', 'Not there.'))
	expect(await host.locks(session.session)).not.toBeNull()
	await session[Symbol.asyncDispose]()
})
