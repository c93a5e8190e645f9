import { decodeCursor, encodeCursor } from './cursor.js'

const byTimeThenId = (a, b) => a.borrowedAt.localeCompare(b.borrowedAt) || a.id - b.id

/** One page of loans, oldest first, and the cursor of the next page. */
export function pageOfLoans(loans, { limit = 20, cursor = null } = {}) {
	const sorted = loans.toSorted(byTimeThenId)
	const after = cursor === null ? null : decodeCursor(cursor)
	const rest = after === null ? sorted : sorted.filter((loan) => loan.borrowedAt > after.borrowedAt)
	const page = rest.slice(0, limit)
	const last = page.at(-1)
	return { loans: page, next: rest.length > limit && last ? encodeCursor(last) : null }
}
