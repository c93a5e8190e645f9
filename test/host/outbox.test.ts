import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AppendRow } from '../../source/backend/gateway.ts'
import { Outbox } from '../../source/host/outbox.ts'
import { outboxError } from '../../source/host/outbox-errors.ts'
import { outboxSessions, pendingRows } from '../../source/host/outbox-files.ts'
import { outboxFile, outboxFolder } from '../../source/host/outbox-paths.ts'
import { sealEvent } from '../../source/host/seal-event.ts'
import { Sender } from '../../source/host/sender.ts'
import { randomBytes } from '../../source/protocol/box.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { createDevice, randomId } from '../../source/protocol/device.ts'
import { emptyLog } from '../../source/protocol/device-log.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import { type ChainState, chainStart } from '../../source/protocol/message.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'

let folder: string
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-outbox-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const device = createDevice()
const key = randomBytes(32)

function session(id = randomId()) {
	return { id, account: randomId(), device: device.record.id, agent: 'claude' as const }
}

/** A device log in which nothing happens. */
const logOf = (account: string) => ({ state: emptyLog(account), refresh: async () => undefined })

function seal(id: string, chain: ChainState, text: string) {
	const body = { text, block: null, model: null, parent: null }
	const entry = { at: '2026-01-01T00:00:00Z', event: { kind: 'agent_response' as const, body } }
	const keys = { epoch: 0, key, signSecret: device.signSecret, random: randomBytes }
	return sealEvent(id, chain, entry, keys)
}

function create(of: ReturnType<typeof session>): Outbox {
	const signature = toBase64(randomBytes(64))
	const epoch = { scope: `session:${of.id}`, epoch: 0, record: toBase64(randomBytes(9)), signature }
	const { id, agent } = of
	const started_at = '2026-01-01T00:00:00.000Z'
	const row = { id, agent, host: of.device, project: null, label: null, started_at }
	return Outbox.create(folder, of, chainStart(id), [
		{ kind: 'create', session: { ...row, epoch, grants: [] } },
	])
}

describe('outbox', () => {
	it('keeps what was committed through a death at any point', () => {
		const of = session()
		const outbox = create(of)
		const first = seal(of.id, outbox.chain(), 'one')
		const request = randomId()
		outbox.commit({
			rows: first.rows,
			chain: first.chain,
			opened: [{ request, digest: first.digest, expiresAt: '2026-01-01T00:05:00.000Z' }],
		})
		outbox.commit({ command: 'c1' })
		// Nothing is closed: this is what a killed process leaves.
		using again = Outbox.open(folder, of.id)
		expect(again?.session).toEqual(of)
		expect(again?.chain()).toEqual(first.chain)
		expect(again?.request(request)?.digest).toBe(first.digest)
		expect(again?.hasCommand('c1')).toBe(true)
		expect(again?.pending()).toBe(2)
		expect(pendingRows(folder)).toBe(1)
		expect(outboxSessions(folder)).toEqual([of.id])
	})

	it('takes no command twice', () => {
		using outbox = create(session())
		outbox.commit({ command: 'c1' })
		expect(() => outbox.commit({ command: 'c1' })).toThrow(StyrbyError)
	})

	it('writes all of a step or nothing', () => {
		const of = session()
		using outbox = create(of)
		const one = seal(of.id, outbox.chain(), 'one')
		outbox.commit({ command: 'c1' })
		expect(() => outbox.commit({ rows: one.rows, chain: one.chain, command: 'c1' })).toThrow()
		expect(outbox.chain().seq).toBe(0)
		expect(outbox.pending()).toBe(1)
	})

	it('is nothing when its maker died before the first commit', () => {
		const id = randomId()
		create(session()).remove()
		using _db = Outbox.open(folder, id)
		expect(_db).toBe(null)
	})

	it('says so when the folder can not be written', () => {
		const of = session()
		const file = join(folder, 'blocked')
		mkdirSync(file)
		const open = (cause: unknown) => outboxError(cause).code
		expect(open({ errcode: 13 })).toBe('outbox_full')
		expect(open({ errcode: 8 | (1 << 8) })).toBe('home_not_writable')
		expect(open(Object.assign(new Error(), { code: 'ENOSPC' }))).toBe('outbox_full')
		expect(open(Object.assign(new Error(), { code: 'EROFS' }))).toBe('home_not_writable')
		expect(open(new Error('else'))).toBe('outbox_failed')
		if (process.getuid?.() === 0) return
		chmodSync(folder, 0o500)
		expect(() => create(of)).toThrow(expect.objectContaining({ code: 'home_not_writable' }))
		chmodSync(folder, 0o700)
	})
})

/** One thing that may happen, in any order. */
const action = fc.oneof(
	{
		weight: 4,
		arbitrary: fc.record({
			do: fc.constant('commit' as const),
			rows: fc.integer({ min: 1, max: 4 }),
		}),
	},
	{
		weight: 4,
		arbitrary: fc.record({
			do: fc.constant('send' as const),
			batch: fc.integer({ min: 1, max: 3 }),
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			do: fc.constant('sendUnheard' as const),
			batch: fc.integer({ min: 1, max: 3 }),
		}),
	},
	{ weight: 3, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('powerCut' as const) }) },
)

describe('any interleaving of commits, sendings and crashes', () => {
	it('loses nothing and doubles nothing', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
				const of = session()
				const backend = new MemoryBackend()
				const gateway = backend.gateway(of.account)
				let outbox = create(of)
				const left: Outbox[] = []
				const acknowledged: AppendRow[] = []
				let chain = outbox.chain()
				const reopen = () => {
					left.push(outbox)
					const again = Outbox.open(folder, of.id)
					if (!again) throw new Error('the outbox is gone')
					outbox = again
					chain = outbox.chain()
				}
				const send = async (batch: number, heard: boolean) => {
					const work = outbox.next(batch, 1_000_000)
					if (!work) return
					if (work.kind === 'rows') await gateway.appendMessages(of.id, work.rows)
					else if (work.operation.kind === 'create') {
						await gateway.createSession(work.operation.session)
					}
					if (heard) outbox.confirm(work)
				}
				for (const step of actions) {
					if (step.do === 'commit') {
						const rows = []
						for (let n = 0; n < step.rows; n++) {
							const sealed = seal(of.id, chain, `${acknowledged.length + n}`)
							rows.push(...sealed.rows)
							chain = sealed.chain
						}
						outbox.commit({ rows, chain })
						acknowledged.push(...rows.map(({ row }) => row))
					}
					if (step.do === 'send') await send(step.batch, true)
					if (step.do === 'sendUnheard') await send(step.batch, false)
					if (step.do === 'crash') reopen()
					if (step.do === 'powerCut') {
						// The disk as it is at this moment, journal and all, is what the next process finds.
						const file = outboxFile(folder, of.id)
						const copies = ['', '-wal'].filter((suffix) => existsSync(file + suffix))
						for (const suffix of copies) copyFileSync(file + suffix, `${file}${suffix}.copy`)
						outbox.remove()
						mkdirSync(outboxFolder(folder), { recursive: true })
						for (const suffix of copies) copyFileSync(`${file}${suffix}.copy`, file + suffix)
						reopen()
					}
				}
				reopen()
				{
					await using sender = new Sender({ outbox, gateway, log: logOf(of.account) })
					expect(await sender.delivered(5000)).toBe(true)
				}
				const stored = await gateway.readMessages(of.id, { after: 0, limit: 500 })
				expect(stored.map((row) => row.signature)).toEqual(acknowledged.map((row) => row.signature))
				expect(stored.map((row) => row.seq)).toEqual(stored.map((_, index) => index + 1))
				for (const one of [...left, outbox]) one[Symbol.dispose]()
				outbox.remove()
			}),
			{ numRuns: 60 },
		)
	}, 60_000)
})

describe('sender', () => {
	it('stops for good when the backend has other rows than ours, and says so once', async () => {
		const of = session()
		const backend = new MemoryBackend()
		const gateway = backend.gateway(of.account)
		using outbox = create(of)
		const said: [string, boolean][] = []
		await using sender = new Sender({
			outbox,
			gateway,
			log: logOf(of.account),
			onTrouble: (error, final) => said.push([error.code, final]),
		})
		expect(await sender.delivered(5000)).toBe(true)
		const foreign = seal(of.id, outbox.chain(), 'theirs')
		await gateway.appendMessages(
			of.id,
			foreign.rows.map(({ row }) => row),
		)
		const ours = seal(of.id, outbox.chain(), 'ours')
		outbox.commit({ rows: ours.rows, chain: ours.chain })
		expect(await sender.delivered(5000)).toBe(false)
		sender.wake()
		expect(said).toEqual([['append_conflict', true]])
		expect(outbox.pending()).toBe(1)
	})

	it('sends nothing while it is held', async () => {
		const of = session()
		const backend = new MemoryBackend()
		using outbox = create(of)
		const gateway = backend.gateway(of.account)
		await using sender = new Sender({ outbox, gateway, log: logOf(of.account) })
		sender.hold(true)
		sender.wake()
		await new Promise((resolve) => setTimeout(resolve, 20))
		expect(backend.calls).toEqual([])
		sender.hold(false)
		expect(await sender.delivered(5000)).toBe(true)
	})
})
