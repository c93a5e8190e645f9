/** The live channel: what arrives, to whom, and who is turned away. */
import { setTimeout as sleep } from 'node:timers/promises'
import { REALTIME_SUBSCRIBE_STATES, type RealtimeChannel } from '@supabase/supabase-js'
import { beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { messageRow, messageRows, newSession, randomUUID } from '../migrations/database.ts'
import { call, type Member, newClient, signUp, type Target, tokenFrom } from './target.ts'

interface Heard {
	event: string
	payload: Record<string, unknown>
}

/** One joined channel, or the refusal. */
class Listener {
	readonly heard: Heard[] = []
	readonly states: string[] = []
	readonly channel: RealtimeChannel
	why = ''

	constructor(channel: RealtimeChannel) {
		this.channel = channel
		channel.on('broadcast', { event: '*' }, ({ event, payload }) => {
			this.heard.push({ event, payload: Object(payload) })
		})
		channel.subscribe((state, error) => {
			this.states.push(state)
			if (error) this.why = error.message
		})
	}

	get state(): string {
		return this.states.at(-1) ?? ''
	}
}

async function holds(what: () => unknown, limitMs = 20_000): Promise<void> {
	const end = Date.now() + limitMs
	while (!what()) {
		if (Date.now() > end) throw new Error(`never: ${what}`)
		await sleep(10)
	}
}

const settled = ['SUBSCRIBED', 'CHANNEL_ERROR', 'CLOSED', 'TIMED_OUT']

async function join(
	{ client }: Pick<Member, 'client'>,
	topic: string,
	config: Record<string, unknown> = {},
): Promise<Listener> {
	await client.realtime.setAuth()
	const listener = new Listener(client.channel(topic, { config: { private: true, ...config } }))
	await holds(() => settled.includes(listener.state))
	return listener
}

async function makeSession({ client }: Member): Promise<string> {
	const session = newSession()
	await call(client, 'create_session', { p_session: session })
	return session.id
}

const append = ({ client }: Member, session: string, rows: unknown) =>
	call(client, 'append_messages', { p_session: session, p_rows: rows })

/** The same account through a connection of its own. */
async function otherProcess(target: Target, member: Member): Promise<Member> {
	const client = newClient(target)
	const { access_token, refresh_token } = { access_token: member.token, refresh_token: 'none' }
	await client.auth.setSession({ access_token, refresh_token })
	return { ...member, client }
}

export function testLive(opened: () => Target): void {
	let owner: Member
	let stranger: Member
	let session: string
	beforeAll(async () => {
		owner = await signUp(opened())
		stranger = await signUp(opened())
		session = await makeSession(owner)
	})

	/** A raw connection that has joined the session's topic, and its frames. */
	async function rawJoin(token: string, topic = `session:${session}`, vsn = '2.0.0') {
		const base = opened().url.replace('http', 'ws')
		const key = opened().anonKey
		const socket = new WebSocket(`${base}/realtime/v1/websocket?apikey=${key}&vsn=${vsn}`)
		const frames: unknown[][] = []
		let closed: number | null = null
		socket.on('message', (data, isBinary) => {
			if (!isBinary) frames.push(Object(JSON.parse(String(data))))
		})
		socket.on('error', () => undefined)
		socket.on('close', (code) => {
			closed = code
		})
		await new Promise((resolve) => socket.once('open', resolve))
		const payload = { config: { private: true }, access_token: token }
		const frame = ['1', '1', `realtime:${topic}`, 'phx_join', payload]
		const object = { topic: frame[2], event: frame[3], payload, ref: '1', join_ref: '1' }
		socket.send(JSON.stringify(vsn === '2.0.0' ? frame : object))
		await holds(() => frames.length > 0)
		return { socket, frames, closed: () => closed }
	}

	describe('an append', () => {
		test('is announced to the session, with its rows when they are small', async () => {
			const id = await makeSession(owner)
			const listener = await join(owner, `session:${id}`)
			expect(listener.state).toBe(REALTIME_SUBSCRIBE_STATES.SUBSCRIBED)
			const rows = messageRows(id, 1, 3)
			await append(owner, id, rows)
			await holds(() => listener.heard.length > 0)
			expect(listener.heard).toMatchObject([
				{ event: 'messages', payload: { session: id, from: 1, to: 3, rows } },
			])
		})

		test('of more than 16 KiB is announced without them', async () => {
			const id = await makeSession(owner)
			const listener = await join(owner, `session:${id}`)
			await append(owner, id, messageRows(id, 1, 2, 200_000))
			await append(owner, id, [messageRow(id, 3)])
			await holds(() => listener.heard.length === 2)
			expect(listener.heard.map(({ payload }) => [payload.from, payload.to])).toEqual([
				[1, 2],
				[3, 3],
			])
			expect(listener.heard[0]?.payload.rows).toBeNull()
			expect(listener.heard[1]?.payload.rows).toHaveLength(1)
		})

		test('reaches whoever of the account listens, in the order of the numbers', async () => {
			const id = await makeSession(owner)
			const others = [await otherProcess(opened(), owner), await otherProcess(opened(), owner)]
			const listeners = await Promise.all(others.map((one) => join(one, `session:${id}`)))
			for (let seq = 1; seq <= 40; seq++) await append(owner, id, [messageRow(id, seq)])
			for (const { heard } of listeners) {
				await holds(() => heard.length === 40)
				expect(heard.map(({ payload }) => payload.from)).toEqual(
					Array.from({ length: 40 }, (_, index) => index + 1),
				)
			}
		})

		test('is told to the account too, and to no other one', async () => {
			const [own, theirs] = await Promise.all([
				join(owner, `account:${owner.id}`),
				join(stranger, `account:${stranger.id}`),
			])
			await append(owner, session, [messageRow(session, 1)])
			await holds(() => own.heard.length > 0)
			expect(own.heard).toMatchObject([{ event: 'sessions', payload: { session } }])
			// What comes later proves that nothing came before it.
			const id = await makeSession(stranger)
			await holds(() => theirs.heard.length > 0)
			expect(theirs.heard).toMatchObject([{ event: 'sessions', payload: { session: id } }])
		})
	})

	describe('who may join', () => {
		test('not another account', async () => {
			for (const topic of [`account:${owner.id}`, `session:${session}`]) {
				const { state, why } = await join(await freshStranger(), topic)
				expect([topic, state]).toEqual([topic, 'CHANNEL_ERROR'])
				expect(why).toContain('Unauthorized')
			}
		})

		test('nobody, to a topic that is nobody’s, or a public one', async () => {
			for (const topic of [`session:${randomUUID()}`, 'account:', 'lobby', 'session:x']) {
				expect((await join(owner, topic)).state, topic).toBe('CHANNEL_ERROR')
			}
			const open = await join(owner, `session:${session}`, { private: false })
			expect(open.state).toBe('CHANNEL_ERROR')
			expect(open.why).toContain('PrivateOnly')
		})

		test('not without a token, or with one that is over', async () => {
			const old = await tokenFrom(opened(), owner, Date.now() - 3_700_000)
			for (const [token, reason] of [
				['', 'InvalidJWTToken'],
				['x.y.z', 'InvalidJWTToken'],
				[opened().anonKey, 'InvalidJWTToken'],
				[old, 'InvalidJWTExpiration'],
			] as const) {
				const { socket, frames } = await rawJoin(token)
				const [, , , event, answer] = frames[0] ?? []
				expect(event).toBe('phx_reply')
				expect(JSON.stringify(answer)).toContain(reason)
				socket.terminate()
			}
		})

		test('not for changes of tables', async () => {
			const { client } = await otherProcess(opened(), owner)
			await client.realtime.setAuth()
			const channel = client.channel(`session:${session}`, { config: { private: true } })
			channel.on('postgres_changes', { event: '*', schema: 'public' }, () => undefined)
			const listener = new Listener(channel)
			await holds(() => settled.includes(listener.state))
			expect(listener.state).toBe('CHANNEL_ERROR')
		})
	})

	const freshStranger = () => otherProcess(opened(), stranger)

	describe('a broadcast of a device', () => {
		test('reaches the others of its account, and not itself', async () => {
			const one = await join(await otherProcess(opened(), owner), `session:${session}`)
			const other = await join(await otherProcess(opened(), owner), `session:${session}`)
			const frame = { nonce: 'AAAA', ciphertext: 'ü'.repeat(3000), signature: 'BBBB' }
			await one.channel.send({ type: 'broadcast', event: 'frame', payload: frame })
			await holds(() => other.heard.length > 0)
			expect(other.heard).toMatchObject([{ event: 'frame', payload: frame }])
			await other.channel.send({ type: 'broadcast', event: 'done', payload: {} })
			await holds(() => one.heard.length > 0)
			expect(one.heard.map(({ event }) => event)).toEqual(['done'])
		})

		test('to the account’s own topic is refused: that one is the server’s', async () => {
			const config = { broadcast: { ack: true } }
			const sender = await join(await otherProcess(opened(), owner), `account:${owner.id}`, config)
			const listener = await join(await otherProcess(opened(), owner), `account:${owner.id}`)
			const forged = { type: 'broadcast', event: 'log', payload: { seq: 99 } } as const
			expect(await sender.channel.send(forged)).toBe('error')
			const id = await makeSession(owner)
			await holds(() => listener.heard.length > 0)
			expect(listener.heard).toMatchObject([{ event: 'sessions', payload: { session: id } }])
		})
	})

	describe('a token that runs out', () => {
		test('ends the channel, and what is announced then arrives no more', async () => {
			const token = await tokenFrom(opened(), owner, Date.now() - 3_600_000 + 2_000)
			const { socket, frames } = await rawJoin(token)
			expect(JSON.stringify(frames[0])).toContain('"ok"')
			await holds(() => frames.some(([, , , event]) => event === 'phx_close'))
			const told = frames.find(([, , , event]) => event === 'system')
			expect(JSON.stringify(told)).toContain('Token has expired')
			const before = frames.length
			const later = await join(await otherProcess(opened(), owner), `session:${session}`)
			await later.channel.send({ type: 'broadcast', event: 'x', payload: {} })
			const echo = await join(await otherProcess(opened(), owner), `session:${session}`)
			await later.channel.send({ type: 'broadcast', event: 'y', payload: {} })
			await holds(() => echo.heard.length > 0)
			expect(frames).toHaveLength(before)
			socket.terminate()
		})

		test('is renewed on the open channel', async () => {
			const token = await tokenFrom(opened(), owner, Date.now() - 3_600_000 + 2_500)
			const { socket, frames } = await rawJoin(token)
			const renewed = ['1', '2', `realtime:session:${session}`, 'access_token']
			socket.send(JSON.stringify([...renewed, { access_token: owner.token }]))
			await sleep(9_000)
			expect(frames.filter(([, , , event]) => event === 'phx_close')).toEqual([])
			const other = await join(await otherProcess(opened(), owner), `session:${session}`)
			const row = messageRow(session, 2)
			await append(owner, session, [row])
			await holds(() => other.heard.length > 0)
			await holds(() => frames.some(([, , , event]) => event === 'broadcast'))
			socket.terminate()
		})

		test('is not renewed with the token of another account', async () => {
			const { socket, frames } = await rawJoin(owner.token)
			const renewed = ['1', '2', `realtime:session:${session}`, 'access_token']
			socket.send(JSON.stringify([...renewed, { access_token: stranger.token }]))
			await holds(() => frames.some(([, , , event]) => event === 'phx_close'))
			socket.terminate()
		})
	})

	describe('a sign-in that ends', () => {
		const sessionOf = (token: string) =>
			String(
				Reflect.get(
					Object(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())),
					'session_id',
				),
			)

		/** Two sign-ins of one account. */
		async function twoSignIns() {
			const credentials = { email: `${randomUUID()}@example.test`, password: 'a long password' }
			const client = newClient(opened())
			await client.auth.signUp(credentials)
			const signIn = async () => {
				const { data, error } = await newClient(opened()).auth.signInWithPassword(credentials)
				if (error) throw error
				const { access_token: token, refresh_token: refresh } = data.session
				return { token, refresh, user: data.user.id }
			}
			return [await signIn(), await signIn()] as const
		}

		const closed = (frames: unknown[][]) => frames.some(([, , , event]) => event === 'phx_close')

		test('takes its live channels along at once, and no others', async () => {
			const [ended, other] = await twoSignIns()
			const topic = `account:${ended.user}`
			const one = await rawJoin(ended.token, topic)
			const two = await rawJoin(other.token, topic)
			for (const { frames } of [one, two]) expect(JSON.stringify(frames[0])).toContain('"ok"')
			await opened().sql(`delete from auth.sessions where id = '${sessionOf(ended.token)}'`)
			await holds(() => closed(one.frames))
			const told = one.frames.find(([, , , event]) => event === 'system')
			expect(JSON.stringify(told)).toContain('The sign-in has ended')
			const before = one.frames.length
			const { client } = await otherProcess(opened(), {
				...owner,
				id: other.user,
				token: other.token,
			})
			await call(client, 'create_session', { p_session: newSession() })
			await holds(() => two.frames.some(([, , , event]) => event === 'broadcast'))
			expect(closed(two.frames)).toBe(false)
			expect(one.frames).toHaveLength(before)
			for (const { socket } of [one, two]) socket.terminate()
		})

		test('joins no more, though its token is good for an hour, and is not renewed', async () => {
			const [ended] = await twoSignIns()
			await opened().sql(`delete from auth.sessions where id = '${sessionOf(ended.token)}'`)
			const { socket, frames } = await rawJoin(ended.token, `account:${ended.user}`)
			expect(JSON.stringify(frames[0])).toContain('The sign-in has ended')
			socket.terminate()
			const { error } = await newClient(opened()).auth.refreshSession({
				refresh_token: ended.refresh,
			})
			expect(error?.code).toBe('refresh_token_not_found')
		})
	})

	describe('a connection that behaves badly', () => {
		test('reads too slowly: it is cut off, and the others hear everything', async () => {
			const slow = await rawJoin(owner.token)
			const sender = await join(await otherProcess(opened(), owner), `session:${session}`, {
				broadcast: { ack: true },
			})
			const reader = await join(await otherProcess(opened(), owner), `session:${session}`)
			slow.socket.pause()
			const payload = { text: 'x'.repeat(2 ** 21) }
			const count = 16
			for (let n = 0; n < count; n++) {
				const sent = await sender.channel.send({ type: 'broadcast', event: `n${n}`, payload })
				expect(sent).toBe('ok')
			}
			await holds(() => reader.heard.length === count, 60_000)
			slow.socket.resume()
			await holds(() => slow.closed() !== null)
			expect(slow.closed()).toBe(1006)
			expect(slow.frames.length).toBeLessThan(count)
		}, 90_000)

		test('says what is no frame: it is closed, and the backend goes on', async () => {
			const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
			const topic = `realtime:session:${session}`
			const texts: [string, string][] = [
				['2.0.0', '{'],
				['2.0.0', '{}'],
				['2.0.0', '[1,2]'],
				[
					'2.0.0',
					`["1","2","${topic}","broadcast",{"type":"broadcast","event":"x","payload":${deep}}]`,
				],
				['2.0.0', `["1","2","${'x'.repeat(300)}","phx_join",{}]`],
				[
					'1.0.0',
					`{"topic":"${topic}","event":"broadcast","payload":{"type":"broadcast","event":"x","payload":${deep}},"ref":"2","join_ref":"1"}`,
				],
				[
					'1.0.0',
					`{"topic":"${topic}","event":"broadcast","payload":{"event":"${'é'.repeat(200)}"}}`,
				],
			]
			for (const [vsn, text] of texts) {
				const { socket, closed } = await rawJoin(owner.token, `session:${session}`, vsn)
				socket.send(text)
				await holds(() => closed() !== null)
				expect(closed(), text.slice(0, 80)).toBe(1002)
			}
			for (const bytes of [[], [3], [3, 255, 255, 255, 255, 255, 1], [9, 0, 0, 0, 0, 0, 1, 1]]) {
				const { socket, closed } = await rawJoin(owner.token)
				socket.send(Uint8Array.from(bytes))
				await holds(() => closed() !== null)
				expect(closed()).toBe(1002)
			}
			expect((await join(await otherProcess(opened(), owner), `session:${session}`)).state).toBe(
				'SUBSCRIBED',
			)
		})

		test('sends a frame of more than 3 MiB: it is closed', async () => {
			const { socket, closed } = await rawJoin(owner.token)
			socket.send('x'.repeat(3 * 2 ** 20 + 1))
			await holds(() => closed() !== null)
			expect(closed()).toBe(1009)
		})

		test('joins, leaves and asks out of turn: each gets an answer', async () => {
			const { socket, frames } = await rawJoin(owner.token)
			const topic = `realtime:session:${session}`
			const ask = async (...frame: unknown[]) => {
				const before = frames.length
				socket.send(JSON.stringify(frame))
				await holds(() => frames.length > before)
				return JSON.stringify(frames.slice(before))
			}
			expect(await ask(null, '2', 'phoenix', 'heartbeat', {})).toContain('"ok"')
			expect(await ask('1', '3', 'realtime:session:x', 'broadcast', { event: 'x' })).toContain(
				'unmatched topic',
			)
			expect(await ask('1', '4', topic, 'presence', {})).toContain('unmatched event')
			expect(await ask('9', '9', 'realtime:', 'phx_join', {})).toContain('TopicNameRequired')
			expect(await ask('9', '9', topic, 'phx_join', { config: 5 })).toContain('InvalidJoinPayload')
			expect(await ask('1', '5', topic, 'phx_leave', {})).toContain('"ok"')
			expect(await ask('1', '6', topic, 'access_token', {})).toContain('unmatched topic')
			socket.terminate()
		})

		test('joins more often than it may: it is told so', async () => {
			const { socket, frames } = await rawJoin(owner.token)
			for (let n = 0; n < 400; n++) {
				const topic = `realtime:session:${randomUUID()}`
				socket.send(
					JSON.stringify(['9', String(n), topic, 'phx_join', { config: { private: true } }]),
				)
			}
			await holds(() => JSON.stringify(frames).includes('ClientJoinRateLimitReached'))
			socket.terminate()
		})
	})
}
