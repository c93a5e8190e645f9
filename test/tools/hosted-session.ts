/** One session with messages of every kind that matters, hosted here, its agent in the hands of the test. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RequestRow } from '../../source/backend/gateway.ts'
import { type Context, openContext } from '../../source/commands/context.ts'
import { processIo } from '../../source/commands/io.ts'
import { SessionHost } from '../../source/host/session-host.ts'
import type { TestHome } from './program.ts'
import { ScriptedAgent, someAsk } from './scripted-agent.ts'

/** This process as one more command of a home. */
export function contextOf(home: TestHome): Promise<Context> {
	return openContext({ ...processIo(), env: home.env, cwd: home.folder })
}

export interface Hosted extends AsyncDisposable {
	session: string
	agent: ScriptedAgent
	host: SessionHost
}

export async function hostSession(context: Context, prompt: string): Promise<Hosted> {
	const { account, gateway, home } = context
	const host = await SessionHost.open({
		account,
		gateway,
		dataFolder: home.data,
		agent: 'claude',
		cwd: '/home/dev/api-server',
		prompt,
		project: 'plain',
		timeoutMs: 3600_000,
	})
	const agent = new ScriptedAgent()
	const running = host.run(agent)
	return {
		session: host.session,
		agent,
		host,
		async [Symbol.asyncDispose]() {
			agent.finish()
			await running
		},
	}
}

/** Waits for a condition, however long the machine takes. */
export async function until<T>(
	what: string,
	look: () => Promise<T | null | undefined | false>,
	ms = 30_000,
): Promise<T> {
	const end = performance.now() + ms
	for (;;) {
		const found = await look()
		if (found) return found
		if (performance.now() > end) throw new Error(`it never came to this: ${what}`)
		await sleep(20)
	}
}

/** Asks for something, and resolves with the request's row once the backend has it. */
export function asked(
	{ gateway }: Context,
	{ agent, session }: Hosted,
	command: string,
): Promise<RequestRow> {
	const tool_use = `tool-${command}`
	void agent.ask(command, { ...someAsk, tool_use, input: { command } })
	return until('a request waits', async () => {
		const rows = await gateway.listRequests({ status: 'pending', limit: 50, session })
		const fresh = rows.find((row) => !seen.has(row.id))
		if (fresh) seen.add(fresh.id)
		return fresh
	})
}

/** Requests that a test has in its hands. */
const seen = new Set<string>()
