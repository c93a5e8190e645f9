/**
 * The thread that PGlite lives in: a query blocks its thread, so it may not be the one that answers
 * the network, and ending the thread is the only way to break off a statement that takes too long.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import type { ParserOptions, Transaction } from '@electric-sql/pglite'
import { PGlite } from '@electric-sql/pglite'
import { durableFiles, engineStartParams } from './durable-files.ts'
import type { Row, Statement } from './engine.ts'
import { faultOf, sqlState } from './engine.ts'
import type { FromWorker, ToWorker, WorkerInput } from './engine-messages.ts'

/** Types that PGlite would otherwise parse: values leave this thread as PostgreSQL prints them. */
const asText: ParserOptions = Object.fromEntries(
	[
		...[16, 17, 20, 21, 23, 26, 114, 700, 701, 1082, 1114, 1184, 1700, 2950, 3802],
		// Arrays of name, int4, text, varchar, int8, oid and uuid.
		...[1003, 1007, 1009, 1015, 1016, 1028, 2951],
	].map((type) => [type, (value: string) => value]),
)
const textType = 25

const port = parentPort
if (port === null) throw new Error('This file is a worker thread of the backend, not a program.')
const input: WorkerInput = workerData
const post = (message: FromWorker): void => port.postMessage(message)

let syncs = 0
const stderr: string[] = []

async function open(): Promise<{ pg: PGlite; created: boolean }> {
	const created = !existsSync(join(input.folder, 'PG_VERSION'))
	const template = created && input.template !== null ? readFileSync(input.template) : null
	const pg = await PGlite.create({
		dataDir: input.folder,
		startParams: engineStartParams,
		extensions: {
			durable: durableFiles(() => {
				syncs += 1
			}),
		},
		onStderr: (text) => {
			stderr.push(text)
			if (stderr.length > 20) stderr.shift()
			return true
		},
		...(template === null ? {} : { loadDataDir: new Blob([template]) }),
	})
	return { pg, created }
}

const onNotice = (notice: { severity?: string | undefined; message?: string | undefined }) => {
	if (notice.severity === 'WARNING') post({ type: 'warning', message: notice.message ?? '' })
}

async function runOne(tx: Transaction, statement: Statement): Promise<Row[]> {
	if (statement.params === undefined) {
		const results = await tx.exec(statement.sql, { parsers: asText, onNotice })
		return (results.at(-1)?.rows ?? []).map(toRow)
	}
	const result = await tx.query<Row>(statement.sql, [...statement.params], {
		parsers: asText,
		paramTypes: statement.params.map(() => textType),
		onNotice,
	})
	return result.rows.map(toRow)
}

function toRow(row: object): Row {
	return Object.fromEntries(
		Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
	)
}

async function runAll(
	pg: PGlite,
	statements: readonly Statement[],
	rollback: boolean,
): Promise<Row[][]> {
	return await pg.transaction(async (tx) => {
		const rows: Row[][] = []
		for (const statement of statements) rows.push(await runOne(tx, statement))
		if (rollback) await tx.rollback()
		return rows
	})
}

/** Not what class XX says: PostgreSQL found itself in a state that can't be. It begins anew then. */
function isDatabaseAnswer(error: unknown): boolean {
	return error instanceof Error && /^(?!XX)[0-9A-Z]{5}$/.test(String(Reflect.get(error, 'code')))
}

/** After a panic the engine can't go on: the reason is in what it printed, not in what was thrown. */
function brokenFault(error: unknown) {
	const printed = stderr.findLast((line) => /PANIC|FATAL/.test(line))
	const fault = faultOf(error)
	if (printed === undefined || fault.code !== sqlState.internal) return fault
	return faultOf(new Error(printed.replace(/^.*?(PANIC|FATAL):\s*/, '').trim()))
}

async function handle(pg: PGlite, message: ToWorker): Promise<void> {
	switch (message.type) {
		case 'tx':
			try {
				const rows = await runAll(pg, message.statements, message.rollback)
				post({ type: 'rows', id: message.id, rows })
			} catch (error) {
				const broken = !isDatabaseAnswer(error)
				const fault = broken ? brokenFault(error) : faultOf(error)
				post({ type: 'fault', id: message.id, fault, broken })
			}
			break
		case 'listen':
			await pg.listen(message.channel, (payload) => {
				post({ type: 'notified', channel: message.channel, payload })
			})
			break
		case 'syncs':
			post({ type: 'syncs', count: syncs })
			break
		case 'close':
			await pg.exec('checkpoint')
			await pg.close()
			post({ type: 'closed' })
			port?.close()
			break
	}
}

try {
	const { pg, created } = await open()
	port.on('message', (message: ToWorker) => {
		handle(pg, message).catch((error: unknown) => {
			post({ type: 'failed', fault: brokenFault(error) })
		})
	})
	post({ type: 'open', created })
} catch (error) {
	post({ type: 'failed', fault: brokenFault(error) })
	port.close()
}
