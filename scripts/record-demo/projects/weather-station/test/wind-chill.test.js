import assert from 'node:assert/strict'
import { test } from 'node:test'
import { windChill } from '../src/wind-chill.js'

test('a cold and windy day', () => {
	assert.equal(windChill(-10, 30), -19.5)
})

test('warm air is felt as it is', () => {
	assert.equal(windChill(15, 40), 15)
})

test('without wind the felt temperature is the temperature', () => {
	assert.equal(windChill(2, 0), 2)
})
