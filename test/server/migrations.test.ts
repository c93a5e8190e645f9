import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { openPglite } from '../../source/server/pglite-engine.ts'
import { testAccess } from './migrations/access.ts'
import { migrate, type TestDatabase } from './migrations/database.ts'
import { testDevices } from './migrations/devices.ts'
import { engineDatabase } from './migrations/engine-database.ts'
import { testKeys } from './migrations/keys.ts'
import { testMail } from './migrations/mail.ts'
import { testMessages } from './migrations/messages.ts'
import { testPairings } from './migrations/pairings.ts'
import { testSessions } from './migrations/sessions.ts'
import { testSignIns } from './migrations/sign-ins.ts'

describe('migrations on the embedded engine', () => {
	let folder: string
	let database: TestDatabase
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), 'styrby-migrations-'))
		database = engineDatabase(await openPglite({ folder: join(folder, 'pg'), template: null }))
		await migrate(database)
	}, 60_000)
	afterAll(async () => {
		await database[Symbol.asyncDispose]()
		await rm(folder, { recursive: true })
	})

	const opened = () => database
	testAccess(opened)
	testDevices(opened)
	testSessions(opened)
	testMessages(opened)
	testMail(opened)
	testKeys(opened)
	testPairings(opened)
	testSignIns(opened)
})
