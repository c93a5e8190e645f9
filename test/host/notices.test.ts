import { expect, it } from 'vitest'
import { Notices } from '../../source/host/notices.ts'

const refusal = { code: 'c', text: 'no', command: null, request: null, device: null }

it('says ten at once, then one each half minute, with the number that was left out', () => {
	let now = 1_000_000
	const notices = new Notices(() => now)
	const flood = Array.from({ length: 100 }, () => notices.about(refusal))
	expect(flood.filter((event) => event !== null)).toHaveLength(10)
	now += 29_999
	expect(notices.about(refusal)).toBeNull()
	now += 1
	expect(notices.about(refusal)).toMatchObject({ body: { data: { code: 'c', suppressed: 91 } } })
	expect(notices.about(refusal)).toBeNull()
	// A clock that is set back gives no more, and takes none.
	now -= 3_600_000
	expect(notices.about(refusal)).toBeNull()
	now += 30_000
	expect(notices.about(refusal)).toMatchObject({ body: { data: { suppressed: 2 } } })
	now += 24 * 3_600_000
	const later = Array.from({ length: 100 }, () => notices.about(refusal))
	expect(later.filter((event) => event !== null)).toHaveLength(10)
})
