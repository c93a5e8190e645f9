import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe } from 'vitest'
import { testAccess } from './migrations/access.ts'
import { migrate, type Row, type TestDatabase } from './migrations/database.ts'
import { testDevices } from './migrations/devices.ts'
import { testMail } from './migrations/mail.ts'
import { testMessages } from './migrations/messages.ts'
import { testSessions } from './migrations/sessions.ts'

async function openPglite(): Promise<TestDatabase> {
	const engine = await PGlite.create()
	return {
		run: (steps) =>
			engine.transaction(async (tx) => {
				let rows: Row[] = []
				for (const { sql, params = [] } of steps)
					rows = (await tx.query<Row>(sql, [...params])).rows
				return rows
			}),
		script: async (sql) => {
			await engine.exec(sql)
		},
		[Symbol.asyncDispose]: () => engine.close(),
	}
}

describe('migrations on the embedded engine', () => {
	let database: TestDatabase
	beforeAll(async () => {
		database = await openPglite()
		await migrate(database)
	}, 60_000)
	afterAll(() => database[Symbol.asyncDispose]())

	const opened = () => database
	testAccess(opened)
	testDevices(opened)
	testSessions(opened)
	testMessages(opened)
	testMail(opened)
})
