import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from '../src/carriers/index.js'

test('swift', () => {
	const answer = {
		id: 'SW1',
		events: [
			{ code: 'DL', time: '2026-02-03T09:30:00Z', city: 'Bergen' },
			{ code: 'PU', time: '2026-02-01T16:00:00Z' },
		],
	}
	assert.deepEqual(parse('swift', answer), {
		carrier: 'swift',
		number: 'SW1',
		events: [
			{ at: '2026-02-01T16:00:00.000Z', status: 'collected', place: null },
			{ at: '2026-02-03T09:30:00.000Z', status: 'delivered', place: 'Bergen' },
		],
		delivered: true,
	})
})

test('northpost', () => {
	const answer = {
		parcel: 'NP7',
		history: [{ state: 'lost?', when: 1_770_000_000, office: 'Oslo 3' }],
	}
	const parsed = parse('northpost', answer)
	assert.equal(parsed.delivered, false)
	assert.deepEqual(parsed.events, [
		{ at: '2026-02-02T02:40:00.000Z', status: 'unknown', place: 'Oslo 3' },
	])
})

test('refuses a carrier that it does not know', () => {
	assert.throws(() => parse('pigeon', {}), /unknown carrier: pigeon/)
})
