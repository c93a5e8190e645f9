import { describe, expect, test } from 'vitest'
import type { Tokens } from '../../source/backend/sign-in.ts'
import { TokenSource, type TokenStore } from '../../source/backend/token-source.ts'
import { exit, StyrbyError } from '../../source/protocol/errors.ts'

const minute = 60_000
const user_id = crypto.randomUUID()

/** One sign-in that several processes share, with a server whose refresh tokens work once. */
function shared() {
	let clock = Date.parse('2026-03-01T10:00:00Z')
	let issued = 0
	let turn: Promise<unknown> = Promise.resolve()
	const issue = (): Tokens => ({
		access_token: `access-${++issued}`,
		refresh_token: `refresh-${issued}`,
		expires_at: clock / 1000 + 3600,
		user_id,
	})
	const state = {
		kept: issue() as Tokens | null,
		/** What a call of the server, or of the disk, fails with. */
		refreshFails: null as StyrbyError | null,
		saveFails: null as StyrbyError | null,
		renewedAs: user_id,
	}
	let current = state.kept?.refresh_token
	const store: TokenStore = {
		load: async () => state.kept,
		save: async (tokens) => {
			if (state.saveFails) throw state.saveFails
			state.kept = tokens
		},
	}
	const process = () =>
		new TokenSource({
			store,
			exclusively: (work) => {
				const mine = turn.then(work)
				turn = mine.catch(() => undefined)
				return mine
			},
			refresh: async (token) => {
				if (state.refreshFails) throw state.refreshFails
				if (token !== current) throw new StyrbyError('not_signed_in', 'used', { exitCode: 3 })
				const next = { ...issue(), user_id: state.renewedAs }
				// As the server does: a token whose successor was never used still works.
				if (!state.saveFails) current = next.refresh_token
				return next
			},
			now: () => clock,
		})
	const pass = (ms: number) => {
		clock += ms
	}
	return { state, process, pass, issued: () => issued }
}

const away = new StyrbyError('backend_unreachable', 'away', { exitCode: exit.unreachable })

describe('an access token', () => {
	test('is used until shortly before its end, then renewed once for all who ask', async () => {
		const { process, pass, issued } = shared()
		const [one, two] = [process(), process()]
		expect(await one.accessToken()).toBe('access-1')
		pass(54 * minute)
		expect(await one.accessToken()).toBe('access-1')
		pass(2 * minute)
		const asked = [one, two, one, two].map((source) => source.accessToken())
		expect(await Promise.all(asked)).toEqual(Array.from({ length: 4 }, () => 'access-2'))
		expect(issued()).toBe(2)
	})

	test('that is still valid will do while the backend is away, and no longer', async () => {
		const { state, process, pass } = shared()
		const source = process()
		pass(57 * minute)
		state.refreshFails = away
		expect(await source.accessToken()).toBe('access-1')
		pass(4 * minute)
		await expect(source.accessToken()).rejects.toMatchObject({ code: 'backend_unreachable' })
		state.refreshFails = null
		expect(await source.accessToken()).toBe('access-2')
	})

	test('is renewed again when the renewed one could not be kept', async () => {
		const { state, process, pass } = shared()
		const source = process()
		pass(57 * minute)
		state.saveFails = new StyrbyError('disk_full', 'full')
		await expect(source.accessToken()).rejects.toMatchObject({ code: 'disk_full' })
		state.saveFails = null
		expect(await source.accessToken()).toBe(state.kept?.access_token)
		expect(await process().accessToken()).toBe(state.kept?.access_token)
	})

	test('of another account is neither used nor kept', async () => {
		const { state, process, pass } = shared()
		state.renewedAs = crypto.randomUUID()
		pass(57 * minute)
		await expect(process().accessToken()).rejects.toMatchObject({
			code: 'account_changed',
			exitCode: 4,
		})
		expect(state.kept).toMatchObject({ access_token: 'access-1', user_id })
	})

	test('is none where nobody is signed in, or no longer', async () => {
		const { state, process, pass } = shared()
		const source = process()
		state.kept = null
		await expect(source.accessToken()).rejects.toMatchObject({ code: 'not_signed_in', exitCode: 3 })
		const ended = shared()
		ended.pass(57 * minute)
		ended.state.refreshFails = new StyrbyError('not_signed_in', 'ended', { exitCode: 3 })
		await expect(ended.process().accessToken()).rejects.toMatchObject({ code: 'not_signed_in' })
		pass(0)
	})
})
