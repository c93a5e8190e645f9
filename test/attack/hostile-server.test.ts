/**
 * A server that lies in every answer that it can, in front of the real embedded backend: each lie ends in a
 * named error or a visible mark, no key is given away, and no approval comes of it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { MailRow, MessageRow } from '../../source/backend/gateway.ts'
import { sharedKey } from '../../source/protocol/box.ts'
import { fromBase64, toBase64 } from '../../source/protocol/bytes.ts'
import { createDevice } from '../../source/protocol/device.ts'
import { makeEntry } from '../../source/protocol/device-log.ts'
import { sealGrant } from '../../source/protocol/epoch.ts'
import { exit, StyrbyError } from '../../source/protocol/errors.ts'
import { checkDeviceLog, checkSessions, findIntruders } from '../../source/viewer/history-check.ts'
import { SessionReader } from '../../source/viewer/session-reader.ts'
import type { RequestView, SessionState } from '../../source/viewer/viewer.ts'
import { until } from '../tools/hosted-session.ts'
import { someAsk } from '../tools/scripted-agent.ts'
import { Bench, type HostedHere } from './_bench.ts'

let bench: Bench

beforeAll(async () => {
	bench = await Bench.open()
}, 60_000)
afterEach(() => bench.settle())
afterAll(async () => {
	await bench?.[Symbol.asyncDispose]()
}, 60_000)

type Page = { rows: MessageRow[]; more: boolean }
/** Changes the pages of messages that the viewer is given. */
function pages(change: (rows: MessageRow[]) => MessageRow[]): void {
	bench.viewer.server.attack = {
		...bench.viewer.server.attack,
		answer: (name, answer) => {
			if (name !== 'read_messages') return answer
			const page = answer as Page
			return { ...page, rows: change(page.rows) }
		},
	}
}

async function codeOf(work: Promise<unknown>): Promise<string> {
	try {
		await work
		return 'none'
	} catch (error) {
		if (error instanceof StyrbyError) return error.code
		throw error
	}
}

/** A session that is over, of so many sentences. */
async function finishedSession(sentences: number): Promise<string> {
	const hosted = await bench.hostSession()
	for (let index = 1; index <= sentences; index++) hosted.agent.text(`sentence ${index}`)
	await hosted[Symbol.asyncDispose]()
	return hosted.session
}

/** What the viewer makes of a whole session: the numbers that are marked, and what is verified. */
async function read(session: string) {
	const { account, gateway } = bench.viewer
	const row = await gateway.readSession(session)
	const marks: [number, string | null][] = []
	const said: string[] = []
	const reader = new SessionReader(account, session)
	for await (const message of reader.all(0, reader.through(row))) {
		if (message.problem !== null) {
			marks.push([message.seq, message.code])
			expect([message.verified, message.body]).toEqual([false, null])
		} else if (message.kind === 'agent_response') {
			said.push((message.body as { text: string }).text)
		}
	}
	return { marks, said, count: row?.last_seq ?? 0 }
}

const sentences = (...numbers: number[]) => numbers.map((n) => `sentence ${n}`)

describe('messages', () => {
	// A session starts with a "starting" message: sentence n is message n + 1.
	let session: string
	let other: string
	beforeAll(async () => {
		session = await finishedSession(6)
		other = await finishedSession(6)
	})

	test('as they are', async () => {
		expect(await read(session)).toMatchObject({ marks: [], said: sentences(1, 2, 3, 4, 5, 6) })
	})

	test('one withheld', async () => {
		pages((rows) => rows.filter(({ seq }) => seq !== 4))
		const { marks, said } = await read(session)
		expect(marks).toEqual([[4, 'message_missing']])
		expect(said).toEqual(sentences(1, 2, 4, 5, 6))
	})

	test('the tail withheld', async () => {
		pages((rows) => rows.filter(({ seq }) => seq < 5))
		const { marks, said, count } = await read(session)
		expect(marks.map(([seq]) => seq)).toEqual(Array.from({ length: count - 4 }, (_, i) => i + 5))
		expect(said).toEqual(sentences(1, 2, 3))
	})

	test('the tail withheld, and said never to have been: what was proved before is marked', async () => {
		const before = await read(session)
		bench.viewer.server.attack = {
			answer(name, answer) {
				if (name === 'read_session') return { ...(answer as object), last_seq: 4 }
				if (name !== 'read_messages') return answer
				const page = answer as Page
				return { ...page, rows: page.rows.filter(({ seq }) => seq <= 4) }
			},
		}
		const { marks, said } = await read(session)
		expect(marks.map(([seq]) => seq)).toEqual(
			Array.from({ length: before.count - 4 }, (_, index) => index + 5),
		)
		expect(said).toEqual(sentences(1, 2, 3))
		await using viewer = bench.openViewer()
		await using view = viewer.open(session)
		const state = await stateOf(view, ({ loading, messages }) => !loading && messages.length > 0)
		expect(state.problems).toBe(before.count - 4)
	})

	test('the whole session withheld: verify misses it', async () => {
		await read(session)
		bench.viewer.server.attack = {
			answer: (name, answer) =>
				name === 'list_sessions'
					? (answer as { id: string }[]).filter(({ id }) => id !== session)
					: answer,
		}
		const { problems } = await checkSessions(bench.viewer.account)
		expect(problems).toEqual([
			expect.objectContaining({ session, seq: null, code: 'session_withheld' }),
		])
	})

	test('all withheld', async () => {
		pages(() => [])
		const { marks, said } = await read(session)
		expect(marks).toEqual([[1, 'message_missing']])
		expect(said).toEqual([])
	})

	test('one repeated, in its place', async () => {
		pages((rows) => rows.flatMap((row) => (row.seq === 4 ? [row, row] : [row])))
		const { marks, said } = await read(session)
		expect(marks).toEqual([[4, 'message_repeated']])
		expect(said).toEqual(sentences(1, 2, 4, 5, 6))
	})

	test('one repeated, in the place of another', async () => {
		pages((rows) => rows.map((row) => (row.seq === 5 ? { ...(rows[3] ?? row), seq: 5 } : row)))
		const { marks, said } = await read(session)
		expect(marks).toEqual([[5, 'message_moved']])
		expect(said).toEqual(sentences(1, 2, 3, 5, 6))
	})

	test('two exchanged', async () => {
		pages((rows) =>
			rows.map((row) => {
				const from = row.seq === 3 ? 5 : row.seq === 5 ? 3 : row.seq
				return { ...(rows[from - 1] ?? row), seq: row.seq }
			}),
		)
		const { marks, said } = await read(session)
		expect(marks).toEqual([
			[3, 'message_moved'],
			[5, 'message_moved'],
		])
		expect(said).toEqual(sentences(1, 3, 5, 6))
	})

	test('in another order', async () => {
		pages((rows) => [...rows].reverse())
		// Their numbers say where they belong, and the chain that they do.
		expect(await read(session)).toMatchObject({ marks: [], said: sentences(1, 2, 3, 4, 5, 6) })
	})

	test('some of another session', async () => {
		const spliced = await bench.host.gateway.readMessages(other, { after: 0, limit: 100 })
		pages((rows) => rows.map((row) => (row.seq === 4 ? (spliced[3] ?? row) : row)))
		expect((await read(session)).marks).toEqual([[4, 'message_moved']])
		pages((rows) =>
			rows.map((row) => (row.seq === 4 ? { ...(spliced[3] ?? row), session_id: session } : row)),
		)
		expect((await read(session)).marks).toEqual([[4, 'message_altered']])
	})

	test('the whole of another session', async () => {
		const spliced = await bench.host.gateway.readMessages(other, { after: 0, limit: 100 })
		pages(() => spliced.map((row) => ({ ...row, session_id: session })))
		const { marks, said, count } = await read(session)
		expect(marks.length).toBe(count)
		expect(said).toEqual([])
	})

	test('a signature of another message', async () => {
		pages((rows) =>
			rows.map((row) =>
				row.seq === 4 ? { ...row, signature: rows[4]?.signature ?? row.signature } : row,
			),
		)
		expect((await read(session)).marks).toEqual([[4, 'message_bad_signature']])
	})

	test('the tail withheld of a live session: its heartbeat gives it away', async () => {
		await using hosted = await bench.hostSession()
		for (let index = 1; index <= 6; index++) hosted.agent.text(`sentence ${index}`)
		await hosted.host.publisher.delivered(10_000)
		const { server } = bench.viewer
		server.attack = {
			answer(name, answer) {
				if (name === 'read_messages') {
					const page = answer as Page
					return { ...page, rows: page.rows.filter(({ seq }) => seq <= 4) }
				}
				if (name === 'read_session') return { ...(answer as object), last_seq: 4 }
				if (name === 'list_sessions') {
					return (answer as object[]).map((row) => ({ ...row, last_seq: 4 }))
				}
				return answer
			},
			live: (message) => (message.event === 'messages' ? [] : [message]),
		}
		await using viewer = bench.openViewer()
		await using view = viewer.open(hosted.session)
		const state = await stateOf(view, ({ problems }) => problems > 0, 40_000)
		expect(state.messages.at(-1)?.problem).toMatch(/withheld/)
		expect(state.messages.filter(({ verified }) => verified).length).toBe(4)
	}, 60_000)
})

async function stateOf(
	view: { state: { get(): SessionState } },
	holds: (state: SessionState) => boolean,
	ms = 20_000,
): Promise<SessionState> {
	return until(
		'the session to look so',
		async () => (holds(view.state.get()) ? view.state.get() : null),
		ms,
	)
}

describe('the live channel', () => {
	test('rows that were changed on the way do not show: those that are stored do', async () => {
		await using hosted = await bench.hostSession()
		await hosted.host.publisher.delivered(10_000)
		bench.viewer.server.attack = {
			live: (message) => {
				const { rows } = (message.payload ?? {}) as { rows?: MessageRow[] | null }
				if (message.event !== 'messages' || !rows) return [message]
				const flipped = rows.map((row) => ({
					...row,
					ciphertext: `${row.ciphertext.slice(0, 40)}AAAA${row.ciphertext.slice(44)}`,
				}))
				// Changed, said twice, and in the name of a number that is long gone.
				const changed = { ...message, payload: { ...(message.payload as object), rows: flipped } }
				const old = {
					...message,
					payload: { ...(message.payload as object), from: 1, to: 1, rows: flipped },
				}
				return [changed, old, message, message]
			},
		}
		await using viewer = bench.openViewer()
		await using view = viewer.open(hosted.session)
		await stateOf(view, ({ loading }) => !loading)
		for (let index = 1; index <= 5; index++) hosted.agent.text(`sentence ${index}`)
		const said = (state: SessionState) =>
			state.messages
				.filter(({ kind }) => kind === 'agent_response')
				.map(({ body }) => (body as { text: string }).text)
		const state = await stateOf(view, (now) => said(now).length >= 5)
		expect(said(state)).toEqual(sentences(1, 2, 3, 4, 5))
		expect(state.problems).toBe(0)
	})

	test('text and heartbeats that the host did not sign are said to be an attack, and not shown', async () => {
		await using hosted = await bench.hostSession()
		await hosted.host.publisher.delivered(10_000)
		await using viewer = bench.openViewer()
		await using view = viewer.open(hosted.session)
		await stateOf(view, ({ loading }) => !loading)
		const { server } = bench.viewer
		const topic = new RegExp(`session:${hosted.session}`)
		await until('the channel is joined', async () => server.invent(topic, 'nothing', {}) > 0)
		const nonce = Buffer.alloc(24, 1).toString('base64')
		const signature = Buffer.alloc(64, 1).toString('base64')
		const ciphertext = Buffer.alloc(272, 1).toString('base64')
		server.invent(topic, 'frame', { nonce, ciphertext, signature })
		const attacked = await stateOf(view, ({ error }) => error !== null)
		expect(attacked.error).toContain('frame_bad_signature')
		expect(attacked.live).toEqual([])
		const bytes = Buffer.from(JSON.stringify({ v: 1, session: hosted.session })).toString('base64')
		server.invent(topic, 'heartbeat', { bytes, signature })
		await stateOf(view, ({ error }) => error?.includes('heartbeat') ?? false)
	})

	test('noise of every kind leaves the viewer as it is', async () => {
		await using hosted = await bench.hostSession()
		await using viewer = bench.openViewer()
		await viewer.ready
		await using view = viewer.open(hosted.session)
		await stateOf(view, ({ loading }) => !loading)
		const { server } = bench.viewer
		await until('the channels are joined', async () => server.invent(/session:/, 'nothing', {}) > 0)
		const junk: unknown[] = [
			null,
			5,
			'text',
			[],
			{},
			{ session: 5 },
			{ session: hosted.session, from: -1, to: 1e300, rows: null },
			{ session: hosted.session, from: 1, to: 9007199254740991, rows: [] },
			{ session: hosted.session, from: 1, to: 2, rows: [{}] },
			{ session: hosted.session, from: 5, to: 2, rows: [null] },
			JSON.parse(
				'{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}',
			),
			{ mail: { id: 'x' } },
			{ request: 'x', session: 'y', status: 'z'.repeat(1e6) },
			{ bytes: '', signature: '' },
			{ nonce: '!', ciphertext: 'A'.repeat(400_000), signature: '' },
		]
		const events = [
			'messages',
			'frame',
			'heartbeat',
			'sessions',
			'log',
			'request',
			'mail',
			'__proto__',
			'',
		]
		for (const event of events) {
			for (const payload of junk) {
				server.invent(/session:/, event, payload)
				server.invent(/account:/, event, payload)
			}
		}
		hosted.agent.text('still here')
		await stateOf(view, ({ messages }) =>
			messages.some(({ body }) => (body as { text?: string } | null)?.text === 'still here'),
		)
		expect(view.state.get().problems).toBe(0)
		expect(viewer.info.get().alarm).toBeNull()
		expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
	})

	test('a heartbeat that is played again is no sign of life', async () => {
		await using hosted = await bench.hostSession()
		const beats: unknown[] = []
		bench.viewer.server.attack = {
			live: (message) => {
				if (message.event === 'heartbeat') beats.push(message.payload)
				return [message]
			},
		}
		await using viewer = bench.openViewer()
		await using view = viewer.open(hosted.session)
		await stateOf(view, ({ lastHeartbeat }) => lastHeartbeat !== null, 40_000)
		const [first] = beats
		const seen = view.state.get().lastHeartbeat
		await sleep(20)
		bench.viewer.server.invent(new RegExp(hosted.session), 'heartbeat', first)
		// Sent after it, over the same socket: when this is here, the other was looked at.
		hosted.agent.text('after that')
		await stateOf(view, ({ messages }) =>
			messages.some(({ body }) => (body as { text?: string } | null)?.text === 'after that'),
		)
		expect(view.state.get().lastHeartbeat).toBe(seen)
	}, 60_000)
})

describe('the device log', () => {
	const rows = () => bench.host.gateway.readLog(-1)
	const logAnswers = (change: (all: unknown[], after: number) => unknown[]) => {
		const answer = (name: string, given: unknown, args: Record<string, unknown>) =>
			name === 'read_log' ? change(given as unknown[], Number(args.p_after ?? -1)) : given
		bench.viewer.server.attack = { answer }
		bench.host.server.attack = { answer }
	}

	test('emptied', async () => {
		logAnswers(() => [])
		expect(await codeOf(bench.viewer.account.log.refresh())).toBe('log_rolled_back')
		expect(await codeOf(bench.again(bench.viewer))).toBe('log_rolled_back')
	})

	test('cut off before the end', async () => {
		logAnswers((all) => all.filter((row) => (row as { seq: number }).seq < 1))
		expect(await codeOf(bench.viewer.account.log.refresh())).toBe('log_rolled_back')
		expect((await checkDeviceLog(bench.viewer.account)).verified).toBe(false)
	})

	test('another entry in the place of one', async () => {
		logAnswers((all) =>
			all.map((row) => {
				const entry = row as { seq: number; entry: string; signature: string }
				return entry.seq === 1
					? { ...entry, signature: Buffer.alloc(64, 7).toString('base64') }
					: row
			}),
		)
		expect(await codeOf(bench.viewer.account.log.refresh())).toBe('log_rolled_back')
	})

	test('with a device that nobody added: named, and given nothing', async () => {
		const ghost = createDevice()
		const state = bench.host.account.log.state
		const at = new Date().toISOString()
		const label = bench.host.account.sealLabel(`device:${ghost.record.id}`, { name: 'ghost' })
		const join = Buffer.alloc(64, 1).toString('base64')
		const act = { type: 'add', at, device: ghost.record, label, join } as const
		// Signed by the ghost itself: by nobody who may.
		const forged = makeEntry(state, ghost, act)
		const asOther = {
			...makeEntry(
				state,
				{ ...ghost, record: { ...ghost.record, id: bench.host.account.device.record.id } },
				act,
			),
		}
		for (const [entry, code] of [
			[forged, 'log_unknown_signer'],
			[asOther, 'log_bad_signature'],
		] as const) {
			const row = {
				seq: entry.seq,
				entry: toBase64(entry.entry),
				signature: toBase64(entry.signature),
			}
			logAnswers((all) => [...all, row])
			expect(await codeOf(bench.viewer.account.log.refresh())).toBe(code)
			await using viewer = bench.openViewer()
			await viewer.ready.catch(() => undefined)
			await until('the alarm is up', async () => viewer.info.get().alarm)
			expect(viewer.info.get().devices).toBe(2)
			await using hosted = await bench.hostSession()
			hosted.agent.text('said while the log does not verify')
			await until('the host has noticed', async () =>
				hosted.troubles.some((trouble) => trouble.exitCode === exit.refused),
			)
			const sent = JSON.stringify(bench.host.server.calls)
			expect(sent).not.toContain(ghost.record.id)
			bench.calm()
			await hosted.host.publisher.delivered(1000)
		}
		expect(await rows()).toHaveLength(2)
	})

	test('a key among those of the devices that is in no log: an intruder, who is given nothing', async () => {
		const ghost = createDevice()
		const { id, box, sign } = ghost.record
		const at = new Date().toISOString()
		const shown = {
			device: id,
			box,
			sign,
			kind: 'device',
			added_at: at,
			revoked_at: null,
			last_seen_at: null,
		}
		for (const { server } of [bench.viewer, bench.host]) {
			server.attack = {
				answer: (name, answer) =>
					name === 'list_machine_keys' ? [...(answer as unknown[]), shown] : answer,
			}
		}
		expect(await findIntruders(bench.viewer.account)).toEqual([{ id, public_key: box }])
		await using hosted = await bench.hostSession()
		hosted.agent.text('nothing for a ghost')
		await hosted.host.publisher.delivered(10_000)
		const created = bench.host.server.calls.find(({ name }) => name === 'create_session')
		expect(JSON.stringify(created)).toContain(bench.viewer.account.device.record.id)
		expect(JSON.stringify(bench.host.server.calls)).not.toContain(id)
	})
})

describe('keys', () => {
	let session: string
	beforeAll(async () => {
		session = await finishedSession(3)
	})

	interface Keys {
		epochs: { scope: string; epoch: number; record: string; signature: string }[]
		grants: {
			scope: string
			epoch: number
			by: string
			to: string
			nonce: string
			ciphertext: string
		}[]
	}
	/** Reads the session anew with other keys than the backend's. */
	async function withKeys(change: (keys: Keys) => unknown) {
		bench.viewer.server.attack = {
			answer: (name, answer, args) =>
				name === 'read_keys' && JSON.stringify(args.p_scopes).includes(session)
					? change(answer as Keys)
					: answer,
		}
		await bench.viewer.account.keys.load(`session:${session}`, { again: true })
		return read(session)
	}
	const wrongKey = Buffer.alloc(32, 9)
	const boxed = (shared: Uint8Array) => {
		const grant = { scope: `session:${session}` as const, epoch: 0, key: new Uint8Array(wrongKey) }
		const { nonce, ciphertext } = sealGrant(grant, shared, new Uint8Array(24).fill(3))
		return { nonce: toBase64(nonce), ciphertext: toBase64(ciphertext) }
	}

	test('a grant by a device that is in no log', async () => {
		const ghost = createDevice()
		const shared = sharedKey(
			fromBase64(bench.viewer.account.device.record.box, 32),
			ghost.boxSecret,
		)
		const { marks, said } = await withKeys((keys) => ({
			...keys,
			grants: keys.grants.map((grant) => ({ ...grant, by: ghost.record.id, ...boxed(shared) })),
		}))
		expect(new Set(marks.map(([, code]) => code))).toEqual(new Set(['grant_unknown_device']))
		expect(said).toEqual([])
	})

	test('a grant of another key, by a device that may grant', async () => {
		const { account } = bench.host
		const shared = account.keys.sharedWith(bench.viewer.account.device.record)
		const { marks, said } = await withKeys((keys) => ({
			...keys,
			grants: keys.grants.map((grant) => ({ ...grant, ...boxed(shared) })),
		}))
		expect(new Set(marks.map(([, code]) => code))).toEqual(new Set(['grant_wrong_key']))
		expect(said).toEqual([])
	})

	test('an epoch made by a device that is in no log', async () => {
		const ghost = createDevice()
		const { marks, said } = await withKeys((keys) => ({
			...keys,
			epochs: keys.epochs.map((epoch) => {
				const record = JSON.parse(Buffer.from(epoch.record, 'base64').toString())
				const text = JSON.stringify({ ...record, by: ghost.record.id })
				return { ...epoch, record: Buffer.from(text).toString('base64') }
			}),
		}))
		expect(marks.length).toBeGreaterThan(3)
		expect(new Set(marks.map(([, code]) => code))).toEqual(new Set(['epoch_unknown_device']))
		expect(said).toEqual([])
	})

	test('none at all', async () => {
		const { marks, said } = await withKeys(() => ({ epochs: [], grants: [] }))
		expect(marks.length).toBeGreaterThan(3)
		expect(said).toEqual([])
	})

	test('all is read again when the server comes round', async () => {
		bench.calm()
		await bench.viewer.account.keys.load(`session:${session}`, { again: true })
		expect(await read(session)).toMatchObject({ marks: [], said: sentences(1, 2, 3) })
	})
})

describe('decisions', () => {
	async function waiting(hosted: HostedHere, viewer: ReturnType<Bench['openViewer']>, id: string) {
		void hosted.agent.ask(id, { ...someAsk, tool_use: id })
		const known = new Set(viewer.requests.get().map((request) => request.id))
		return until<RequestView>('the request waits', async () =>
			viewer.requests
				.get()
				.find(
					(one) => one.status === 'pending' && one.session === hosted.session && !known.has(one.id),
				),
		)
	}
	const allow = { decision: 'allow', scope: 'once' } as const
	const mailOf = () =>
		bench.viewer.server.calls
			.filter(({ name }) => name === 'post_mail')
			.map(({ args }) => args.p_mail as Omit<MailRow, 'created_at'>)
	const approvals = (hosted: HostedHere) =>
		[...hosted.agent.answers.values()].flat().filter(({ decision }) => decision === 'allow')
	const flip = (text: string) => {
		const bytes = Buffer.from(text, 'base64')
		bytes[60] = (bytes[60] ?? 0) ^ 1
		return bytes.toString('base64')
	}
	const notices = async (session: string) => {
		const codes: string[] = []
		for await (const { kind, body } of new SessionReader(bench.host.account, session).all(0, 0)) {
			const system = body as { type?: string; data?: { code?: string } } | null
			if (kind === 'system' && system?.type === 'notice') codes.push(system.data?.code ?? '')
		}
		return codes
	}

	test('one flipped on its way: no approval, and the session says so', async () => {
		await using hosted = await bench.hostSession()
		await using viewer = bench.openViewer(undefined, 1500)
		await viewer.ready
		const request = await waiting(hosted, viewer, 'flipped')
		bench.viewer.server.attack = {
			call: (name, args) => {
				if (name !== 'post_mail') return args
				const mail = args.p_mail as MailRow
				return { p_mail: { ...mail, ciphertext: flip(mail.ciphertext) } }
			},
		}
		const state = await viewer.decide(request, allow).done
		expect(state.stages.map(({ stage }) => stage)).not.toContain('verified')
		expect(['stored', 'failed', 'refused']).toContain(state.stage)
		await until('it is noted', async () =>
			(await notices(hosted.session)).includes('command_altered'),
		)
		expect(approvals(hosted)).toEqual([])
	})

	test('one that was given, played again for another request: refused', async () => {
		await using hosted = await bench.hostSession()
		await using viewer = bench.openViewer()
		await viewer.ready
		const first = await waiting(hosted, viewer, 'first')
		expect((await viewer.decide(first, allow).done).stage).toBe('applied')
		await waiting(hosted, viewer, 'second')
		const [mail] = mailOf()
		if (!mail) throw new Error('no mail was sent')
		const { account, gateway } = bench.host
		const again = { ...mail, created_at: new Date().toISOString() }
		const topic = new RegExp(`account:${account.id}`)
		// By the same id, by another one, over the live channel and in the mailbox.
		const other = { ...again, id: '77777777-7777-4777-8777-777777777777' }
		for (const copy of [again, other]) {
			bench.host.server.invent(topic, 'mail', { mail: copy })
			await gateway.postMail(copy)
		}
		await until('it is noted', async () =>
			(await notices(hosted.session)).includes('command_moved'),
		)
		expect(approvals(hosted).length).toBe(1)
		expect([...hosted.agent.answers.keys()]).toEqual(['first'])
	})

	test('one moved to another session of the same host: refused', async () => {
		await using hosted = await bench.hostSession()
		await using neighbour = await bench.hostSession()
		await using viewer = bench.openViewer(undefined, 1500)
		await viewer.ready
		const request = await waiting(hosted, viewer, 'here')
		void neighbour.agent.ask('there', { ...someAsk, tool_use: 'there' })
		bench.viewer.server.attack = {
			call: (name, args) =>
				name === 'post_mail'
					? { p_mail: { ...(args.p_mail as MailRow), session: neighbour.session } }
					: args,
		}
		const state = await viewer.decide(request, allow).done
		expect(state.stages.map(({ stage }) => stage)).not.toContain('verified')
		await until('it is noted', async () =>
			(await notices(neighbour.session)).includes('command_moved'),
		)
		expect([...approvals(hosted), ...approvals(neighbour)]).toEqual([])
	})

	test('one in the name of another device: refused', async () => {
		await using hosted = await bench.hostSession()
		await using viewer = bench.openViewer(undefined, 1500)
		await viewer.ready
		const request = await waiting(hosted, viewer, 'name')
		bench.viewer.server.attack = {
			call: (name, args) =>
				name === 'post_mail'
					? { p_mail: { ...(args.p_mail as MailRow), from: bench.host.account.device.record.id } }
					: args,
		}
		const state = await viewer.decide(request, allow).done
		expect(state.stages.map(({ stage }) => stage)).not.toContain('verified')
		expect(approvals(hosted)).toEqual([])
	})

	test('one held back until the time is over: denied, and it stays denied', async () => {
		await using hosted = await bench.hostSession({ timeoutMs: 1500 })
		await using viewer = bench.openViewer(undefined, 10_000)
		await viewer.ready
		let held: unknown = null
		bench.host.server.attack = {
			live: (message) => {
				if (message.event !== 'mail') return [message]
				held = message.payload
				return []
			},
			answer: (name, answer) => (name === 'read_mail' ? { mail: [], more: false } : answer),
		}
		const request = await waiting(hosted, viewer, 'late')
		const state = await viewer.decide(request, allow).done
		expect(state.stage).toBe('expired')
		expect(held).not.toBeNull()
		bench.host.server.invent(/account:/, 'mail', held)
		bench.calm()
		void hosted.agent.ask('next', { ...someAsk, tool_use: 'next' })
		await until('the next one has expired too', async () => hosted.agent.answers.has('next'))
		expect(approvals(hosted)).toEqual([])
		expect(hosted.agent.answers.get('late')).toHaveLength(1)
	})

	test('a prompt played again, in its session and in another: obeyed once', async () => {
		await using hosted = await bench.hostSession()
		await using neighbour = await bench.hostSession()
		await using viewer = bench.openViewer()
		await viewer.ready
		const sent = viewer.send(hosted.session, { kind: 'prompt', text: 'remove the build' })
		expect((await sent.done).stage).toBe('obeyed')
		const mail = mailOf().at(-1)
		if (!mail) throw new Error('no mail was sent')
		const again = { ...mail, created_at: new Date().toISOString() }
		for (const copy of [
			again,
			{ ...again, id: '77777777-7777-4777-8777-777777777778' },
			{ ...again, id: '77777777-7777-4777-8777-777777777779', session: neighbour.session },
		]) {
			bench.host.server.invent(new RegExp(`account:${bench.host.account.id}`), 'mail', {
				mail: copy,
			})
			await bench.host.gateway.postMail(copy)
		}
		for (const { session } of [hosted, neighbour]) {
			await until('it is noted', async () => (await notices(session)).includes('command_moved'))
		}
		expect(hosted.agent.prompts).toEqual(['remove the build'])
		expect(neighbour.agent.prompts).toEqual([])
	})

	test('a prompt held back until a newer command has passed it: refused, and its sender is told', async () => {
		await using hosted = await bench.hostSession()
		await using viewer = bench.openViewer(undefined, 1500)
		await viewer.ready
		const held: { mail: MailRow }[] = []
		const isHeld = (mail: MailRow) => held.some((one) => one.mail.id === mail.id)
		bench.host.server.attack = {
			live: (message) => {
				if (message.event !== 'mail') return [message]
				const payload = message.payload as { mail: MailRow }
				if (held.length > 0 && !isHeld(payload.mail)) return [message]
				held.push(payload)
				return []
			},
			answer: (name, answer) => {
				if (name !== 'read_mail') return answer
				const page = answer as { mail: MailRow[]; more: boolean }
				return { ...page, mail: page.mail.filter((mail) => !isHeld(mail)) }
			},
		}
		const prompt = viewer.send(hosted.session, { kind: 'prompt', text: 'too late' })
		await until('it is held', async () => held.length > 0)
		expect((await viewer.send(hosted.session, { kind: 'interrupt' }).done).stage).toBe('obeyed')
		bench.host.server.invent(/account:/, 'mail', held[0])
		await until('its sender knows', async () => prompt.get().stage === 'refused')
		expect(await notices(hosted.session)).toContain('command_overtaken')
		expect(hosted.agent.prompts).toEqual([])
		expect(hosted.agent.interrupts).toBe(1)
	})

	test('a request whose message is another: it can be denied, not approved', async () => {
		await using hosted = await bench.hostSession()
		await using viewer = bench.openViewer()
		await viewer.ready
		const harmless = await waiting(hosted, viewer, 'harmless')
		void hosted.agent.ask('harmful', {
			...someAsk,
			tool_use: 'harmful',
			input: { command: 'rm -rf ~' },
		})
		// The server shows the harmless one where the other one is asked for.
		const query = { status: 'pending', limit: 10, session: hosted.session } as const
		const listed = await until('both wait', async () => {
			const rows = await bench.host.gateway.listRequests(query)
			return rows.length === 2 ? rows : null
		})
		const harmful = listed.find(({ id }) => id !== harmless.id)
		const good = listed.find(({ id }) => id === harmless.id)
		bench.viewer.server.attack = {
			answer: (name, answer) => {
				const swap = (row: { id: string }) =>
					row.id === harmful?.id ? { ...row, seq: good?.seq } : row
				if (name === 'list_requests') return (answer as { id: string }[]).map(swap)
				return name === 'read_request' && answer ? swap(answer as { id: string }) : answer
			},
		}
		await using second = bench.openViewer()
		await second.ready
		const shown = second.requests.get().find(({ id }) => id === harmful?.id)
		expect(shown).toMatchObject({ body: null, digest: null })
		expect(shown?.problem).toMatch(/not this permission request/)
		if (!shown) throw new Error('it is not listed')
		const state = await second.decide(shown, allow).done
		expect(state.stage).toBe('failed')
		expect(state.why).toMatch(/can be denied, but not approved/)
		expect(approvals(hosted)).toEqual([])
	})

	test('an answer that the server invents is not believed', async () => {
		await using hosted = await bench.hostSession()
		await using viewer = bench.openViewer()
		await viewer.ready
		const request = await waiting(hosted, viewer, 'invented')
		bench.viewer.server.attack = {
			answer: (name, answer) => {
				const closed = { status: 'approved', closed_at: new Date().toISOString() }
				if (name === 'read_request' && answer) return { ...(answer as object), ...closed }
				return name === 'list_requests'
					? (answer as object[]).map((row) => ({ ...row, ...closed }))
					: answer
			},
		}
		await using second = bench.openViewer()
		await second.ready
		const shown = second.requests.get().find(({ id }) => id === request.id)
		expect(shown?.decided).toBeNull()
		expect(shown?.problem).toBe('the host has not said who decided')
		expect(approvals(hosted)).toEqual([])
	})
})
