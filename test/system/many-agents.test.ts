/** Twelve agents on twelve sessions at once, against one backend. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Lab } from '../tools/lab.ts'

const agents = 12
const steps = 8
const words = (agent: number, step: number) => `agent ${agent} has come to step ${step}`

let lab: Lab

beforeAll(async () => {
	lab = await Lab.make({
		rules: Array.from({ length: agents }, (_, agent) => ({
			match: `^WORK ${agent}$`,
			turns: [
				...Array.from({ length: steps }, (_, step) => [
					{ text: words(agent, step) },
					{ tool: 'Glob', input: { pattern: `*.${agent}-${step}` } },
				]),
				[{ text: words(agent, steps) }],
			],
		})),
	})
	// The account is made once, not by twelve at once.
	await lab.sessions()
}, 300_000)

afterAll(async () => {
	await lab[Symbol.asyncDispose]()
})

it('nothing is lost, mixed up or twice', async () => {
	const hosts = Array.from({ length: agents }, (_, agent) =>
		lab.start(['run', 'claude', '--headless', `WORK ${agent}`, '--json']),
	)
	const ends = await Promise.all(hosts.map((host) => host.done))
	expect(ends.map(({ code }) => code)).toEqual(hosts.map(() => 0))
	const listed = await lab.sessions()
	expect(listed).toHaveLength(agents)
	for (const [agent, host] of hosts.entries()) {
		const [{ session } = {}, ...printed] = host.printed()
		const shown = await lab.show(String(session))
		const rows = shown.map(({ seq }) => seq)
		expect(rows).toEqual(rows.map((_, index) => index + 1))
		expect(shown.every(({ verified, problem }) => verified && problem === null)).toBe(true)
		// All that the host kept, and nothing else.
		const kept = printed.filter((line) => 'seq' in line)
		expect(shown.map(({ seq, kind, body }) => ({ seq, kind, body }))).toEqual(
			kept.map(({ seq, kind, body }) => ({ seq, kind, body })),
		)
		const said = shown.filter(({ kind }) => kind === 'agent_response').map(({ body }) => body?.text)
		expect(said).toEqual(Array.from({ length: steps + 1 }, (_, step) => words(agent, step)))
		expect(listed.find(({ id }) => id === session)).toMatchObject({ status: 'stopped' })
	}
}, 240_000)
