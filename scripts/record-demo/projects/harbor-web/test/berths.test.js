import assert from 'node:assert/strict'
import { test } from 'node:test'
import { berths } from '../src/berths.js'

test('berths have unique ids', () => {
	assert.equal(new Set(berths.map((berth) => berth.id)).size, berths.length)
})
