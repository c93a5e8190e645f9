/** Prompts, interrupts and changes of mode from other devices, as a server may deliver them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentOutput } from '../../source/agents/agent.ts'
import { createDevice, randomId } from '../../source/protocol/device.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import { ScriptedAgent } from '../tools/scripted-agent.ts'
import {
	addDevice,
	bodiesOf,
	command,
	makeHost,
	readSession,
	type TestHost,
	until,
} from './_host.ts'

let host: TestHost

beforeEach(async () => {
	host = await makeHost()
})
afterEach(async () => {
	await host[Symbol.asyncDispose]()
})

async function start(agent = new ScriptedAgent()) {
	const { id } = await host.run({ now: host.now }, agent)
	await until(async () => (await host.gateway.readSession(id)) !== null)
	const system = async (type: string) =>
		bodiesOf(await readSession(host, id), 'system').filter((body) => body.type === type)
	return {
		id,
		agent,
		system,
		/** Codes of refusals, once there are so many. */
		async refusals(count: number): Promise<unknown[]> {
			await until(async () => (await system('notice')).length >= count)
			return (await system('notice')).map(({ data }) => Object(data).code)
		},
	}
}

const ago = (ms: number) => new Date(Date.now() - ms).toISOString()
const minute = 60_000

/** A prompt of the other device, signed at `at`. */
function prompt(session: string, text: string, at = ago(0)) {
	return command(host, host.viewer, { kind: 'prompt', session, body: { text }, at })
}

const takes = (change: object = {}): AgentOutput => ({
	type: 'about',
	takes: { prompt: true, interrupt: true, modes: ['default', 'plan'], ...change },
})

describe('what is obeyed', () => {
	it('is recorded with the signed command', async () => {
		const { id, agent, system } = await start()
		const mail = prompt(id, 'go on')
		await host.gateway.postMail(mail)
		await until(async () => (await system('command')).length === 1)
		expect(agent.prompts).toEqual(['go on'])
		expect((await system('command'))[0]?.data).toMatchObject({
			command: mail.id,
			kind: 'prompt',
			by: host.viewer.record.id,
		})
	})

	it('is obeyed in the order in which it was sent, though the first one takes long', async () => {
		const agent = new ScriptedAgent()
		const held = Promise.withResolvers<void>()
		const order: string[] = []
		agent.prompt = async (text) => {
			if (text === 'first') await held.promise
			order.push(text)
		}
		agent.interrupt = async () => void order.push('interrupt')
		const { id, system } = await start(agent)
		await host.gateway.postMail(prompt(id, 'first'))
		await host.gateway.postMail(prompt(id, 'second'))
		await host.gateway.postMail(
			command(host, host.viewer, { kind: 'interrupt', session: id, body: {} }),
		)
		await until(
			async () => (await host.gateway.readMail(host.account.device.record.id)).length === 0,
		)
		expect(order).toEqual([])
		held.resolve()
		await until(async () => (await system('command')).length === 3)
		expect(order).toEqual(['first', 'second', 'interrupt'])
	})

	it('does not hold up what comes after it for ever', async () => {
		const agent = new ScriptedAgent()
		agent.prompt = () => new Promise(() => undefined)
		const { id } = await start(agent)
		await host.gateway.postMail(prompt(id, 'never taken'))
		await host.gateway.postMail(
			command(host, host.viewer, { kind: 'interrupt', session: id, body: {} }),
		)
		await until(() => agent.interrupts === 1)
	}, 30_000)

	it('is not obeyed again when a server delivers it again', async () => {
		const { id, agent, system } = await start()
		const mail = prompt(id, 'once')
		const again = { type: 'mail', mail: { ...mail, created_at: ago(0) } } as const
		await host.gateway.postMail(mail)
		await until(async () => (await system('command')).length === 1)
		host.backend.tellAccount(host.account.id, again)
		await host.gateway.postMail(mail)
		await host.gateway.postMail(prompt(id, 'after it'))
		await until(async () => (await system('command')).length === 2)
		expect(agent.prompts).toEqual(['once', 'after it'])
		expect(await system('notice')).toEqual([])
	})
})

describe('what is refused, and said', () => {
	it('what is older than ten minutes by the clock of this host', async () => {
		const { id, agent, refusals } = await start()
		await host.gateway.postMail(prompt(id, 'old', ago(10 * minute + 1000)))
		expect(await refusals(1)).toEqual(['command_expired'])
		await host.gateway.postMail(prompt(id, 'young enough', ago(9 * minute)))
		await until(() => agent.prompts.length > 0)
		expect(agent.prompts).toEqual(['young enough'])
	})

	it('what was held back until its time was over', async () => {
		const { id, agent, refusals } = await start()
		const held = [
			prompt(id, 'held back'),
			command(host, host.viewer, { kind: 'interrupt', session: id, body: {} }),
			command(host, host.viewer, { kind: 'mode', session: id, body: { mode: 'plan' } }),
		]
		host.advance(11 * minute)
		for (const mail of held) await host.gateway.postMail(mail)
		expect(await refusals(3)).toEqual(['command_expired', 'command_expired', 'command_expired'])
		expect([agent.prompts, agent.interrupts, agent.modes]).toEqual([[], 0, []])
	})

	it('what is dated far in the future', async () => {
		const { id, agent, refusals } = await start()
		await host.gateway.postMail(prompt(id, 'tomorrow', ago(-4 * minute)))
		expect(await refusals(1)).toEqual(['command_expired'])
		await host.gateway.postMail(prompt(id, 'a clock a little ahead', ago(-2 * minute)))
		await until(() => agent.prompts.length > 0)
		expect(agent.prompts).toEqual(['a clock a little ahead'])
	})

	it('what comes after a newer one of the same device', async () => {
		const { id, agent, refusals } = await start()
		const interrupt = command(host, host.viewer, {
			kind: 'interrupt',
			session: id,
			body: {},
			at: ago(2000),
		})
		await host.gateway.postMail(prompt(id, 'newer', ago(1000)))
		await until(() => agent.prompts.length === 1)
		await host.gateway.postMail(interrupt)
		expect(await refusals(1)).toEqual(['command_overtaken'])
		expect(agent.interrupts).toBe(0)
	})

	it('what the agent said it does not take, before the agent is asked', async () => {
		const { id, agent, system, refusals } = await start()
		agent.say(takes({ prompt: false, interrupt: false, modes: ['plan'] }))
		await until(async () => (await system('takes')).length === 1)
		await host.gateway.postMail(prompt(id, 'hello'))
		await host.gateway.postMail(
			command(host, host.viewer, { kind: 'interrupt', session: id, body: {} }),
		)
		const yolo = { kind: 'mode', session: id, body: { mode: 'bypassPermissions' } } as const
		await host.gateway.postMail(command(host, host.viewer, yolo))
		expect(await refusals(3)).toEqual(['agent_cannot', 'agent_cannot', 'agent_cannot'])
		expect([agent.prompts, agent.interrupts, agent.modes]).toEqual([[], 0, []])
		const plan = { kind: 'mode', session: id, body: { mode: 'plan' } } as const
		await host.gateway.postMail(command(host, host.viewer, plan))
		await until(() => agent.modes.length === 1)
		expect(agent.modes).toEqual(['plan'])
	})

	it('what the agent itself refuses, in its own words', async () => {
		const agent = new ScriptedAgent()
		agent.setMode = async () => {
			throw new StyrbyError('agent_refused', 'The agent did not change its mode: not now.')
		}
		const { id, system, refusals } = await start(agent)
		const mail = command(host, host.viewer, {
			kind: 'mode',
			session: id,
			body: { mode: 'plan' },
		})
		await host.gateway.postMail(mail)
		expect(await refusals(1)).toEqual(['agent_refused'])
		expect((await system('notice'))[0]).toMatchObject({
			text: 'The agent did not change its mode: not now.',
			data: { command: mail.id, device: host.viewer.record.id },
		})
		expect(await system('command')).toEqual([])
	})

	it.each([
		['of a device that is not in the log', 'command_unknown_device'],
		['of another session', 'command_moved'],
		['that says it is of another device', 'command_bad_signature'],
		['of a device that was revoked', 'command_revoked_device'],
	])('one %s', async (_, code) => {
		const { id, agent, refusals } = await start()
		const other = createDevice()
		const body = { text: 'do it' }
		const made = {
			command_unknown_device: () => command(host, other, { kind: 'prompt', session: id, body }),
			command_moved: () => ({ ...prompt(randomId(), 'do it'), session: id }),
			command_bad_signature: () =>
				command(
					host,
					{ ...host.viewer, signSecret: other.signSecret },
					{ kind: 'prompt', session: id, body },
				),
			command_revoked_device: () => prompt(id, 'do it'),
		}[code]
		if (!made) throw new Error(code)
		const mail = made()
		if (code === 'command_revoked_device') {
			await addDevice(host.account, other, 'tablet')
			await host.account.log.append(host.account.device, {
				type: 'revoke',
				at: ago(0),
				device: host.viewer.record.id,
				reason: null,
			})
		}
		await host.gateway.postMail(mail)
		expect(await refusals(1)).toEqual([code])
		expect(agent.prompts).toEqual([])
	})
})

describe('what a session takes', () => {
	it('is said when it changes, with the mode that it is in, and not again', async () => {
		const { agent, system } = await start()
		agent.say({ type: 'about', mode: 'plan', asks: true }, takes(), takes())
		agent.say(takes({ prompt: false }))
		await until(async () => (await system('takes')).length >= 2)
		expect((await system('takes')).map(({ data }) => data)).toEqual([
			{ prompt: true, interrupt: true, modes: ['default', 'plan'], mode: 'plan', asks: true },
			{ prompt: false, interrupt: true, modes: ['default', 'plan'], mode: 'plan', asks: true },
		])
	})

	it('is said again from time to time, for those who read only the end', async () => {
		const { id, agent, system } = await start()
		agent.say(takes())
		for (const times of [2, 3, 4]) {
			for (let line = 0; line < 120; line++) agent.text(`line ${line}`)
			await until(async () => (await system('takes')).length === times)
			const all = await readSession(host, id)
			const last = all.findLast(({ event }) => event.kind === 'system')
			expect(last?.event).toMatchObject({ body: { type: 'takes' } })
			expect(all.length - (last?.seq ?? 0)).toBeLessThan(200)
		}
	})
})
