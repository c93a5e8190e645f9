import { expect, test } from 'vitest'
import { Painted } from '../../source/ui/painted.ts'
import { burstMs, heldMs, Pressing } from '../../source/ui/pressing.ts'

test('a frame that was committed and never written was not on the terminal', () => {
	const written: number[] = []
	const painted = new Painted<number>((frame) => written.push(frame))
	painted.rendered()
	painted.committed(1)
	painted.committed(2)
	expect(written).toEqual([])
	painted.rendered()
	painted.committed(3)
	expect(written).toEqual([2])
})

test('a key is an answer only when it was pressed alone, and once', () => {
	let now = 0
	const pressing = new Pressing(() => now)
	const came = (passed: number, ...names: string[]) => {
		now += passed
		return pressing.came({ names, alone: names.length === 1 })
	}
	expect(came(0, 'a')).toBeNull()
	expect(came(heldMs - 1, 'a')).toBe('held')
	// Each press of it counts anew.
	expect(came(heldMs - 1, 'a')).toBe('held')
	expect(came(heldMs, 'a')).toBeNull()
	expect(came(burstMs, 'd')).toBeNull()
	expect(came(burstMs - 1, 'a')).toBe('burst')
	expect(came(5000, 'x', 'a')).toBe('burst')
	now += 5000
	pressing.pasted()
	expect(came(burstMs - 1, 'a')).toBe('burst')
	now += 5000
	expect(pressing.came({ names: ['a'], alone: true, repeated: true })).toBe('held')
})
