import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pageOfLoans } from '../src/loans.js'

const loan = (id, minute) => ({ id, borrowedAt: `2026-03-02T10:${minute}:00Z` })

test('the first page holds the oldest loans', () => {
	const { loans } = pageOfLoans([loan(2, '05'), loan(1, '01'), loan(3, '09')], { limit: 2 })
	assert.deepEqual(
		loans.map((each) => each.id),
		[1, 2],
	)
})

test('the last page has no next cursor', () => {
	assert.equal(pageOfLoans([loan(1, '01')], { limit: 2 }).next, null)
})
