import fc from 'fast-check'
import { expect, test } from 'vitest'
import { accountHint, sessionHint } from '../../source/backend/hints.ts'

const session = crypto.randomUUID()
const id = crypto.randomUUID()
const sealed = { nonce: 'AAAA', ciphertext: 'AAAA', signature: 'AAAA' }
const created_at = '2026-03-01T10:00:00.000Z'

test('a hint says what its broadcast does', () => {
	const range = { session, from: 1, to: 2, rows: null }
	expect(sessionHint(session, 'messages', range)).toEqual({ type: 'messages', ...range })
	expect(sessionHint(session, 'frame', sealed)).toEqual({ type: 'frame', ...sealed })
	const beat = { bytes: 'AAAA', signature: 'AAAA' }
	expect(sessionHint(session, 'heartbeat', beat)).toEqual({ type: 'heartbeat', ...beat })
	expect(accountHint('log', { seq: 3 })).toEqual({ type: 'log', seq: 3 })
	expect(accountHint('sessions', { session })).toEqual({ type: 'sessions', session })
	const request = { request: id, session, status: 'pending' }
	expect(accountHint('request', request)).toEqual({ type: 'request', ...request })
	const { signature: _, ...boxed } = sealed
	const mail = { id, session, from: id, to: id, ...boxed, created_at }
	expect(accountHint('mail', { mail })).toEqual({ type: 'mail', mail })
})

test('mail that is too large for a broadcast is pulled like after a join', () => {
	expect(accountHint('mail', { mail: null, to: id })).toEqual({ type: 'joined' })
})

test('a broadcast about another session, or of an unknown form, is dropped', () => {
	const other = { session: id, from: 1, to: 2, rows: null }
	expect(sessionHint(session, 'messages', other)).toBeNull()
	expect(sessionHint(session, 'joined', {})).toBeNull()
	expect(accountHint('joined', {})).toBeNull()
	expect(sessionHint(session, 'frame', { ...sealed, nonce: '../' })).toBeNull()
	expect(sessionHint(session, 'frame', { ...sealed, ciphertext: 'A'.repeat(2 ** 20) })).toBeNull()
	const events = ['messages', 'frame', 'heartbeat', 'sessions', 'log', 'request', 'mail']
	fc.assert(
		fc.property(fc.constantFrom(...events), fc.anything(), (event, payload) => {
			expect(sessionHint(session, event, payload)).toBeNull()
			expect(accountHint(event, payload)).toBeNull()
		}),
	)
})
