import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { HookedCall } from '../../source/agents/hooked.ts'
import { ResidentHost } from '../../source/host/hooks/resident-host.ts'
import type { StyrbyError } from '../../source/protocol/errors.ts'
import { makeHost, readSession, type TestHost } from './_host.ts'

let home: TestHost
let resident: ResidentHost
let transcript = ''
let troubles: StyrbyError[] = []
const agents: ChildProcess[] = []

beforeEach(async () => {
	home = await makeHost()
	troubles = []
	const folder = join(home.dataFolder, 'claude', 'projects', 'p')
	await mkdir(folder, { recursive: true })
	transcript = join(folder, 's1.jsonl')
	resident = new ResidentHost({
		account: home.account,
		gateway: home.gateway,
		dataFolder: home.dataFolder,
		project: 'encrypted',
		times: { request: 60_000, hold: 30_000 },
		need: () => ({ async [Symbol.asyncDispose]() {} }),
		onTrouble: (error) => troubles.push(error),
	})
})

afterEach(async () => {
	await resident[Symbol.asyncDispose]()
	for (const agent of agents.splice(0)) agent.kill('SIGKILL')
	await home[Symbol.asyncDispose]()
})

/** A process that stands for the agent's. */
function agent(): number {
	const child = spawn('sleep', ['600'])
	agents.push(child)
	return child.pid ?? 0
}

function call(pid: number, event: string, more: Record<string, unknown> = {}) {
	const answered: string[] = []
	const about = { session_id: 's1', cwd: '/p', transcript_path: transcript }
	const made: HookedCall = {
		body: JSON.stringify({ hook_event_name: event, ...about, ...more }),
		pid,
		at: Date.now(),
		respond: async (text) => {
			answered.push(text)
			return true
		},
		onHangUp() {},
	}
	resident.take('claude', made)
	return answered
}

async function until(holds: () => unknown): Promise<void> {
	const end = Date.now() + 15_000
	while (!(await holds())) {
		if (Date.now() > end) throw new Error('Not in time')
		await new Promise((resolve) => setTimeout(resolve, 20))
	}
}

const sessions = () => home.gateway.listSessions({ limit: 10 })

async function says(text: string): Promise<void> {
	const line = {
		type: 'user',
		uuid: text,
		timestamp: new Date().toISOString(),
		message: { role: 'user', content: text },
	}
	await appendFile(transcript, `${JSON.stringify(line)}\n`)
}

async function prompts(session: string): Promise<string[]> {
	return (await readSession(home, session)).flatMap(({ event }) =>
		event.kind === 'user_prompt' ? [event.body.text] : [],
	)
}

describe.skipIf(process.platform === 'win32')('sessions that were started without us', () => {
	test('one from its first call to its last; what comes late begins none', async () => {
		const pid = agent()
		call(pid, 'SessionStart')
		call(pid, 'UserPromptSubmit')
		await says('hello')
		await until(async () => (await sessions()).length === 1)
		const [session] = await sessions()
		await until(async () => (await prompts(session?.id ?? '')).length === 1)
		expect(call(pid, 'SessionEnd')).toEqual([''])
		await until(async () => (await sessions())[0]?.status === 'stopped')
		await until(() => resident.sessions === 0)
		expect(call(pid, 'PostToolUse')).toEqual([''])
		expect(call(pid, 'Stop')).toEqual([''])
		expect(resident.sessions).toBe(0)
		expect(troubles).toEqual([])
	})

	test('resumed by another process: a session of its own, with what is new', async () => {
		const first = agent()
		call(first, 'SessionStart')
		await says('before')
		await until(async () => (await sessions()).length === 1)
		const [one] = await sessions()
		await until(async () => (await prompts(one?.id ?? '')).length === 1)
		call(first, 'SessionEnd')
		await new Promise((resolve) => setTimeout(resolve, 100))
		const second = agent()
		call(second, 'SessionStart')
		await says('after')
		await until(async () => (await sessions()).length === 2)
		const other = (await sessions()).find(({ id }) => id !== one?.id)
		await until(async () => (await prompts(other?.id ?? '')).length === 1)
		expect(await prompts(other?.id ?? '')).toEqual(['after'])
	})

	test('an agent that is killed ends its session with an error', async () => {
		const pid = agent()
		call(pid, 'SessionStart')
		await until(async () => (await sessions()).length === 1)
		const [child] = agents
		child?.kill('SIGKILL')
		if (child) await once(child, 'exit')
		await until(async () => (await sessions())[0]?.status === 'error')
	})

	test('the host ends: what waits is let go without an answer, the agent is not ended', async () => {
		const pid = agent()
		call(pid, 'SessionStart')
		const tool = { tool_name: 'Bash', tool_input: { command: 'rm x' }, permission_suggestions: [] }
		const asked = call(pid, 'PermissionRequest', tool)
		await until(
			async () => (await home.gateway.listRequests({ status: 'pending', limit: 5 })).length === 1,
		)
		await resident[Symbol.asyncDispose]()
		expect(asked).toEqual([''])
		expect((await sessions())[0]?.status).toBe('stopped')
		expect((await home.gateway.listRequests({ status: 'all', limit: 5 }))[0]?.status).toBe(
			'cancelled',
		)
		expect(agents[0]?.exitCode).toBeNull()
	})

	test.each(['', 'no json', '[]', '{"hook_event_name":"Stop"}', '{"session_id":5}'])(
		'what says nothing of a session is let go: %j',
		async (body) => {
			const said: string[] = []
			const respond = async (text: string) => said.push(text) > 0
			resident.take('claude', { body, pid: 1, at: 0, respond, onHangUp() {} })
			resident.take('nobody', { body, pid: 1, at: 0, respond, onHangUp() {} })
			expect(said).toEqual(['', ''])
			expect(resident.sessions).toBe(0)
		},
	)
})
