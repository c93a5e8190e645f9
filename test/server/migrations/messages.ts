/** Messages and permission requests. */
import { beforeAll, describe, expect, test } from 'vitest'
import {
	append,
	base64,
	broadcasts,
	Caller,
	createSession,
	detail,
	failure,
	messageRow,
	messageRows,
	type Row,
	randomUUID,
	readSession,
	type TestDatabase,
} from './database.ts'

const expires_at = '2026-03-04T07:00:00.000Z'

async function read(caller: Caller, session: string, range: object): Promise<Row[]> {
	const page = await caller.call('read_messages', { p_session: session, ...range })
	return (page as { rows: Row[] }).rows
}

export function testMessages(database: () => TestDatabase): void {
	describe('messages', () => {
		let caller: Caller
		let session: string
		beforeAll(async () => {
			caller = await Caller.signUp(database())
		})
		const fresh = async () => {
			session = await createSession(caller)
			return session
		}

		test('come back as they were appended, and are counted', async () => {
			await fresh()
			const counts = { input_tokens: 5, output_tokens: 7, cache_read_tokens: 11 }
			const rows = [
				{ ...messageRow(session, 1), ...counts, cache_write_tokens: 13, cost_usd: 0.1 + 0.2 },
				{ ...messageRow(session, 2, 100_000), ...counts, epoch: 4, cost_usd: 1e-7 },
				messageRow(session, 3, 16),
			]
			expect(await append(caller, session, rows)).toEqual({ last_seq: 3 })
			expect(await read(caller, session, { p_after: 0 })).toEqual(rows)
			expect(await readSession(caller, session)).toMatchObject({
				...{ last_seq: 3, pending: 0, last_activity_at: rows[2]?.created_at },
				tokens: { input: 10, output: 14, cache_read: 22, cache_write: 13 },
				cost_usd: 0.1 + 0.2 + 1e-7,
			})
		})

		test('that cost something are read newest first, of all sessions, page by page', async () => {
			const own = await Caller.signUp(database())
			const first = await createSession(own)
			const other = await createSession(own)
			const at = (second: number) => `2026-03-04T05:06:0${second}.000Z`
			const row = (id: string, seq: number, change: object) => ({
				...messageRow(id, seq),
				...change,
			})
			const early = [
				row(first, 1, { created_at: at(1), input_tokens: 5 }),
				row(first, 2, { created_at: at(2) }),
				row(first, 3, { created_at: at(4), cost_usd: 0.5 }),
			]
			const late = [
				row(other, 1, { created_at: at(3), cache_read_tokens: 1 }),
				row(other, 2, { created_at: at(4), output_tokens: 2 }),
				row(other, 3, { created_at: at(4), cache_write_tokens: 2 }),
			]
			await append(own, first, early)
			await append(own, other, late)
			const newest = first > other ? [early[2], late[2], late[1]] : [late[2], late[1], early[2]]
			const all = [...newest, late[0], early[0]]
			const page = (args: object) =>
				own.call('read_spending', { ...args }) as Promise<{ rows: Row[]; more: boolean }>
			expect(await page({})).toEqual({ rows: all, more: false })
			const read: Row[] = []
			for (let before: Row | undefined, more = true; more; before = read.at(-1)) {
				const place = before && {
					p_before: before.created_at,
					p_session: before.session_id,
					p_seq: before.seq,
				}
				const next = await page({ ...place, p_limit: 2 })
				expect(next.rows.length).toBeLessThanOrEqual(2)
				read.push(...next.rows)
				more = next.more
			}
			expect(read).toEqual(all)
			expect(await (await Caller.signUp(database())).call('read_spending')).toEqual({
				rows: [],
				more: false,
			})
		})

		test('appended again, byte for byte, change nothing; the rest goes on', async () => {
			await fresh()
			const rows = messageRows(session, 1, 5).map((row) => ({ ...row, input_tokens: 1 }))
			await append(caller, session, rows.slice(0, 3))
			expect(await append(caller, session, rows.slice(0, 3))).toEqual({ last_seq: 3 })
			expect(await append(caller, session, rows.slice(1))).toEqual({ last_seq: 5 })
			expect(await append(caller, session, [])).toEqual({ last_seq: 5 })
			expect(await read(caller, session, { p_after: 0 })).toEqual(rows)
			expect(await readSession(caller, session)).toMatchObject({ tokens: { input: 5 } })
		})

		test('are never overwritten, in any column', async () => {
			await fresh()
			const row = messageRow(session, 1)
			await append(caller, session, [row])
			const changes = [
				{ ciphertext: base64(272) },
				{ nonce: base64(24) },
				{ signature: base64(64) },
				{ epoch: 1 },
				{ created_at: '2026-03-04T06:00:01.001Z' },
				...['input', 'output', 'cache_read', 'cache_write'].map((kind) => ({
					[`${kind}_tokens`]: 1,
				})),
				{ cost_usd: 0.5 },
			]
			for (const change of changes) {
				const rows = [{ ...row, ...change }, messageRow(session, 2)]
				expect(await failure(append(caller, session, rows))).toBe('append_conflict')
				expect(await detail(append(caller, session, rows))).toEqual({ seq: 1 })
			}
			expect(await read(caller, session, { p_after: 0 })).toEqual([row])
		})

		test('leave no gap', async () => {
			await fresh()
			await append(caller, session, messageRows(session, 1, 2))
			const rows = messageRows(session, 3, 6)
			const gaps = [rows.slice(1), [rows[0], rows[2]], [rows[3]]]
			for (const gap of gaps) {
				expect(await failure(append(caller, session, gap))).toBe('append_gap')
				expect(await detail(append(caller, session, gap))).toEqual({ last_seq: 2 })
			}
			expect(await append(caller, session, [...rows].reverse())).toEqual({ last_seq: 6 })
			expect(await read(caller, session, { p_after: 2 })).toEqual(rows)
		})

		test('malformed ones are refused, and all that came with them', async () => {
			await fresh()
			const good = messageRow(session, 1)
			const bad = [
				{ nonce: null },
				{ nonce: base64(23) },
				{ nonce: '*' },
				{ nonce: 5 },
				{ ciphertext: null },
				{ ciphertext: base64(15) },
				{ ciphertext: base64(262_145) },
				{ signature: base64(63) },
				{ signature: null },
				{ epoch: -1 },
				{ epoch: null },
				{ epoch: 2 ** 40 },
				{ seq: 0 },
				{ seq: -1 },
				{ seq: 1.5 },
				{ seq: null },
				{ seq: '9'.repeat(40) },
				{ session_id: randomUUID() },
				{ session_id: null },
				{ session_id: 'x' },
				{ created_at: null },
				{ created_at: 'now' },
				{ created_at: '2026-03-04' },
				{ created_at: '2026-03-04T06:00:01' },
				{ created_at: '2026-13-04T06:00:01Z' },
				{ created_at: '-2026-03-04T06:00:01Z' },
				{ input_tokens: -1 },
				{ output_tokens: 2 ** 50 },
				{ cost_usd: -0.1 },
				{ cost_usd: 'NaN' },
				{ cost_usd: 1e300 },
				{ opens: { request: 'x', expires_at } },
				{ opens: { request: randomUUID() } },
				{ opens: {} },
				{ closes: { request: randomUUID(), status: 'pending' } },
				{ closes: { request: randomUUID() } },
				{ closes: { request: null, status: 5 } },
			]
			for (const change of bad) {
				const rows = [{ ...good, ...change }]
				const code = await failure(append(caller, session, rows))
				// Nothing is pending: closing it with a wrong word changes nothing either way.
				const harmless = change.closes && change.closes.request === null
				if (!harmless) expect(code, JSON.stringify(change).slice(0, 80)).toBe('malformed_row')
				if (code === null) await fresh()
			}
			await fresh()
			const twice = [messageRow(session, 1), messageRow(session, 1)]
			for (const rows of [twice, {}, null, 5, [5], [null], [[]]]) {
				expect(await failure(append(caller, session, rows))).toBe('malformed_row')
			}
			const mixed = [messageRow(session, 1), { ...messageRow(session, 2), nonce: null }]
			expect(await failure(append(caller, session, mixed))).toBe('malformed_row')
			expect(await read(caller, session, { p_after: 0 })).toEqual([])
			expect(await readSession(caller, session)).toMatchObject({ last_seq: 0 })
			expect(await broadcasts(database(), `session:${session}`)).toEqual([])
		})

		test('at most 500 come at once', async () => {
			await fresh()
			const rows = messageRows(session, 1, 501, 16)
			expect(await failure(append(caller, session, rows))).toBe('too_many_rows')
			expect(await append(caller, session, rows.slice(0, 500))).toEqual({ last_seq: 500 })
		})

		test('are read in windows from either end', async () => {
			await fresh()
			await append(caller, session, messageRows(session, 1, 20, 16))
			const seqs = async (range: object) =>
				(await read(caller, session, range)).map((row) => row.seq)
			expect(await seqs({ p_after: 3, p_limit: 4 })).toEqual([4, 5, 6, 7])
			expect(await seqs({ p_after: 18, p_limit: 4 })).toEqual([19, 20])
			expect(await seqs({ p_after: 20 })).toEqual([])
			expect(await seqs({ p_before: 4, p_limit: 2 })).toEqual([2, 3])
			expect(await seqs({ p_before: 21, p_limit: 2 })).toEqual([19, 20])
			expect(await seqs({ p_before: Number.MAX_SAFE_INTEGER, p_limit: 1 })).toEqual([20])
			expect(await seqs({ p_before: 1 })).toEqual([])
			expect(await seqs({ p_after: -9, p_limit: 0 })).toEqual([1])
		})

		test('a page is cut at 4 MiB, says so, and has at least one row', async () => {
			await fresh()
			for (let seq = 1; seq <= 20; seq += 10) {
				await append(caller, session, messageRows(session, seq, seq + 9, 262_144))
			}
			const page = async (range: object) =>
				(await caller.call('read_messages', { p_session: session, ...range })) as {
					rows: Row[]
					more: boolean
				}
			const first = await page({ p_after: 0 })
			expect(first.rows.map((row) => row.seq)).toEqual(
				messageRows(session, 1, 16, 1).map((r) => r.seq),
			)
			expect(first.more).toBe(true)
			expect(await page({ p_after: 16 })).toMatchObject({ more: false, rows: { length: 4 } })
			const last = await page({ p_before: 21 })
			expect(last.rows.map((row) => row.seq)).toEqual(
				messageRows(session, 5, 20, 1).map((r) => r.seq),
			)
			expect(last.more).toBe(true)
		})

		test('of many writers at once, every row is there once and in order', async () => {
			await fresh()
			let last = 0
			const writer = async () => {
				for (let written = 0; written < 5; ) {
					const rows = messageRows(session, last + 1, last + 2, 16)
					const code = await failure(append(caller, session, rows))
					if (code === null) {
						written++
						last = Math.max(last, Number(rows[1]?.seq))
					} else {
						expect(code).toMatch(/^append_(gap|conflict)$/)
						last = Number((await readSession(caller, session)).last_seq)
					}
				}
			}
			await Promise.all([writer(), writer(), writer(), writer()])
			const seqs = (await read(caller, session, {})).map((row) => row.seq)
			expect(seqs).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
			const told = (await broadcasts(database(), `session:${session}`)).map(
				({ payload }) => payload,
			)
			expect(told.map(({ from }) => from)).toEqual(Array.from({ length: 20 }, (_, n) => 2 * n + 1))
		})

		test('stay out of line and uncompressed in every partition', async () => {
			const rows = await database().run([
				{
					sql: `select c.relname, a.attstorage::text as storage from pg_attribute a
						join pg_class c on c.oid = a.attrelid
						where a.attname = 'ciphertext' and c.relname like 'session_messages%'
							and c.relkind in ('r', 'p')`,
				},
			])
			expect(rows).toHaveLength(17)
			expect(new Set(rows.map((row) => row.storage))).toEqual(new Set(['e']))
		})
	})

	describe('what is told of an append', () => {
		let caller: Caller
		let session: string
		beforeAll(async () => {
			caller = await Caller.signUp(database())
			session = await createSession(caller)
		})

		test('small rows are in the one broadcast, large ones are named', async () => {
			const small = messageRows(session, 1, 3)
			await append(caller, session, small)
			await append(caller, session, small)
			await append(caller, session, messageRows(session, 4, 40))
			await append(caller, session, [messageRow(session, 41, 20_000)])
			expect(await broadcasts(database(), `session:${session}`)).toEqual([
				{ event: 'messages', payload: { session, from: 1, to: 3, rows: small } },
				{ event: 'messages', payload: { session, from: 4, to: 40, rows: null } },
				{ event: 'messages', payload: { session, from: 41, to: 41, rows: null } },
			])
			const account = await broadcasts(database(), `account:${caller.id}`)
			expect(account).toEqual(new Array(4).fill({ event: 'sessions', payload: { session } }))
		})

		test('a broadcast that fails does not cost the message', async () => {
			await database().run([
				{
					sql: `alter table realtime.messages add constraint trouble
						check (topic <> 'session:${session}') not valid`,
				},
			])
			try {
				expect(await append(caller, session, [messageRow(session, 42)])).toEqual({ last_seq: 42 })
			} finally {
				await database().run([{ sql: 'alter table realtime.messages drop constraint trouble' }])
			}
		})
	})

	describe('permission requests', () => {
		let caller: Caller
		let session: string
		beforeAll(async () => {
			caller = await Caller.signUp(database())
			session = await createSession(caller)
		})
		const next = async (extra: object) => {
			const { last_seq } = await readSession(caller, session)
			const row = { ...messageRow(session, Number(last_seq) + 1), ...extra }
			await append(caller, session, [row])
			return row
		}
		const request = async (id: string) =>
			(await caller.call('read_request', { p_request: id })) as Row

		test('are opened and closed by messages; the first result stays', async () => {
			const id = randomUUID()
			const opened = await next({ opens: { request: id, expires_at } })
			const pending = {
				...{ id, session, seq: opened.seq, status: 'pending' },
				...{ created_at: opened.created_at, expires_at, closed_at: null },
			}
			expect(await request(id)).toEqual(pending)
			expect(await readSession(caller, session)).toMatchObject({ pending: 1 })
			await append(caller, session, [opened])
			await next({ opens: { request: id, expires_at: '2030-01-01T00:00:00.000Z' } })
			expect(await request(id)).toEqual(pending)
			const closing = await next({ closes: { request: id, status: 'denied' } })
			await append(caller, session, [closing])
			await next({ closes: { request: id, status: 'approved' } })
			const closed = { ...pending, status: 'denied', closed_at: closing.created_at }
			expect(await request(id)).toEqual(closed)
			expect(await readSession(caller, session)).toMatchObject({ pending: 0 })
			const told = (await broadcasts(database(), `account:${caller.id}`))
				.filter(({ event }) => event === 'request')
				.map(({ payload }) => payload)
			expect(told).toEqual([
				{ request: id, session, status: 'pending' },
				{ request: id, session, status: 'denied' },
			])
		})

		test('opened and closed in one append count as closed', async () => {
			const id = randomUUID()
			const { last_seq } = await readSession(caller, session)
			const from = Number(last_seq) + 1
			await append(caller, session, [
				{ ...messageRow(session, from), opens: { request: id, expires_at } },
				{ ...messageRow(session, from + 1), closes: { request: id, status: 'expired' } },
			])
			expect(await request(id)).toMatchObject({ status: 'expired', seq: from })
			expect(await readSession(caller, session)).toMatchObject({ pending: 0 })
		})

		test('are closed only from their own session, by their own account', async () => {
			const id = randomUUID()
			await next({ opens: { request: id, expires_at } })
			const elsewhere = await createSession(caller)
			const closes = { request: id, status: 'approved' }
			await append(caller, elsewhere, [{ ...messageRow(elsewhere, 1), closes }])
			const stranger = await Caller.signUp(database())
			const theirs = await createSession(stranger)
			await append(stranger, theirs, [{ ...messageRow(theirs, 1), closes }])
			expect(await request(id)).toMatchObject({ status: 'pending' })
			// The same id, taken by someone else, is another request.
			const opens = { request: id, expires_at }
			await append(stranger, theirs, [{ ...messageRow(theirs, 2), opens }])
			expect(await readSession(stranger, theirs)).toMatchObject({ pending: 1 })
			expect(await request(id)).toMatchObject({ session })
			await next({ closes: { request: id, status: 'cancelled' } })
		})

		test('pending ones are listed oldest first, all of them newest first', async () => {
			const lister = await Caller.signUp(database())
			const [one, two] = [await createSession(lister), await createSession(lister)]
			const ids = Array.from({ length: 4 }, () => randomUUID())
			for (const [index, id] of ids.entries()) {
				const place = index % 2 === 0 ? one : two
				const row = messageRow(place, Math.floor(index / 2) + 1)
				const created_at = new Date(Date.UTC(2026, 2, 5, 0, 0, index)).toISOString()
				const opens = { request: id, expires_at }
				await append(lister, place, [{ ...row, created_at, opens }])
			}
			const closes = { request: ids[1], status: 'approved' }
			await append(lister, two, [{ ...messageRow(two, 3), closes }])
			const list = async (args: object) =>
				((await lister.call('list_requests', { p_limit: 9, ...args })) as Row[]).map(
					(row) => row.id,
				)
			expect(await list({ p_status: 'pending' })).toEqual([ids[0], ids[2], ids[3]])
			expect(await list({ p_status: 'pending', p_limit: 2 })).toEqual([ids[0], ids[2]])
			expect(await list({ p_status: 'all' })).toEqual([...ids].reverse())
			expect(await list({ p_status: 'all', p_session: two })).toEqual([ids[3], ids[1]])
		})
	})
}
