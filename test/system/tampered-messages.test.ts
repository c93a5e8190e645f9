/**
 * What the server's administrator can do to stored messages, done in the database itself, behind the
 * program: each change shows at exactly the message it was made to, and what still shows is the truth.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Context } from '../../source/commands/context.ts'
import { fixtures } from '../agents/claude/_recording.ts'
import { asked, contextOf, type Hosted, hostSession } from '../tools/hosted-session.ts'
import { makeHome, type TestHome } from '../tools/program.ts'
import { type Serving, serve } from '../tools/serving.ts'
import { show } from '../ui/_screen.ts'

vi.mock(import('../../source/vault/key-file-format.ts'), async (load) =>
	(await import('../tools/derive-once.ts')).derivingOnce(await load()),
)

interface Line {
	session: string
	seq: number
	at: string | null
	kind: string | null
	body: Record<string, unknown> | null
	verified: boolean
	problem: string | null
}

let home: TestHome
let serving: Serving
let context: Context
let hosted: Hosted
let other: string
let truth: Line[]
/** A message with token counts. */
let counted: number

const sql = (text: string) => serving.backend.engine.query(text)

beforeAll(async () => {
	home = await makeHome()
	serving = await serve(home)
	const file = join(home.folder, 'history.jsonl')
	await writeFile(file, await readFile(join(fixtures, 'interactive-transcript.jsonl')))
	const imported = await home.cli(['import', file, '--json'])
	expect(imported).toMatchObject({ code: 0 })
	other = JSON.parse(imported.stdout).session
	context = await contextOf(home)
	hosted = await hostSession(context, 'Tidy up the build folder')
	for (let index = 1; index <= 6; index++) hosted.agent.text(`Sentence number ${index}.`)
	const at = new Date().toISOString()
	hosted.agent.say({
		type: 'event',
		at,
		event: {
			kind: 'usage',
			body: {
				message: 'msg_1',
				model: 'claude-sonnet-4-5',
				input: 1200,
				output: 345,
				cache_read: 6789,
				cache_write: 10,
				cost_usd: 0.012345,
				cost_source: 'price-table',
			},
		},
	})
	const request = await asked(context, hosted, 'rm -rf build')
	expect(await home.cli(['approve', request.id, '--yes'])).toMatchObject({ code: 0 })
	hosted.agent.text('Done.')
	hosted.agent.finish()
	await hosted[Symbol.asyncDispose]()
	await sql('create schema kept')
	for (const table of [
		'sessions',
		'session_messages',
		'permission_requests',
		'key_epochs',
		'key_grants',
	]) {
		await sql(`create table kept.${table} as select * from public.${table}`)
	}
	// The administrator is not bound by what the tables demand.
	for (const { name } of await sql(
		`select conname as name from pg_constraint where conrelid = 'public.session_messages'::regclass
			and contype = 'c' and conislocal and coninhcount = 0`,
	)) {
		await sql(`alter table public.session_messages drop constraint "${name}"`)
	}
	truth = (await shown()).lines
	expect(truth.every(({ verified, problem }) => verified && problem === null)).toBe(true)
	expect(truth.map(({ seq }) => seq)).toEqual(truth.map((_, index) => index + 1))
	counted = truth.find(({ kind }) => kind === 'usage')?.seq ?? 0
	expect(counted).toBeGreaterThan(1)
})

afterAll(async () => {
	await context?.[Symbol.asyncDispose]()
	await serving?.[Symbol.asyncDispose]()
	await home?.[Symbol.asyncDispose]()
})

async function shown(session = hosted.session) {
	const ran = await home.here(['show', session, '--json'])
	const lines = ran.stdout
		.split('\n')
		.filter((line) => line !== '')
		.map((line): Line => JSON.parse(line))
	return { ...ran, lines }
}

/** Makes a change as the owner of the database, looks, and puts everything back. */
async function changed<T>(statements: readonly string[], look: () => Promise<T>): Promise<T> {
	await serving.backend.engine.tx([
		{ sql: `set local session_replication_role = replica` },
		...statements.map((text) => ({ sql: text })),
	])
	try {
		return await look()
	} finally {
		await serving.backend.engine.tx([
			{ sql: `set local session_replication_role = replica` },
			{ sql: 'delete from public.session_messages' },
			{ sql: 'insert into public.session_messages select * from kept.session_messages' },
			{ sql: 'delete from public.sessions' },
			{ sql: 'insert into public.sessions select * from kept.sessions' },
		])
	}
}

/** Everything that is said to be verified is word for word what was stored. */
function expectTruth(lines: readonly Line[], whole = truth): void {
	for (const line of lines) {
		if (line.problem === null && line.verified) expect(line).toEqual(whole[line.seq - 1])
		else {
			expect(line.verified).toBe(false)
			expect(line.body).toBeNull()
		}
	}
}

/** The numbers at which `show` and the viewer mark a problem. */
async function problems(statements: readonly string[]): Promise<number[]> {
	return changed(statements, async () => {
		const json = await shown()
		expectTruth(json.lines)
		const marked = json.lines.filter(({ problem }) => problem !== null).map(({ seq }) => seq)
		const text = await home.here(['show', hosted.session])
		const inText = [...text.stdout.matchAll(/^✗ message #(\d+)/gm)].map(([, seq]) => Number(seq))
		expect(inText).toEqual(marked)
		await using viewer = context.viewer()
		await viewer.ready
		const initial = { name: 'session', session: hosted.session } as const
		await using screen = await show(viewer, { columns: 120, rows: 60, initial })
		const numbers = (text: string) => [...text.matchAll(/✗ #(\d+)/g)].map(([, seq]) => Number(seq))
		const ready = marked.length > 0 ? /✗ \d+ problem/ : /verified to #/
		// What is after the end is read last.
		const drawn = await screen.until(
			(text) => ready.test(text) && numbers(text).length >= marked.length,
			30_000,
		)
		expect(numbers(drawn)).toEqual(marked)
		if (marked.length > 0) {
			expect(json.code).toBe(4)
			expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'session_not_verified' } })
			expect(text.code).toBe(4)
			expect(drawn).not.toContain('✓ verified')
		} else expect(json.code).toBe(0)
		return marked
	})
}

const row = (seq: number) => `session_id = '${hosted.session}' and seq = ${seq}`
const set = (what: string, seq: number) =>
	`update public.session_messages set ${what} where ${row(seq)}`

test('nothing is marked where nothing was changed', async () => {
	expect(await problems([])).toEqual([])
})

test('the built program says what the same commands say here', async () => {
	const change = set('ciphertext = set_bit(ciphertext, 9, 1 - get_bit(ciphertext, 9))', 4)
	await changed([change, erase(row(2))], async () => {
		for (const args of [
			['show', hosted.session],
			['show', hosted.session, '--json'],
		]) {
			const { code, stdout, stderr } = await home.here(args)
			expect(await home.cli(args)).toEqual({ code, stdout, stderr })
			expect(code).toBe(4)
		}
	})
})

const uuidFlip = (column: string) =>
	`${column} = (overlay(${column}::text placing
		case substr(${column}::text, 1, 1) when '0' then '1' else '0' end from 1 for 1))::uuid`
/** A double with one bit of it flipped. */
function flippedDouble(value: number, bit: number): number {
	const view = new DataView(new ArrayBuffer(8))
	view.setFloat64(0, value)
	const byte = 7 - (bit >> 3)
	view.setUint8(byte, view.getUint8(byte) ^ (1 << (bit & 7)))
	return view.getFloat64(0)
}
const cost = (bit: number) => `cost_usd = '${flippedDouble(0.012345, bit)}'::float8`

const flips: [string, string][] = [
	...[0, 95, 191].map((bit): [string, string] => [
		`nonce, bit ${bit}`,
		`nonce = set_bit(nonce, ${bit}, 1 - get_bit(nonce, ${bit}))`,
	]),
	...[0, 127, 128, 1000].map((bit): [string, string] => [
		`ciphertext, bit ${bit}`,
		`ciphertext = set_bit(ciphertext, ${bit}, 1 - get_bit(ciphertext, ${bit}))`,
	]),
	[
		'ciphertext, the last bit',
		'ciphertext = set_bit(ciphertext, length(ciphertext) * 8 - 1, 1 - get_bit(ciphertext, length(ciphertext) * 8 - 1))',
	],
	...[0, 255, 256, 511].map((bit): [string, string] => [
		`signature, bit ${bit}`,
		`signature = set_bit(signature, ${bit}, 1 - get_bit(signature, ${bit}))`,
	]),
	['epoch, bit 0', 'epoch = epoch # 1'],
	['epoch, bit 30', 'epoch = epoch # (1 << 30)'],
	['epoch, the sign', 'epoch = epoch # (1 << 31)'],
	['session_id', uuidFlip('session_id')],
	['user_id', uuidFlip('user_id')],
	['seq, bit 62', 'seq = seq # (1::bigint << 62)'],
	['seq, the sign', 'seq = -seq'],
	['created_at, 1 µs', `created_at = created_at + interval '1 microsecond'`],
	['created_at, 1 ms', `created_at = created_at + interval '1024 microseconds'`],
	['created_at, years', `created_at = created_at + interval '2251799813 seconds'`],
	['created_at, beyond all years', `created_at = 'infinity'`],
	['created_at, before all years', `created_at = '0044-03-15 BC'`],
]
const counts = ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens']
const countFlips: [string, string][] = [
	...counts.flatMap((column): [string, string][] => [
		[`${column}, bit 0`, `${column} = ${column} # 1`],
		[`${column}, bit 39`, `${column} = ${column} # (1::bigint << 39)`],
		[`${column}, the sign`, `${column} = -${column}`],
		[`${column}, bit 62`, `${column} = ${column} # (1::bigint << 62)`],
	]),
	...[0, 20, 51, 52, 61, 62].map((bit): [string, string] => [`cost_usd, bit ${bit}`, cost(bit)]),
	['cost_usd, not a number', `cost_usd = 'NaN'`],
	['cost_usd, without end', `cost_usd = 'infinity'`],
]

test.each(flips)('a bit flipped in %s', async (_, change) => {
	expect(await problems([set(change, 4)])).toEqual([4])
})

test.each(countFlips)('a bit flipped in %s', async (_, change) => {
	expect(await problems([set(change, counted)])).toEqual([counted])
})

test('a bit flipped in seq that moves the row beyond the end: the gap shows, and the stray', async () => {
	const marks = [4, truth.length + 1, 4 + 2 ** 20]
	expect(await problems([set('seq = seq # (1 << 20)', 4)])).toEqual(marks)
})

test('counts given to a message that has none', async () => {
	for (const column of [...counts, 'cost_usd']) {
		expect(await problems([set(`${column} = 1`, 4)])).toEqual([4])
	}
})

test('the first and the last message are no different', async () => {
	const last = truth.length
	const flip = 'ciphertext = set_bit(ciphertext, 9, 1 - get_bit(ciphertext, 9))'
	expect(await problems([set(flip, 1)])).toEqual([1])
	expect(await problems([set(flip, last)])).toEqual([last])
	const sign = 'signature = set_bit(signature, 9, 1 - get_bit(signature, 9))'
	expect(await problems([set(sign, last)])).toEqual([last])
})

const swap = (a: number, b: number) => [
	set('seq = -1', a),
	set(`seq = ${a}`, b),
	set(`seq = ${b}`, -1),
]
const erase = (where: string) => `delete from public.session_messages where ${where}`

test('two rows swapped', async () => {
	expect(await problems(swap(3, 4))).toEqual([3, 4])
	expect(await problems(swap(2, 6))).toEqual([2, 6])
})

test('the contents of two rows swapped, each in its own place', async () => {
	const columns = 'epoch, nonce, ciphertext, signature, created_at'
	const take = (to: number, from: number) =>
		`update public.session_messages set (${columns}) = (select ${columns} from kept.session_messages
			where ${row(from)}) where ${row(to)}`
	expect(await problems([take(3, 5), take(5, 3)])).toEqual([3, 5])
	// One message said twice, another not at all.
	expect(await problems([take(3, 5)])).toEqual([3])
})

test('rows deleted: one, the first, several, the last', async () => {
	const last = truth.length
	expect(await problems([erase(row(4))])).toEqual([4])
	expect(await problems([erase(row(1))])).toEqual([1])
	expect(await problems([erase(row(last))])).toEqual([last])
	expect(await problems([3, 4, 5].map((seq) => erase(row(seq))))).toEqual([3, 4, 5])
})

test('a row of another session in the place of one', async () => {
	const columns = 'epoch, nonce, ciphertext, signature, created_at'
	const from = `select ${columns} from kept.session_messages where session_id = '${other}'`
	const copy = `update public.session_messages set (${columns}) = (${from} and seq = 4) where ${row(4)}`
	expect(await problems([copy])).toEqual([4])
})

test('a row of another session added at the end', async () => {
	const next = truth.length + 1
	const copy = `insert into public.session_messages
		select '${hosted.session}', ${next}, user_id, epoch, nonce, ciphertext, signature, created_at
		from kept.session_messages where session_id = '${other}' and seq = 4`
	const grown = `update public.sessions set last_seq = ${next} where id = '${hosted.session}'`
	expect(await problems([copy, grown])).toEqual([next])
})

test('a row of this session added again at the end', async () => {
	const next = truth.length + 1
	const copy = `insert into public.session_messages
		select session_id, ${next}, user_id, epoch, nonce, ciphertext, signature, created_at
		from kept.session_messages where ${row(4)}`
	const grown = `update public.sessions set last_seq = ${next} where id = '${hosted.session}'`
	expect(await problems([copy, grown])).toEqual([next])
})

test('messages said to exist that do not', async () => {
	const more = `update public.sessions set last_seq = last_seq + 2 where id = '${hosted.session}'`
	const last = truth.length
	expect(await problems([more])).toEqual([last + 1, last + 2])
})

test('the end of a session taken away, and with it every word of it', async () => {
	const last = truth.length
	const gone = `session_id = '${hosted.session}' and seq > ${last - 3}`
	const less = `update public.sessions set last_seq = ${last - 3} where id = '${hosted.session}'`
	expect(await problems([erase(gone), less])).toEqual([last - 2, last - 1, last])
})

test('an imported session is guarded alike', async () => {
	const whole = (await shown(other)).lines
	const change = `update public.session_messages set ciphertext = set_bit(ciphertext, 70, 1 - get_bit(ciphertext, 70))
		where session_id = '${other}' and seq = 7`
	const { lines, code } = await changed([change], () => shown(other))
	expect(lines.filter(({ problem }) => problem !== null).map(({ seq }) => seq)).toEqual([7])
	expectTruth(lines, whole)
	expect(code).toBe(4)
})

test('all of it is as it was after all of that', async () => {
	const { lines, code, stdout, stderr } = await shown()
	expect(lines).toEqual(truth)
	expect(code).toBe(0)
	expect(await home.cli(['show', hosted.session, '--json'])).toEqual({ code, stdout, stderr })
})
