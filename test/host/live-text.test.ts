import { afterEach, describe, expect, it, vi } from 'vitest'
import { LiveText, type TextPiece } from '../../source/host/live-text.ts'

afterEach(() => void vi.useRealTimers())

describe('live text', () => {
	it('joins what continues, at most 20 frames a second, and starves no block', () => {
		vi.useFakeTimers()
		const sent: TextPiece[] = []
		using live = new LiveText({ send: (piece) => sent.push(piece), now: () => performance.now() })
		for (let n = 0; n < 1000; n++) {
			live.add({ block: n % 2 ? 'a' : 'b', kind: 'agent_response', offset: n >> 1, text: 'x' })
			vi.advanceTimersByTime(1)
		}
		vi.advanceTimersByTime(200)
		expect(sent.length).toBeLessThanOrEqual(25)
		for (const block of ['a', 'b']) {
			const pieces = sent.filter((piece) => piece.block === block)
			let end = 0
			for (const piece of pieces) {
				expect(piece.offset).toBe(end)
				end += piece.text.length
			}
			expect(end).toBe(500)
		}
	})

	it('says nothing more of a block whose message came', () => {
		vi.useFakeTimers()
		const sent: TextPiece[] = []
		using live = new LiveText({ send: (piece) => sent.push(piece), now: () => performance.now() })
		live.add({ block: 'a', kind: 'agent_response', offset: 0, text: 'x' })
		live.add({ block: 'a', kind: 'agent_response', offset: 1, text: 'y' })
		live.finish('a')
		vi.advanceTimersByTime(1000)
		expect(sent.map((piece) => piece.text)).toEqual(['x'])
	})
})
