import { describe, expect, test } from 'vitest'
import type { AppendRow, MailRow, MessageRow, SessionRow } from '../../source/backend/gateway.ts'
import * as pages from '../../source/backend/pages.ts'
import { scriptedRpc } from './_scripted.ts'

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const session = id(0)
const created_at = '2026-03-01T10:00:00.000Z'

function message(seq: number, ciphertext = 'AAAA'): MessageRow {
	const tokens = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 }
	const sealed = { epoch: 0, nonce: 'AAAA', ciphertext, signature: 'AAAA' }
	return { session_id: session, seq, ...sealed, created_at, ...tokens, cost_usd: 0 }
}
const messages = (from: number, to: number) =>
	Array.from({ length: to - from + 1 }, (_, n) => message(from + n))
const seqs = (rows: readonly { seq: number }[]) => rows.map(({ seq }) => seq)

describe('messages', () => {
	/** A session of `last` messages, in pages of at most `most` for their size. */
	const stored = (last: number, most: number) =>
		scriptedRpc(({ args }) => {
			const limit = Number(args.p_limit)
			if (args.p_after !== null) {
				const from = Number(args.p_after) + 1
				const to = Math.min(last, from + Math.min(limit, most) - 1)
				return { rows: messages(from, to), more: to < last && to - from + 1 < limit }
			}
			const to = Math.min(last, Number(args.p_before) - 1)
			const from = Math.max(1, to - Math.min(limit, most) + 1)
			return { rows: messages(from, to), more: from > 1 && to - from + 1 < limit }
		})

	test('are read in pages, forwards and backwards, as many as asked for', async () => {
		for (const most of [1000, 7]) {
			const { rpc } = stored(1203, most)
			const limit = most === 7 ? 50 : 1100
			const after = await pages.readMessagesAfter(rpc, session, { after: 3, limit })
			expect(seqs(after)).toEqual(seqs(messages(4, 3 + limit)))
			const before = await pages.readMessagesBefore(rpc, session, { before: 1201, limit })
			expect(seqs(before)).toEqual(seqs(messages(1201 - limit, 1200)))
		}
		const { rpc, calls } = stored(1000, 1000)
		expect(await pages.readMessagesAfter(rpc, session, { after: 990, limit: 100 })).toHaveLength(10)
		expect(await pages.readMessagesBefore(rpc, session, { before: 11, limit: 100 })).toHaveLength(
			10,
		)
		expect(calls.filter(({ name }) => name === 'read_messages')).toHaveLength(2)
	})

	test('of a server that goes in circles are asked for once more at most', async () => {
		const { rpc, calls } = scriptedRpc(() => ({ rows: messages(5, 6), more: true }))
		await pages.readMessagesAfter(rpc, session, { after: 4, limit: 100 })
		await pages.readMessagesBefore(rpc, session, { before: 7, limit: 100 })
		expect(calls.filter(({ name }) => name === 'read_messages')).toHaveLength(4)
	})

	test('are appended in as few calls as their number and size allow, in order', async () => {
		const sent: number[][] = []
		const { rpc } = scriptedRpc(({ args }) => {
			const rows = args.p_rows as AppendRow[]
			sent.push(seqs(rows))
			return { last_seq: rows.at(-1)?.seq ?? 9 }
		})
		expect(await pages.appendMessages(rpc, session, messages(1, 1001))).toBe(1001)
		expect(sent.map((rows) => rows.length)).toEqual([500, 500, 1])
		expect(sent.flat()).toEqual(seqs(messages(1, 1001)))
		sent.length = 0
		const large = 'A'.repeat(3 * 2 ** 20)
		await pages.appendMessages(rpc, session, [
			message(1, large),
			message(2, large),
			message(3, large),
		])
		expect(sent).toEqual([[1, 2], [3]])
		expect(await pages.appendMessages(rpc, session, [])).toBe(9)
	})

	test('that were appended in part are not sent on after a failure', async () => {
		const { rpc, calls } = scriptedRpc((_, count) => {
			if (count === 1) return { last_seq: 500 }
			return Response.json({ code: 'P0001', message: 'append_conflict' }, { status: 400 })
		})
		const failed = pages.appendMessages(rpc, session, messages(1, 1500))
		await expect(failed).rejects.toMatchObject({ code: 'append_conflict' })
		expect(calls.filter(({ name }) => name === 'append_messages')).toHaveLength(2)
	})
})

describe('what a hostile server never ends', () => {
	test('is given up: the device log', async () => {
		const { rpc } = scriptedRpc(({ args }) => {
			const from = Number(args.p_after) + 1
			return Array.from({ length: 1000 }, (_, n) => ({
				seq: from + n,
				entry: 'AAAA',
				signature: 'AAAA',
			}))
		})
		await expect(pages.readLog(rpc, -1)).rejects.toMatchObject({ code: 'backend_malformed' })
	})

	test('is given up sooner where it fills the memory: the log', async () => {
		let made = 0
		const entry = 'A'.repeat(20_000)
		const { rpc } = scriptedRpc(() =>
			Array.from({ length: 1000 }, () => ({ seq: made++, entry, signature: 'AAAA' })),
		)
		await expect(pages.readLog(rpc, -1)).rejects.toMatchObject({ code: 'backend_malformed' })
		expect(made).toBe(6000)
	})

	test('is given up: mail', async () => {
		let made = 0
		const { rpc } = scriptedRpc(() => ({
			mail: Array.from({ length: 200 }, () => {
				const sealed = { nonce: 'AAAA', ciphertext: 'AAAA' }
				return { id: id(++made), session, from: id(1), to: id(2), ...sealed, created_at }
			}),
			more: true,
		}))
		await expect(pages.readMail(rpc, id(2))).rejects.toMatchObject({ code: 'backend_malformed' })
	})
})

test('mail is read page by page, each once, though it is deleted meanwhile', async () => {
	const mail = (n: number): MailRow => {
		const sealed = { nonce: 'AAAA', ciphertext: 'AAAA' }
		return { id: id(n), session, from: id(1), to: id(2), ...sealed, created_at }
	}
	const { rpc } = scriptedRpc(({ args }) => {
		if (args.p_after === null) return { mail: [mail(11), mail(12)], more: true }
		if (args.p_after === id(12)) return { mail: [mail(12), mail(13)], more: false }
		throw new Error('asked for nothing that was told')
	})
	const found = await pages.readMail(rpc, id(2))
	expect(found.map((row) => row.id)).toEqual([id(11), id(12), id(13)])
})

test('sessions are read on from the last of a page, those of the same moment too', async () => {
	const all: SessionRow[] = Array.from({ length: 730 }, (_, n) => ({
		id: id(1000 - n),
		agent: 'claude',
		status: 'stopped',
		project: null,
		label: null,
		host: id(1),
		started_at: created_at,
		last_activity_at: created_at,
		ended_at: null,
		last_seq: 1,
		pending: 0,
		tokens: { input: 0, output: 0, cache_read: 0, cache_write: 0 },
		cost_usd: 0,
	}))
	const { rpc } = scriptedRpc(({ args }) => {
		const from = all.findIndex((row) => row.id === args.p_before_id) + 1
		return all.slice(from, from + Number(args.p_limit))
	})
	const ids = (rows: SessionRow[]) => rows.map((row) => row.id)
	expect(ids(await pages.listSessions(rpc, { limit: 10_000 }))).toEqual(ids(all))
	expect(ids(await pages.listSessions(rpc, { limit: 600 }))).toEqual(ids(all.slice(0, 600)))
})
