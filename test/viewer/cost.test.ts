/** What sessions cost, read from a backend that may tamper. */
import { beforeEach, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import type { MessageRow } from '../../source/backend/gateway.ts'
import { randomId } from '../../source/protocol/device.ts'
import type { Body } from '../../source/protocol/events.ts'
import { CostModel } from '../../source/viewer/cost-model.ts'
import { CostReader } from '../../source/viewer/cost-reader.ts'
import { dayOf, dayStart, grouped, total } from '../../source/viewer/cost-table.ts'
import { LateCost } from '../../source/viewer/late-cost.ts'
import { openAccount, TestSession } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'
import { reaches } from './_until.ts'

let backend: MemoryBackend
let account: Account
let session: TestSession

beforeEach(async () => {
	backend = new MemoryBackend()
	account = await openAccount(backend.gateway(randomId()))
	session = await new TestSession(account).create()
})

async function spend(change: Partial<Body<'usage'>> = {}, on = session): Promise<void> {
	const body: Body<'usage'> = {
		message: 'm',
		model: 'opus',
		input: 10,
		output: 20,
		cache_read: 30,
		cache_write: 40,
		cost_usd: 0.25,
		cost_source: 'price-table',
		...change,
	}
	await on.append(
		{ kind: 'usage', body },
		{
			input_tokens: body.input,
			output_tokens: body.output,
			cache_read_tokens: body.cache_read,
			cache_write_tokens: body.cache_write,
			cost_usd: body.cost_usd ?? 0,
		},
	)
}

async function readAll(since?: number): Promise<CostReader> {
	const reader = new CostReader(account, since)
	while (await reader.page());
	return reader
}

function rowOf(seq: number): MessageRow {
	const row = backend.sessions.get(session.id)?.messages.find((one) => one.seq === seq)
	if (!row) throw new Error('no such message')
	return row
}

test('is added up by day, agent, project and model, from the rows that carry tokens alone', async () => {
	await session.say('a prompt')
	await spend()
	await spend({ model: 'haiku', cost_usd: 0.05 })
	const other = await new TestSession(account).create()
	await spend({}, other)
	const reader = await readAll()
	expect([reader.rows, reader.problems, reader.reached]).toEqual([3, 0, expect.any(String)])
	const common = { day: dayOf(Date.now()), agent: 'claude', project: 'api-server', unpriced: 0 }
	expect(grouped(reader.table.spent, ['model', 'day', 'agent', 'project'])).toEqual([
		{
			values: ['opus', common.day, 'claude', 'api-server'],
			responses: 2,
			tokens: { input: 20, output: 40, cache_read: 60, cache_write: 80 },
			costUsd: 0.5,
			unpriced: 0,
		},
		expect.objectContaining({ values: ['haiku', common.day, 'claude', 'api-server'] }),
	])
	expect(total(reader.table.spent).costUsd).toBeCloseTo(0.55)
})

test('of a total that comes behind its replies is theirs; a reply after it has no cost yet', async () => {
	await spend({ cost_usd: null, cost_source: 'none' })
	await spend({ cost_usd: null, cost_source: 'none' })
	const nothing = { input: 0, output: 0, cache_read: 0, cache_write: 0 }
	await spend({ ...nothing, message: null, cost_usd: 0.7, cost_source: 'agent' })
	await spend({ cost_usd: null, cost_source: 'none' })
	await spend({ model: 'other', cost_usd: null, cost_source: 'none' })
	const sum = total((await readAll()).table.spent)
	expect(sum).toMatchObject({ responses: 4, costUsd: 0.7, unpriced: 2 })
})

test('is read in pages, back to a time and no further', async () => {
	for (let count = 0; count < 1203; count++) await spend({ cost_usd: 0.01 })
	const all = await readAll()
	expect([all.rows, total(all.table.spent).responses]).toEqual([1203, 1203])
	const tomorrow = await readAll(Date.now() + 86_400_000)
	expect([tomorrow.rows, tomorrow.table.spent]).toEqual([0, []])
})

test.each<[string, (row: MessageRow) => void, string]>([
	['token count', (row) => (row.output_tokens += 1), 'its token counts or cost was changed'],
	['cost', (row) => (row.cost_usd = 99), 'its token counts or cost was changed'],
	[
		'time',
		(row) => (row.created_at = new Date(Date.parse(row.created_at) - 86_400_000).toISOString()),
		'its time was changed',
	],
	['signature', (row) => (row.signature = Buffer.alloc(64).toString('base64')), 'not signed'],
])('with another %s on the server is not counted, and said', async (_, tamper, problem) => {
	await spend()
	await spend()
	tamper(rowOf(2))
	const reader = await readAll()
	expect(reader.problems).toBe(1)
	expect(reader.problem).toContain(problem)
	expect(total(reader.table.spent).responses).toBe(1)
})

test('of a row that is shown as another session’s is not counted', async () => {
	const other = await new TestSession(account).create()
	await spend()
	const stolen = { ...rowOf(1), session_id: other.id }
	backend.sessions.get(other.id)?.messages.push(stolen)
	const reader = await readAll()
	expect([reader.problems, total(reader.table.spent).responses]).toEqual([1, 1])
})

test('of a server that goes in circles is given up', async () => {
	await spend()
	await spend()
	const { gateway } = account
	const read = gateway.readSpending.bind(gateway)
	gateway.readSpending = async () => ({ ...(await read({ before: null, limit: 9 })), more: true })
	await expect(readAll()).rejects.toMatchObject({ code: 'backend_malformed', exitCode: 4 })
})

test('is read for the screen as far as it is wanted, goes on from there, and begins anew when told', async () => {
	await spend()
	const crashed: unknown[] = []
	using model = new CostModel({ account, crashed: (error) => crashed.push(error) })
	const { gateway } = account
	let pages = 0
	const read = gateway.readSpending.bind(gateway)
	gateway.readSpending = (query) => {
		pages++
		return read(query)
	}
	expect(pages).toBe(0)
	model.readAgain(dayStart(Date.now()))
	await reaches(model.state, (state) => !state.reading)
	expect(model.state.get()).toMatchObject({ rows: 1, reached: null, error: null })
	model.read(null)
	expect([pages, model.state.get().reading]).toEqual([1, false])
	await spend()
	model.readAgain(null)
	// What is known stays until more is.
	expect(total(model.state.get().spent).responses).toBe(1)
	await reaches(model.state, (state) => !state.reading)
	expect(total(model.state.get().spent).responses).toBe(2)
	expect(crashed).toEqual([])
})

test('says why it could not be read, and is read when it can', async () => {
	await spend()
	using model = new CostModel({
		account,
		crashed: (error) => {
			throw error
		},
	})
	backend.faults.offline = true
	model.readAgain(null)
	await reaches(model.state, (state) => state.error !== null)
	expect(model.state.get()).toMatchObject({ reading: false, rows: 0 })
	backend.faults.offline = false
	model.read(null)
	await reaches(model.state, (state) => state.rows === 1)
	expect(model.state.get().error).toBeNull()
})

test('asked for before there is a connection is read when there is one', async () => {
	await spend()
	const late = new LateCost()
	late.readAgain(null)
	expect(late.state.get()).toMatchObject({ reading: true, rows: 0 })
	using model = new CostModel({
		account,
		crashed: (error) => {
			throw error
		},
	})
	late.attach(model)
	await reaches(late.state, (state) => state.rows === 1)
})

/** What the backend answers to `read_spending`, in the place of what it has. */
function answerWith(rows: () => readonly MessageRow[]): void {
	const { gateway } = account
	gateway.readSpending = async ({ before }) => ({
		rows: before === null ? [...rows()] : [],
		more: before === null,
	})
}

test('counts no message that is of another kind, whatever the backend says', async () => {
	await session.say('a prompt')
	await spend()
	answerWith(() => [rowOf(2), rowOf(1)])
	const reader = await readAll()
	expect(total(reader.table.spent)).toMatchObject({ responses: 1, costUsd: 0.25 })
	expect(total(reader.table.spent).tokens).toEqual({
		input: 10,
		output: 20,
		cache_read: 30,
		cache_write: 40,
	})
	expect(reader.problems).toBe(1)
})

test('counts each message once, also one that the backend shows at several times', async () => {
	await spend()
	const row = rowOf(1)
	answerWith(() => [row, { ...row, created_at: '2026-01-01T00:00:00.000Z' }])
	const reader = await readAll()
	expect(total(reader.table.spent)).toMatchObject({ responses: 1, costUsd: 0.25 })
	expect(reader.problems).toBe(1)
})
