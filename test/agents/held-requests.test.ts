import { expect, test } from 'vitest'
import type { AgentOutput } from '../../source/agents/agent.ts'
import { HeldRequests } from '../../source/agents/held-requests.ts'

function call() {
	const said: string[] = []
	let gone = false
	let listener = () => {}
	return {
		said,
		body: '{}',
		respond: async (text: string) => {
			if (gone) return false
			said.push(text)
			return true
		},
		onHangUp(then: () => void) {
			listener = then
		},
		hangUp() {
			gone = true
			listener()
		},
		vanish() {
			gone = true
		},
	}
}

function held(holdMs = 60_000) {
	const told: AgentOutput[] = []
	return { told, requests: new HeldRequests((output) => told.push(output), holdMs) }
}

test('allowed from elsewhere: told once, and applied when the tool has run', async () => {
	const { told, requests } = held()
	const one = call()
	const id = requests.hold('a', one)
	expect(await requests.answer(id, 'allow', 'yes')).toBe(true)
	expect(await requests.answer(id, 'deny', 'no')).toBe(false)
	expect(one.said).toEqual(['yes'])
	requests.ran('b')
	expect(told).toEqual([])
	requests.ran('a')
	expect(told).toEqual([{ type: 'applied', id }])
})

test('denied from elsewhere: nothing is heard of the tool any more', async () => {
	const { told, requests } = held()
	const id = requests.hold('a', call())
	expect(await requests.answer(id, 'deny', 'no')).toBe(true)
	expect(told).toEqual([{ type: 'applied', id }])
})

test('answered at the agent, given up, or over: withdrawn, and let go without an answer', async () => {
	const { told, requests } = held()
	const [ran, gone, over] = [call(), call(), call()]
	const ids = [requests.hold('a', ran), requests.hold('b', gone), requests.hold('c', over)]
	requests.ran('a')
	gone.hangUp()
	requests.end()
	expect(told).toEqual([
		{ type: 'withdrawn', id: ids[0], result: 'approved' },
		{ type: 'withdrawn', id: ids[1], result: 'cancelled' },
		{ type: 'withdrawn', id: ids[2], result: 'cancelled' },
	])
	expect([ran.said, gone.said, over.said]).toEqual([[''], [], ['']])
	for (const id of ids) expect(await requests.answer(id, 'allow', 'yes')).toBe(false)
})

test('an answer that nobody takes any more is none', async () => {
	const { told, requests } = held()
	const one = call()
	const id = requests.hold('a', one)
	one.vanish()
	expect(await requests.answer(id, 'allow', 'yes')).toBe(false)
	expect(told).toEqual([{ type: 'withdrawn', id, result: 'cancelled' }])
})

test('held for a while only: then it is let go without an answer', async () => {
	const { told, requests } = held(0)
	const one = call()
	const id = requests.hold('a', one)
	await expect.poll(() => told, { timeout: 10_000 }).toHaveLength(1)
	expect(told).toEqual([{ type: 'withdrawn', id, result: 'cancelled' }])
	expect(one.said).toEqual([''])
})
