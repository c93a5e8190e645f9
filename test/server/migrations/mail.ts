/** Commands on their way to a host, and who may join which topic. */
import { beforeAll, describe, expect, test } from 'vitest'
import {
	base64,
	broadcasts,
	Caller,
	createSession,
	failure,
	type Row,
	randomUUID,
	type TestDatabase,
} from './database.ts'

function letter(session: string, to: string, size = 300) {
	const [id, from] = [randomUUID(), randomUUID()]
	return { id, session, from, to, nonce: base64(24), ciphertext: base64(size) }
}

const post = (caller: Caller, p_mail: unknown) => caller.call('post_mail', { p_mail })
const pageOf = async (caller: Caller, p_device: string, p_after: string | null = null) =>
	(await caller.call('read_mail', { p_device, p_after })) as { mail: Row[]; more: boolean }

export function testMail(database: () => TestDatabase): void {
	describe('mail', () => {
		let caller: Caller
		let session: string
		beforeAll(async () => {
			caller = await Caller.signUp(database())
			session = await createSession(caller)
		})

		test('waits for its device until it is deleted, and is told in full', async () => {
			const to = randomUUID()
			const letters = [letter(session, to), letter(session, to), letter(session, randomUUID())]
			for (const one of letters) await post(caller, one)
			const { mail, more } = await pageOf(caller, to)
			expect(more).toBe(false)
			expect(mail.map(({ created_at, ...rest }) => rest)).toEqual(letters.slice(0, 2))
			expect(await broadcasts(database(), `account:${caller.id}`)).toContainEqual({
				event: 'mail',
				payload: { mail: mail[0] },
			})
			const ids = [letters[0]?.id]
			await caller.call('delete_mail', { p_ids: ids })
			await caller.call('delete_mail', { p_ids: ids })
			expect((await pageOf(caller, to)).mail.map((row) => row.id)).toEqual([letters[1]?.id])
		})

		test('posted twice is one, and stays what it was', async () => {
			const to = randomUUID()
			const first = letter(session, to)
			await post(caller, first)
			await post(caller, { ...letter(session, to), id: first.id })
			const { mail } = await pageOf(caller, to)
			expect(mail).toHaveLength(1)
			expect(mail[0]).toMatchObject(first)
		})

		test('of another account is neither read nor deleted', async () => {
			const to = randomUUID()
			const first = letter(session, to)
			await post(caller, first)
			const stranger = await Caller.signUp(database())
			await stranger.call('delete_mail', { p_ids: [first.id] })
			expect((await pageOf(stranger, to)).mail).toEqual([])
			const theirs = await createSession(stranger)
			await post(stranger, { ...letter(theirs, to), id: first.id })
			expect((await pageOf(caller, to)).mail).toMatchObject([first])
		})

		test('comes in pages that lose none; a large one is only announced', async () => {
			const to = randomUUID()
			const letters = Array.from({ length: 18 }, () => letter(session, to, 262_144))
			for (const one of letters) await post(caller, one)
			const first = await pageOf(caller, to)
			expect(first).toMatchObject({ more: true, mail: { length: 16 } })
			const second = await pageOf(caller, to, String(first.mail.at(-1)?.id))
			expect(second.more).toBe(false)
			const ids = [...first.mail, ...second.mail].map((row) => row.id)
			expect(ids).toEqual(letters.map((one) => one.id))
			expect(await broadcasts(database(), `account:${caller.id}`)).toContainEqual({
				event: 'mail',
				payload: { mail: null, to },
			})
		})

		test('malformed, or too much of it, is refused', async () => {
			const good = letter(session, randomUUID())
			const bad = [
				{ id: null },
				{ id: 'x' },
				{ from: null },
				{ to: null },
				{ nonce: base64(23) },
				{ nonce: null },
				{ ciphertext: base64(262_145) },
				{ ciphertext: null },
				{ ciphertext: '*' },
			]
			for (const change of bad) {
				const code = await failure(post(caller, { ...good, ...change }))
				expect(code, JSON.stringify(change).slice(0, 60)).toBe('malformed_mail')
			}
			const unknown = { ...good, session: randomUUID() }
			expect(await failure(post(caller, unknown))).toBe('no_such_session')
			expect(await failure(post(caller, null))).toBe('no_such_session')
			await database().run([
				{
					sql: `insert into public.mail
							(user_id, id, session_id, from_device, to_device, nonce, ciphertext)
						select $1, gen_random_uuid(), $2, $3, $3, decode(repeat('00', 24), 'hex'),
							decode(repeat('00', 16), 'hex')
						from generate_series(1, 1000)`,
					params: [caller.id, session, good.to],
				},
			])
			expect(await failure(post(caller, good))).toBe('mailbox_full')
			await database().run([
				{
					sql: `update public.mail set created_at = now() - interval '31 days' where to_device = $1`,
					params: [good.to],
				},
			])
			await post(caller, good)
			expect((await pageOf(caller, good.to)).mail).toMatchObject([good])
			for (const ids of [null, {}, ['x'], new Array(1001).fill(good.id)]) {
				const code = await failure(caller.call('delete_mail', { p_ids: ids }))
				expect(code).toMatch(/^(malformed_argument|22P02)$/)
			}
		})
	})

	describe('topics', () => {
		let caller: Caller
		let stranger: Caller
		let session: string
		beforeAll(async () => {
			caller = await Caller.signUp(database())
			stranger = await Caller.signUp(database())
			session = await createSession(caller)
		})

		/** As the live channel asks: is a row of the topic visible, and may one be put in? */
		async function rights(who: Caller, topic: string, extension = 'broadcast') {
			const probe = randomUUID()
			await database().run([
				{
					sql: `insert into realtime.messages (id, topic, extension, event, private)
						values ($1, $2, $3, 'probe', true)`,
					params: [probe, topic, extension],
				},
			])
			const look = 'select id from realtime.messages where id = $1'
			const rows = await who.query(look, [probe], topic)
			const insert = who.query(
				'insert into realtime.messages (topic, extension, private) values ($1, $2, true)',
				[topic, extension],
				topic,
			)
			return { listen: rows.length > 0, send: (await failure(insert)) === null }
		}

		test('an account listens to its own topic, and sends to none but its sessions', async () => {
			const [own, theirs] = [`account:${caller.id}`, `account:${stranger.id}`]
			expect(await rights(caller, own)).toEqual({ listen: true, send: false })
			expect(await rights(caller, theirs)).toEqual({ listen: false, send: false })
			const topic = `session:${session}`
			expect(await rights(caller, topic)).toEqual({ listen: true, send: true })
			expect(await rights(stranger, topic)).toEqual({ listen: false, send: false })
			expect(await rights(caller, topic, 'presence')).toEqual({ listen: false, send: false })
		})

		test('no other topic is anybody’s', async () => {
			const nobody = new Caller(database(), null)
			const topics = ['account:', 'session:', '*', `session:${session} `, `SESSION:${session}`]
			topics.push(`session:${randomUUID()}`, `session:${session.toUpperCase()}`, 'session:x')
			for (const topic of topics) {
				expect(await rights(caller, topic), topic).toEqual({ listen: false, send: false })
			}
			for (const topic of [`account:${caller.id}`, `session:${session}`]) {
				expect(await rights(nobody, topic)).toEqual({ listen: false, send: false })
			}
		})

		test('nobody who is signed in can broadcast as the server does', async () => {
			const send = `select realtime.send('{}'::jsonb, 'log', 'account:${stranger.id}', true)`
			expect(await failure(caller.query(send))).toBe('42501')
			const announce = `select styrby.announce('account:${stranger.id}', 'log', '{}'::jsonb)`
			expect(await failure(caller.query(announce))).toBe('42501')
		})
	})
}
