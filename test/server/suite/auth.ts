/** Accounts and sign-ins, as Supabase's client knows them. */
import { createHash, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { newClient, rawRequest, signUp, type Target } from './target.ts'

const password = 'correct horse battery'
const newAddress = () => `${randomUUID()}@example.org`

export function testAuth(opened: () => Target): void {
	const refresh = async (refresh_token: string) => {
		const { data, error } = await newClient(opened()).auth.refreshSession({ refresh_token })
		return { session: data.session, code: error?.code ?? null }
	}

	/** Lets a refresh token look as if it had been used some time ago. */
	const ageUse = (token: string) => {
		const hash = createHash('sha256').update(token).digest('hex')
		return opened().sql(
			`update auth.refresh_tokens set used_at = used_at - interval '1 minute' where hash = '\\x${hash}'`,
		)
	}

	describe('an account without a name', () => {
		test('is made, and is who the server says', async () => {
			const { client, id } = await signUp(opened())
			const { data } = await client.auth.getUser()
			expect(data.user).toMatchObject({ id, is_anonymous: true, role: 'authenticated', email: '' })
		})

		test('has a token that the published key verifies', async () => {
			const { client, id } = await signUp(opened())
			const { data, error } = await client.auth.getClaims()
			expect(error).toBeNull()
			expect(data?.header.alg).toBe('ES256')
			expect(data?.claims).toMatchObject({ sub: id, role: 'authenticated', is_anonymous: true })
		})
	})

	describe('an account with a password', () => {
		test('is made once, and signed in to from anywhere, however the address is written', async () => {
			const email = newAddress()
			const first = await newClient(opened()).auth.signUp({ email, password })
			expect(first.error).toBeNull()
			const credentials = { email: ` ${email.toUpperCase()}`, password }
			const second = await newClient(opened()).auth.signInWithPassword(credentials)
			expect(second.data.user?.id).toBe(first.data.user?.id)
			expect(second.data.user).toMatchObject({ is_anonymous: false, email })
			const again = await newClient(opened()).auth.signUp({ email, password: 'another one' })
			expect(again.error).toMatchObject({ code: 'user_already_exists', status: 422 })
		})

		test('is not opened with a wrong password, and the answer does not tell whether it exists', async () => {
			const email = newAddress()
			await newClient(opened()).auth.signUp({ email, password })
			const answers = []
			for (const attempt of [email, newAddress()]) {
				const credentials = { email: attempt, password: `${password}!` }
				const { error } = await newClient(opened()).auth.signInWithPassword(credentials)
				answers.push({ code: error?.code, status: error?.status, message: error?.message })
			}
			expect(answers[0]).toMatchObject({ code: 'invalid_credentials', status: 400 })
			expect(answers[1]).toEqual(answers[0])
		})

		test('needs a password of eight characters, and an address', async () => {
			const { auth } = newClient(opened())
			const short = await auth.signUp({ email: newAddress(), password: 'seven77' })
			expect(short.error).toMatchObject({ status: 422 })
			const odd = await auth.signUp({ email: 'nobody', password })
			expect(odd.error).toMatchObject({ code: 'validation_failed', status: 400 })
			expect(odd.error?.message).not.toContain(password)
		})

		test('keeps no password', async () => {
			const email = newAddress()
			await newClient(opened()).auth.signUp({ email, password })
			await opened().sql(`do $$ begin
				if exists (select from auth.users as u where u::text like '%${password}%') then
					raise exception 'it is there';
				end if;
				if not exists (select from auth.users where email = '${email}' and password_hash like 'scrypt$%') then
					raise exception 'no hash';
				end if;
			end $$`)
		})
	})

	describe('a refresh token', () => {
		test('gives the next one, of the same account', async () => {
			const { id, refreshToken } = await signUp(opened())
			const first = await refresh(refreshToken)
			expect(first.session?.user.id).toBe(id)
			expect(first.session?.refresh_token).not.toBe(refreshToken)
			const second = await refresh(first.session?.refresh_token ?? '')
			expect(second.session?.user.id).toBe(id)
		})

		test('works again when the answer got lost, however much later', async () => {
			const { refreshToken } = await signUp(opened())
			expect((await refresh(refreshToken)).code).toBeNull()
			await ageUse(refreshToken)
			expect((await refresh(refreshToken)).code).toBeNull()
		})

		test('used again after its successor was: the sign-in ends for everyone', async () => {
			const { refreshToken } = await signUp(opened())
			const next = (await refresh(refreshToken)).session?.refresh_token ?? ''
			const last = (await refresh(next)).session?.refresh_token ?? ''
			// Within the grace period two processes may have refreshed at once.
			expect((await refresh(refreshToken)).code).toBeNull()
			await ageUse(refreshToken)
			expect((await refresh(refreshToken)).code).toBe('refresh_token_already_used')
			expect((await refresh(last)).code).toBe('refresh_token_not_found')
		})

		test('that nobody gave out opens nothing', async () => {
			for (const token of ['x', '', `' or true --`, 'x'.repeat(200)]) {
				const body = JSON.stringify({ refresh_token: token })
				const path = '/auth/v1/token?grant_type=refresh_token'
				const { status, json } = await rawRequest(opened(), path, { body })
				expect([status, json.error_code]).toEqual([400, 'refresh_token_not_found'])
			}
		})

		test('is kept as a hash only', async () => {
			const { refreshToken } = await signUp(opened())
			await opened().sql(`do $$ begin
				if exists (select from auth.refresh_tokens as t where t::text like '%${refreshToken}%') then
					raise exception 'it is there';
				end if;
			end $$`)
		})
	})

	describe('signing out', () => {
		test('here leaves the other sign-ins, and ends this one', async () => {
			const email = newAddress()
			const here = newClient(opened())
			const there = newClient(opened())
			const signedIn = await here.auth.signUp({ email, password })
			await there.auth.signInWithPassword({ email, password })
			expect((await here.auth.signOut({ scope: 'local' })).error).toBeNull()
			const token = signedIn.data.session?.refresh_token ?? ''
			expect((await refresh(token)).code).toBe('refresh_token_not_found')
			const asked = await newClient(opened()).auth.getUser(signedIn.data.session?.access_token)
			expect(asked.error).toMatchObject({ name: 'AuthSessionMissingError' })
			expect((await there.auth.getUser()).error).toBeNull()
		})

		test('everywhere ends all', async () => {
			const email = newAddress()
			const here = newClient(opened())
			await here.auth.signUp({ email, password })
			const there = newClient(opened())
			const { data } = await there.auth.signInWithPassword({ email, password })
			await here.auth.signOut({ scope: 'global' })
			expect((await refresh(data.session?.refresh_token ?? '')).code).toBe(
				'refresh_token_not_found',
			)
		})
	})

	test('what makes no sense is refused, and nothing that it held is said back', async () => {
		const secret = 'hunter2hunter2'
		const deep = `{"data":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`
		const cases: [string, string, number, string][] = [
			['/auth/v1/signup', '{', 400, 'bad_json'],
			['/auth/v1/signup', deep, 400, 'bad_json'],
			['/auth/v1/signup', '[]', 400, 'validation_failed'],
			['/auth/v1/signup', 'null', 400, 'validation_failed'],
			['/auth/v1/signup', `{"email":5,"password":"${secret}"}`, 400, 'validation_failed'],
			['/auth/v1/signup', `{"password":"${secret}"}`, 400, 'validation_failed'],
			['/auth/v1/signup', `{"password":"${'x'.repeat(70_000)}"}`, 413, 'request_too_large'],
			['/auth/v1/token?grant_type=password', '{}', 400, 'validation_failed'],
			['/auth/v1/token?grant_type=magic', '{}', 400, 'validation_failed'],
			['/auth/v1/token', '{}', 400, 'validation_failed'],
			['/auth/v1/otp', '{"email":"a@example.org"}', 404, 'not_found'],
			['/auth/v1/admin/users', '{}', 404, 'not_found'],
			['/auth/v1/logout', '', 401, 'no_authorization'],
		]
		for (const [path, body, status, code] of cases) {
			const answer = await rawRequest(opened(), path, { body })
			expect([answer.status, answer.json.error_code], `${path} ${body.slice(0, 40)}`).toEqual([
				status,
				code,
			])
			expect(answer.body).not.toContain(secret)
		}
	})
}
