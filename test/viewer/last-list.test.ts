import { expect, test } from 'vitest'
import { encodeUtf8 } from '../../source/protocol/bytes.ts'
import {
	type LastList,
	lastListKey,
	mostKept,
	openLastList,
	sealLastList,
} from '../../source/viewer/last-list.ts'
import { at, info, summary, uuid } from '../ui/_viewer.ts'

const key = lastListKey(encodeUtf8('what the vault keeps of this device'))
const list: LastList = {
	at: at(60),
	info: { ...info, backend: { kind: 'supabase', url: 'https://example.com', email: null } },
	sessions: [
		summary({ title: 'Add \u202Erate limiting' }),
		summary({ id: uuid(2), host: { id: uuid(900), name: null }, problem: 'altered' }),
	],
}

test('comes back as it was, and nothing of it can be read without the key', () => {
	const bytes = sealLastList(list, key)
	expect(openLastList(bytes, key)).toEqual(list)
	const text = Buffer.from(bytes).toString('latin1')
	for (const word of ['api-server', 'rate limiting', 'laptop', 'example.com', uuid(1)]) {
		expect(text).not.toContain(word)
	}
	expect(sealLastList(list, key)).not.toEqual(bytes)
})

test('is none with another key, a byte changed anywhere, or a part missing', () => {
	const bytes = sealLastList(list, key)
	expect(openLastList(bytes, lastListKey(encodeUtf8('another device')))).toBeNull()
	for (let place = 0; place < bytes.length; place += 37) {
		const altered = bytes.with(place, (bytes[place] ?? 0) ^ 1)
		expect(openLastList(altered, key)).toBeNull()
	}
	for (const size of [0, 1, 12, 27, 28, bytes.length - 1]) {
		expect(openLastList(bytes.subarray(0, size), key)).toBeNull()
	}
})

test('is none where another version of this program wrote it', () => {
	const [first, ...others] = list.sessions
	if (!first) throw new Error('no session')
	const written = { ...list, sessions: [{ ...first, status: undefined }, ...others] }
	expect(openLastList(Reflect.apply(sealLastList, null, [written, key]), key)).toBeNull()
	expect(openLastList(sealLastList({ ...list, at: 'yesterday' }, key), key)).toBeNull()
})

test('keeps the newest of very many', () => {
	const many = Array.from({ length: mostKept + 50 }, (_, index) => summary({ id: uuid(index) }))
	const kept = openLastList(sealLastList({ ...list, sessions: many }, key), key)
	expect(kept?.sessions).toEqual(many.slice(0, mostKept))
})
