import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../src/config.js'

const valid = { smtp: { host: 'mail.example.com', port: 587 }, from: 'billing@example.com' }

function load(config) {
	const path = join(mkdtempSync(join(tmpdir(), 'config-')), 'config.json')
	writeFileSync(path, JSON.stringify(config))
	return loadConfig(path)
}

test('fills in the number of retries', () => {
	assert.equal(load(valid).retries, 3)
})

test('refuses a configuration without a mail server', () => {
	assert.throws(() => load({ from: valid.from }))
})
