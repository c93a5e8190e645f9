import { expect } from 'vitest'

/** The bytes with bit `at` (modulo their length) flipped. */
export function flip(bytes: Uint8Array, at: number): Uint8Array {
	const changed = Uint8Array.from(bytes)
	const bit = at % (bytes.length * 8)
	changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
	return changed
}

/** The stable code of the error that `work` throws; fails when it throws none or another kind. */
export function codeOf(work: () => unknown, exitCode = 4): string {
	try {
		work()
	} catch (error) {
		expect(error).toMatchObject({ name: 'StyrbyError', exitCode })
		return (error as { code: string }).code
	}
	throw new Error('nothing was refused')
}
