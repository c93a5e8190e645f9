/** An approval and a denial at the same moment, by two processes, on a session of the real Claude Code. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bash, Lab, type Started, until } from '../../tools/lab.ts'

const rounds = 100
const commandRounds = 3
const fileOf = (round: number) => `round-${round}.txt`
const asking = (count: number, offset: number) => [
	...Array.from({ length: count }, (_, n) => [bash(`touch ${fileOf(offset + n)}`)]),
	[{ text: 'all asked' }],
]

let lab: Lab

beforeAll(async () => {
	lab = await Lab.make({
		rules: [
			{ match: '^PROCESSES', turns: asking(rounds, 0) },
			{ match: '^COMMANDS', turns: asking(commandRounds, 1000) },
		],
	})
}, 300_000)

afterAll(async () => {
	await lab[Symbol.asyncDispose]()
})

type Printed = Record<string, unknown>

/** The n-th request that a host has printed. */
async function request(host: Started, n: number): Promise<string> {
	const requests = () => host.printed().filter(({ kind }) => kind === 'permission_request')
	await until(() => requests().length > n || host.result, host)
	return String(Object(requests()[n]?.body).request)
}

/** The text that the agent got in place of a result, by file. */
function results(host: Started): Map<string, { ok: boolean; text: string }> {
	const calls = new Map<string, string>()
	const found = new Map<string, { ok: boolean; text: string }>()
	for (const { kind, body } of host.printed()) {
		const { tool_use: id, input, ok, text } = Object(body)
		if (kind === 'tool_use') calls.set(id, String(Object(input).command).replace('touch ', ''))
		if (kind === 'tool_result') found.set(calls.get(id) ?? '', { ok, text })
	}
	return found
}

/** What the agent did is what the winner said, and the loser was told who won. */
function judge(host: Started, round: number, approved: Printed, denied: Printed): 'allow' | 'deny' {
	const won = [approved, denied].filter(({ stage }) => stage === 'applied' || stage === 'verified')
	const lost = [approved, denied].filter(({ stage }) => stage === 'lost')
	expect({ round, won: won.length, lost: lost.length }).toEqual({ round, won: 1, lost: 1 })
	const decision = won[0] === approved ? 'allow' : 'deny'
	const result = decision === 'allow' ? 'approved' : 'denied'
	expect(lost[0]).toMatchObject({ winner: { result } })
	expect(lost[0]?.why).toContain(`was faster: ${result}`)
	expect(existsSync(join(lab.cwd, fileOf(round)))).toBe(decision === 'allow')
	const told = results(host).get(fileOf(round))
	expect(told?.ok).toBe(decision === 'allow')
	if (decision === 'deny') expect(told?.text).toBe(`no to ${round}`)
	return decision
}

it(`has exactly one winner, ${rounds} times, and the agent does what the winner said`, async () => {
	const { host, id } = await lab.headless('PROCESSES')
	const decider = join(import.meta.dirname, '../../tools/decider.ts')
	const [approver, denier] = [lab.program([decider]), lab.program([decider])]
	for (const one of [approver, denier])
		await until(() => one.printed().length > 0 || one.result, one)
	for (let round = 0; round < rounds; round++) {
		const asked = await request(host, round)
		const order = { request: asked, at: Date.now() + 60 }
		// Whoever is a little late wins less often; it takes turns.
		const lag = (round % 5) - 2
		const say = (one: Started, line: Printed) => one.child.stdin?.write(`${JSON.stringify(line)}\n`)
		say(approver, { ...order, decision: 'allow', at: order.at + Math.max(0, lag) })
		say(denier, {
			...order,
			decision: 'deny',
			reason: `no to ${round}`,
			at: order.at + Math.max(0, -lag),
		})
		await until(
			() => [approver, denier].every((one) => one.printed().length > round + 1),
			() => `${round}: ${approver.stdout}${approver.stderr}${denier.stdout}${denier.stderr}`,
		)
	}
	expect((await host.done).code).toBe(0)
	const won = { allow: 0, deny: 0 }
	for (let round = 0; round < rounds; round++) {
		const [approved, denied] = [approver, denier].map((one) => one.printed()[round + 1] ?? {})
		won[judge(host, round, approved ?? {}, denied ?? {})]++
	}
	// Else they have not met.
	expect(Math.min(won.allow, won.deny)).toBeGreaterThan(0)

	const answers = (await lab.show(id)).filter(({ kind }) => kind === 'permission_response')
	expect(answers).toHaveLength(rounds)
	expect(answers.every(({ verified, body }) => verified && body?.by === 'device')).toBe(true)
}, 240_000)

it(`by the commands: one ends with 0, the other says who was faster, ${commandRounds} times`, async () => {
	const { host } = await lab.headless('COMMANDS')
	const ended: [Printed, Printed][] = []
	for (let round = 0; round < commandRounds; round++) {
		const asked = await request(host, round)
		const reason = `no to ${1000 + round}`
		const [approved, denied] = await Promise.all([
			lab.run(['approve', asked, '--yes', '--json', '--wait', '30']),
			lab.run(['deny', asked, '--yes', '--json', '--wait', '30', '--reason', reason]),
		])
		expect([approved.code, denied.code].sort()).toEqual([0, 1])
		ended.push([JSON.parse(approved.stdout), JSON.parse(denied.stdout)])
	}
	expect((await host.done).code).toBe(0)
	for (const [round, [approved, denied]] of ended.entries()) {
		const winner = approved.accepted ? approved : denied
		const loser = approved.accepted ? denied : approved
		expect(winner).toMatchObject({ accepted: true })
		expect(loser).toMatchObject({ accepted: false, stage: 'lost' })
		const allowed = winner === approved
		expect(loser.why).toContain(allowed ? 'approved' : 'denied')
		expect(existsSync(join(lab.cwd, fileOf(1000 + round)))).toBe(allowed)
	}
})
