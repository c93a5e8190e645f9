import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { type Backend, startBackend } from '../../source/server/backend.ts'
import { backendFolder } from '../../source/server/installation.ts'
import { testServer } from './suite/index.ts'

describe('the backend on the embedded engine', () => {
	let data: string
	let backend: Backend
	beforeAll(async () => {
		data = await mkdtemp(join(tmpdir(), 'styrby-server-'))
		backend = await startBackend({ data, log: () => undefined })
	}, 60_000)
	afterAll(async () => {
		await backend[Symbol.asyncDispose]()
		await rm(data, { recursive: true })
	})

	testServer(() => ({
		url: backend.url,
		anonKey: backend.anonKey,
		folder: backendFolder(data),
		sql: async (text) => {
			await backend.engine.tx([{ sql: text }])
		},
	}))
})
