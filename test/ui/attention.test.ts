import { describe, expect, test } from 'vitest'
import { Attention, guardMs, type ShownRequest } from '../../source/ui/attention.ts'

const all: ShownRequest = { id: 'r', digest: 'd', width: 80, total: 10, from: 0, to: 10 }
const focus = { id: 'r', digest: 'd', order: 'r' }

function attention() {
	const clock = { now: 1000 }
	return { clock, guard: new Attention(() => clock.now) }
}

describe('the guard against answers by accident', () => {
	test('takes an answer when all was shown, and long enough', () => {
		const { clock, guard } = attention()
		guard.drawn([all], focus)
		clock.now += guardMs
		expect(guard.mayAnswer('r', 'allow')).toEqual({ ok: true })
		expect(guard.mayAnswer('r', 'deny')).toEqual({ ok: true })
	})

	test('takes none in the first moment', () => {
		const { clock, guard } = attention()
		guard.drawn([all], focus)
		clock.now += guardMs - 1
		for (const decision of ['allow', 'deny'] as const) {
			expect(guard.mayAnswer('r', decision)).toEqual({ ok: false, why: 'too-soon' })
		}
	})

	test('takes none for a request that is not the one in focus', () => {
		const { clock, guard } = attention()
		guard.drawn([all], focus)
		clock.now += 10_000
		expect(guard.mayAnswer('other', 'deny')).toEqual({ ok: false, why: 'nothing' })
		guard.drawn([], null)
		expect(guard.mayAnswer('r', 'deny')).toEqual({ ok: false, why: 'nothing' })
	})

	test.each([
		['the order around it changes', { ...focus, order: 'q r' }],
		['another request comes into focus', { ...focus, id: 'q' }],
		['what is asked changes', { ...focus, digest: 'e' }],
	])('begins anew when %s', (_, next) => {
		const { clock, guard } = attention()
		guard.drawn([all, { ...all, id: 'q' }], focus)
		clock.now += 10_000
		guard.drawn([all, { ...all, id: 'q' }], next)
		expect(guard.mayAnswer(next.id, 'deny')).toEqual({ ok: false, why: 'too-soon' })
		clock.now += guardMs
		expect(guard.mayAnswer(next.id, 'deny')).toEqual({ ok: true })
	})

	test('drawing the same again does not begin anew', () => {
		const { clock, guard } = attention()
		guard.drawn([all], focus)
		clock.now += guardMs
		guard.drawn([all], { ...focus })
		expect(guard.mayAnswer('r', 'allow')).toEqual({ ok: true })
	})

	test('begins anew when the terminal was away', () => {
		const { clock, guard } = attention()
		guard.drawn([all], focus)
		clock.now += 10_000
		guard.interrupted()
		expect(guard.mayAnswer('r', 'allow')).toEqual({ ok: false, why: 'too-soon' })
	})

	test('allows only what was seen to its last line, in any order; denies without', () => {
		const { clock, guard } = attention()
		guard.drawn([{ ...all, from: 6, to: 10 }], focus)
		clock.now += guardMs
		expect(guard.mayAnswer('r', 'allow')).toEqual({ ok: false, why: 'unread' })
		expect(guard.mayAnswer('r', 'deny')).toEqual({ ok: true })
		guard.drawn([{ ...all, from: 0, to: 5 }], focus)
		expect(guard.unread('r', 'd', 10)).toBe(1)
		expect(guard.firstUnread('r', 'd', 10)).toBe(5)
		expect(guard.mayAnswer('r', 'allow')).toEqual({ ok: false, why: 'unread' })
		guard.drawn([{ ...all, from: 5, to: 6 }], focus)
		expect(guard.mayAnswer('r', 'allow')).toEqual({ ok: true })
	})

	test('lines seen at one width are none at another', () => {
		const { clock, guard } = attention()
		guard.drawn([{ ...all, from: 0, to: 6 }], focus)
		guard.drawn([{ ...all, width: 40, total: 10, from: 6, to: 10 }], focus)
		clock.now += guardMs
		expect(guard.mayAnswer('r', 'allow')).toEqual({ ok: false, why: 'unread' })
	})

	test('what was read wholly stays read at another width', () => {
		const { clock, guard } = attention()
		guard.drawn([all], focus)
		guard.drawn([{ ...all, width: 40, total: 30, from: 0, to: 3 }], focus)
		clock.now += guardMs
		expect(guard.mayAnswer('r', 'allow')).toEqual({ ok: true })
	})

	test('another text under the same id is unread', () => {
		const { clock, guard } = attention()
		guard.drawn([all], focus)
		guard.drawn([{ ...all, digest: 'e', from: 0, to: 2 }], { ...focus, digest: 'e' })
		clock.now += guardMs
		expect(guard.mayAnswer('r', 'allow')).toEqual({ ok: false, why: 'unread' })
		expect(guard.unread('r', 'e', 10)).toBe(8)
	})

	test('forgets what is gone', () => {
		const { guard } = attention()
		guard.drawn([all], focus)
		guard.keep(new Set(['other']))
		expect(guard.unread('r', 'd', 10)).toBe(10)
	})
})
