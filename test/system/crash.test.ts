/** Death at any moment: what was acknowledged is there afterwards, once, and nobody is left behind. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive } from '../../source/config/is-alive.ts'
import { bash, Lab, type PrintedMessage, type Started, until } from '../tools/lab.ts'
import { childProcesses } from '../tools/processes.ts'

const steps = 12
const counting = (name: string) => `echo once >> ${name}.txt`

let lab: Lab

beforeAll(async () => {
	lab = await Lab.make({
		rules: [
			{
				match: '^WORK',
				turns: [
					...Array.from({ length: steps }, (_, n) => ({
						chunkDelayMs: 5,
						blocks: [
							{ text: `Step ${n} of the work, with some words to it.` },
							{ tool: 'Glob', input: { pattern: `*.step-${n}` } },
						],
					})),
					[{ text: 'the work is done' }],
				],
			},
			...Array.from({ length: 10 }, (_, n) => ({
				match: `^COUNT-${n}`,
				turns: [[bash(counting(`count-${n}`))], [{ text: 'counted' }]],
			})),
		],
	})
}, 300_000)

afterAll(async () => {
	await lab[Symbol.asyncDispose]()
})

async function agentOf(host: Started): Promise<number> {
	let found: number | undefined
	await until(async () => {
		const children = await childProcesses(host.child.pid ?? 0)
		found = children.find(({ command }) => command.includes('stream-json'))?.pid
		return found !== undefined || host.result
	})
	return found ?? 0
}

const messagesOf = (host: Started) => host.printed().filter((line) => 'seq' in line)

/** Everything that the host said was kept is there, as it was, at its place, once. */
function expectKept(host: Started, shown: readonly PrintedMessage[], at: string): void {
	const bySeq = new Map(shown.map((message) => [message.seq, message]))
	expect(bySeq.size, at).toBe(shown.length)
	const problems = shown.filter(({ problem, verified }) => problem !== null || !verified)
	expect(problems, at).toEqual([])
	for (const { seq, kind, body } of messagesOf(host)) {
		expect(bySeq.get(Number(seq)), at).toMatchObject({ kind, body })
	}
}

async function killBackend(): Promise<void> {
	const backend = await lab.backend()
	if (backend) process.kill(backend.pid, 'SIGKILL')
}

async function lines(name: string): Promise<number> {
	try {
		const text = await readFile(join(lab.cwd, `${name}.txt`), 'utf8')
		return text.split('\n').length - 1
	} catch {
		// The command never ran.
		return 0
	}
}

/** A moment between the start of an agent and the end of its work. */
const someMoment = () => Math.round(Math.random() * 2500)

describe('of the host', () => {
	it.each([
		[1, false],
		[2, false],
		[3, false],
		[4, true],
		[5, true],
	])('while it publishes (%i, the backend too: %s)', async (_, backendToo) => {
		const { host, id } = await lab.headless('WORK')
		const agent = await agentOf(host)
		const moment = someMoment()
		await sleep(moment)
		host.child.kill('SIGKILL')
		if (backendToo) await killBackend()
		await host.done
		const at = `killed ${moment} ms after the agent came up`
		const shown = await lab.show(id)
		expectKept(host, shown, at)
		expect(shown.at(-1), at).toMatchObject({ kind: 'status', body: { status: 'stopped' } })
		expect(await lab.session(id), at).toMatchObject({ status: 'stopped' })
		await until(
			() => !isAlive(agent),
			() => `the agent of a dead host lives on (${at})`,
		)
		// Another recovery finds nothing to do.
		expect(await lab.show(id), at).toHaveLength(shown.length)
	})

	it.each([0, 1, 2])('while a decision is on its way (%i)', async (n) => {
		const { host, id } = await lab.headless(`COUNT-${n}`)
		const { id: request } = await lab.request(id)
		const approving = lab.start(['approve', request, '--yes', '--wait', '3'])
		await until(() => approving.stdout.includes('sent: ') || approving.result, approving)
		const moment = Math.round(Math.random() * 60)
		await sleep(moment)
		host.child.kill('SIGKILL')
		await host.done
		await approving.done
		const shown = await lab.show(id)
		expectKept(host, shown, `killed after ${moment} ms`)
		const responses = shown.filter(({ kind }) => kind === 'permission_response')
		expect(responses).toHaveLength(1)
		const result = responses[0]?.body?.result
		const ran = await lines(`count-${n}`)
		// What was not approved has not run; what was approved has not run twice.
		if (result === 'approved') expect(ran).toBeLessThanOrEqual(1)
		else expect({ result, ran }).toEqual({ result: 'cancelled', ran: 0 })
	})
})

describe('of the backend', () => {
	it.each([6, 7])('while a session runs and its request waits (%i)', async (n) => {
		const { host, id } = await lab.headless(`COUNT-${n}`)
		await sleep(someMoment())
		await killBackend()
		// The host goes on meanwhile, and starts it again where no command comes first.
		if (n === 7) await until(() => lab.backend())
		const { id: request } = await pending(id)
		const { code } = await lab.run(['approve', request, '--yes', '--wait', '30'])
		expect(code).toBe(0)
		expect((await host.done).code).toBe(0)
		const shown = await lab.show(id)
		expectKept(host, shown, 'backend killed')
		expect(shown.map(({ seq }) => seq)).toEqual(shown.map((_, index) => index + 1))
		expect(await lines(`count-${n}`)).toBe(1)
	})
})

describe('of the backend under a viewer', () => {
	it('is seen, and it comes back by itself', async () => {
		await using viewer = lab.terminal([], { columns: 120, rows: 40 })
		await viewer.until('● connected')
		await killBackend()
		await viewer.until((text) => !text.includes('● connected'))
		await viewer.until('● connected')
	})
})

describe('of the viewer', () => {
	it.each([8, 9])('right after it was told to allow (%i)', async (n) => {
		const { host, id } = await lab.headless(`COUNT-${n}`)
		const viewer = lab.terminal([], { columns: 120, rows: 40 })
		await viewer.until((text) => text.includes('waiting'))
		if (!viewer.text().includes('[d] deny')) await viewer.type('n')
		await viewer.until((text) => text.includes(counting(`count-${n}`)) && text.includes('[d] deny'))
		await sleep(700)
		await viewer.press('a')
		await sleep(Math.random() * 100)
		viewer.kill('SIGKILL')
		await viewer[Symbol.asyncDispose]()
		// Either the host has it, or it waits as before.
		const waiting = (await lab.requests()).find((one) => one.session === id)
		if (waiting) await lab.run(['approve', waiting.id, '--yes', '--wait', '30'])
		expect((await host.done).code).toBe(0)
		const shown = await lab.show(id)
		expectKept(host, shown, 'viewer killed')
		const responses = shown.filter(({ kind }) => kind === 'permission_response')
		expect(responses).toMatchObject([{ body: { result: 'approved', by: 'device' } }])
		expect(await lines(`count-${n}`)).toBe(1)
	})
})

/** The request of a session, as soon as the backend knows it. */
async function pending(session: string) {
	let found: Awaited<ReturnType<Lab['requests']>>[number] | undefined
	await until(async () => {
		found = (await lab.requests()).find((one) => one.session === session)
		return found
	})
	if (!found) throw new Error('No request')
	return found
}
