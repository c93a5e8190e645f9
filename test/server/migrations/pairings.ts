/** Requests of devices that want to join, and their answers. */
import { describe, expect, test } from 'vitest'
import { base64, Caller, failure, type Row, type TestDatabase } from './database.ts'

function request(size = 300) {
	return { id: base64(16), nonce: base64(24), ciphertext: base64(size) }
}

const answerTo = (id: string, size = 300) => ({ ...request(size), id })
const post = (caller: Caller, p_pairing: object) => caller.call('post_pairing', { p_pairing })
const answer = (caller: Caller, p_answer: object) => caller.call('answer_pairing', { p_answer })
const read = async (caller: Caller, p_id: string) =>
	(await caller.call('read_pairing', { p_id })) as Row | null

export function testPairings(database: () => TestDatabase): void {
	const age = (caller: Caller, minutes: number) =>
		database().run([
			{
				sql: `update public.pairings set created_at = created_at - make_interval(mins => $2)
					where user_id = $1`,
				params: [caller.id, minutes],
			},
		])

	describe('pairings', () => {
		test('are kept byte for byte, with one answer', async () => {
			const caller = await Caller.signUp(database())
			const pairing = request()
			await post(caller, pairing)
			await post(caller, pairing)
			expect(await read(caller, pairing.id)).toMatchObject({ ...pairing, answer: null })
			const { id, ...given } = answerTo(pairing.id)
			await answer(caller, { id, ...given })
			await answer(caller, { id, ...given })
			expect(await read(caller, id)).toMatchObject({ ...pairing, answer: given })
			expect(await failure(answer(caller, answerTo(id)))).toBe('pairing_answered')
			await caller.call('delete_pairing', { p_id: id })
			await caller.call('delete_pairing', { p_id: id })
			expect(await read(caller, id)).toBeNull()
		})

		test('have one request under an id', async () => {
			const caller = await Caller.signUp(database())
			const pairing = request()
			await post(caller, pairing)
			const other = { ...request(), id: pairing.id }
			expect(await failure(post(caller, other))).toBe('pairing_conflict')
			expect(await read(caller, pairing.id)).toMatchObject(pairing)
		})

		test('are over after ten minutes', async () => {
			const caller = await Caller.signUp(database())
			const pairing = request()
			await post(caller, pairing)
			await age(caller, 9)
			expect(await read(caller, pairing.id)).not.toBeNull()
			await age(caller, 2)
			expect(await read(caller, pairing.id)).toBeNull()
			expect(await failure(answer(caller, answerTo(pairing.id)))).toBe('no_such_pairing')
			await post(caller, pairing)
			expect(await read(caller, pairing.id)).toMatchObject(pairing)
		})

		test('of another account are neither seen nor answered nor taken back', async () => {
			const [owner, stranger] = [await Caller.signUp(database()), await Caller.signUp(database())]
			const pairing = request()
			await post(owner, pairing)
			expect(await read(stranger, pairing.id)).toBeNull()
			expect(await failure(answer(stranger, answerTo(pairing.id)))).toBe('no_such_pairing')
			await stranger.call('delete_pairing', { p_id: pairing.id })
			expect(await read(owner, pairing.id)).toMatchObject({ answer: null })
		})

		test('are at most twenty at once', async () => {
			const caller = await Caller.signUp(database())
			for (let posted = 0; posted < 20; posted++) await post(caller, request())
			expect(await failure(post(caller, request()))).toBe('too_many_pairings')
			await age(caller, 11)
			await post(caller, request())
		})

		test.each([
			['an id of another length', { id: base64(15) }],
			['no id', { id: null }],
			['a nonce of another length', { nonce: base64(12) }],
			['no ciphertext', { ciphertext: null }],
			['a ciphertext that is too long', { ciphertext: base64(16_385) }],
			['a ciphertext that is none', { ciphertext: '***' }],
		])('with %s are refused', async (_, wrong) => {
			const caller = await Caller.signUp(database())
			const pairing = request()
			await post(caller, pairing)
			const malformed = 'malformed_pairing'
			expect(await failure(post(caller, { ...request(), ...wrong }))).toBe(malformed)
			if ('id' in wrong) return
			expect(await failure(answer(caller, { ...pairing, ...wrong }))).toBe(malformed)
		})
	})
}
