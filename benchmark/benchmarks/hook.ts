import { createServer, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { BareChannel } from '../harness/bare.ts'
import type { Benchmark } from '../harness/benchmark.ts'
import { NativeAgent } from '../harness/native-agent.ts'
import { monotonicMs } from '../harness/processes.ts'
import { openProfile } from '../harness/profile.ts'
import { Screen } from '../harness/screen.ts'
import { quantileRow } from './live.ts'

const requests = 30
const flows = 200
/** An answer is taken when the request has been on the screen for a while: the person's own time, ms. */
const lookMs = 900

/** What a session in Claude Code's own interface waits for our hooks, beyond the time that a person takes. */
export const hook: Benchmark = {
	name: 'hook',
	summary: "hooks of a native session: what the agent waits for beyond the person's own time",
	async run() {
		await using profile = await openProfile()
		await using agent = await NativeAgent.start(profile)
		await using screen = new Screen({ env: profile.env })
		await screen.until('connected')
		await using bare = await BareChannel.open(await profile.backend())
		await using floor = await BareServer.start()
		const [asked, askedFloor, flow, flowFloor]: [number[], number[], number[], number[]] = [
			[],
			[],
			[],
			[],
		]
		for (let index = -10; index < flows; index++) {
			const { sent, answered } = await agent.call('Notification', { message: `Step ${index}` })
			const least = await floor.once()
			if (index < 0) continue
			flow.push(answered - sent)
			flowFloor.push(least)
		}
		for (let index = -3; index < requests; index++) {
			const command = `make step-${index + 3}-of-${requests}`
			const tool_input = { command, description: 'Part of a benchmark' }
			const shown = screen.until((text) => text.includes(command) && text.includes('allow'))
			const trip = agent.call('PermissionRequest', { tool_name: 'Bash', tool_input })
			const seen = await shown
			await sleep(lookMs)
			const pressed = screen.press('a')
			const { sent, answered, text } = await trip
			if (!text.includes('"allow"')) throw new Error(`The hook was answered with ${text}`)
			const done = { tool_name: 'Bash', tool_input, tool_use_id: `toolu_${index + 3}` }
			await agent.call('PostToolUse', { ...done, tool_response: {} })
			await screen.until((text) => !text.includes('waiting'))
			const least = await bare.once()
			if (index < 0) continue
			asked.push(seen - sent + (answered - pressed))
			askedFloor.push(least)
		}
		const what = "a permission hook of Claude Code's, beyond the person's time"
		return [
			...[
				quantileRow({ name: 'p50', q: 0.5, goal: 60 }, asked, askedFloor),
				quantileRow({ name: 'p95', q: 0.95, goal: 120 }, asked, askedFloor),
			].map((row) => ({ ...row, what: `${what}, ${row.what}` })),
			withFloor(
				quantileRow({ name: 'p50', q: 0.5, goal: 60 }, flow, flowFloor),
				'any other hook, let go at once, p50',
			),
		]
	},
}

type Row = ReturnType<typeof quantileRow>

function withFloor(row: Row, what: string): Row {
	const floor = row.floor && { ...row.floor, what: 'a call to a bare node:http server' }
	return { ...row, what, ...(floor ? { floor } : {}) }
}

/** The least that an HTTP call on loopback takes, connection and all kept open. */
class BareServer implements AsyncDisposable {
	readonly #server = createServer((_, response) => response.end())

	static async start(): Promise<BareServer> {
		const bare = new BareServer()
		await new Promise<void>((resolve) => bare.#server.listen(0, '127.0.0.1', resolve))
		return bare
	}

	/** ms of one call. */
	async once(): Promise<number> {
		const address = this.#server.address()
		const port = address !== null && typeof address === 'object' ? address.port : 0
		const before = monotonicMs()
		await new Promise<void>((resolve, reject) => {
			const call = request({ port, host: '127.0.0.1', method: 'POST' }, (response) => {
				response.resume().once('end', resolve)
			})
			call.once('error', reject).end('{}')
		})
		return monotonicMs() - before
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#server.closeAllConnections()
		await new Promise((resolve) => this.#server.close(resolve))
	}
}
