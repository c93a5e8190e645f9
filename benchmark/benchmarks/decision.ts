import { setTimeout as sleep } from 'node:timers/promises'
import { HostedAgent } from '../harness/agent.ts'
import { BareChannel } from '../harness/bare.ts'
import type { Benchmark } from '../harness/benchmark.ts'
import { openProfile } from '../harness/profile.ts'
import { Screen } from '../harness/screen.ts'
import { quantileRow } from './live.ts'

const requests = 30
/** An answer is taken when the request has been on the screen for a while: the person's own time, ms. */
const lookMs = 900

/**
 * From the agent's question to its card on the screen, and from the key to the answer at the agent; the
 * time a person looks in between is left out.
 */
export const decision: Benchmark = {
	name: 'decision',
	summary: 'request → viewer → approve → the agent goes on',
	async run() {
		await using profile = await openProfile()
		await using agent = await HostedAgent.start(profile)
		await using screen = new Screen({ env: profile.env })
		await screen.until('Ready.')
		await using bare = await BareChannel.open(await profile.backend())
		const took: number[] = []
		const floors: number[] = []
		for (let index = -3; index < requests; index++) {
			const command = `make step-${index + 3}-of-${requests}`
			const shown = screen.until((text) => text.includes(command) && text.includes('allow'))
			const { printed, answered } = agent.ask(command)
			const coming = (await shown) - (await printed)
			await sleep(lookMs)
			const pressed = screen.press('a')
			const going = (await within(answered, command, screen)) - pressed
			await agent.done(command)
			await screen.until((text) => !text.includes('waiting'))
			const floor = await bare.once()
			if (index < 0) continue
			took.push(coming + going)
			floors.push(floor)
		}
		return [
			quantileRow({ name: 'p50', q: 0.5, goal: 20 }, took, floors),
			quantileRow({ name: 'p95', q: 0.95, goal: 50 }, took, floors),
		].map((row) => ({ ...row, what: `request → viewer → approve → agent goes on, ${row.what}` }))
	},
}

async function within(answered: Promise<number>, command: string, screen: Screen): Promise<number> {
	let timer: NodeJS.Timeout | undefined
	const late = new Promise<never>((_, reject) => {
		const fail = () => reject(new Error(`${command} was not answered:\n${screen.text()}`))
		timer = setTimeout(fail, 15_000)
	})
	return Promise.race([answered, late]).finally(() => clearTimeout(timer))
}
