/** Whatever a server does to stored rows is marked at exactly the row it did it to; the rest holds. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { createDevice } from '../../source/protocol/device.ts'
import { chainStart, type SealedMessage } from '../../source/protocol/message.ts'
import { check, makeRows, other, problems, sealOne, session } from './_session.ts'
import { flip } from './_tamper.ts'

const count = 12
const epochOf = (seq: number) => (seq < 6 ? 0 : seq < 9 ? 1 : 2)
const { rows, states } = makeRows(count, { epochOf })
const foreign = makeRows(count, { session: other, epochOf }).rows
const at = (seq: number): SealedMessage => {
	const row = rows[seq - 1]
	if (!row) throw new Error(`no row ${seq}`)
	return row
}
const anySeq = fc.integer({ min: 1, max: count })
/** A window that the row lies in, and whether what was before it is known. */
const anyWindow = (seq: number) =>
	fc.record({
		from: fc.integer({ min: 1, max: seq }),
		to: fc.integer({ min: seq, max: count }),
		known: fc.boolean(),
	})
const inWindow = anySeq.chain((seq) => fc.tuple(fc.constant(seq), anyWindow(seq)))
const alter = (seq: number, change: Partial<SealedMessage>) =>
	rows.map((row) => (row.seq === seq ? { ...row, ...change } : row))

function checkIn(
	stored: readonly SealedMessage[],
	{ from, to, known }: { from: number; to: number; known: boolean },
) {
	const before = known ? (states[from - 1] ?? null) : null
	const checked = check(stored, { from, to, before })
	// One entry for each number, in order, whatever came.
	expect(checked.rows.map(({ seq }) => seq)).toEqual(
		Array.from({ length: to - from + 1 }, (_, index) => from + index),
	)
	// Nothing that holds is another message than the one that was sealed there.
	for (const row of checked.rows) {
		if (row.ok) expect(row.message.frame.body).toMatchObject({ text: `message ${row.seq}` })
	}
	return checked
}

test('what was not touched holds, in any window', () => {
	fc.assert(
		fc.property(inWindow, ([, window]) => {
			const checked = checkIn(rows, window)
			expect(problems(checked)).toEqual([])
			expect(checked.end).toEqual(states[window.to])
		}),
	)
})

test('an empty window ends where it begins', () => {
	expect(check([], { from: 1, to: 0 })).toEqual({ rows: [], end: chainStart(session) })
	const before = states[4] ?? null
	expect(check([], { from: 5, to: 4, before })).toEqual({ rows: [], end: before })
	expect(check([], { from: 5, to: 4 })).toEqual({ rows: [], end: null })
})

describe('where the epochs begin is known', () => {
	const place = (from: number, before = states[from - 1]) => {
		if (!before) throw new Error(`no state before ${from}`)
		return { from, prev: toBase64(before.chain) }
	}
	const honest = new Map([1, 6, 9].map((from, epoch) => [epoch, place(from)]))
	const problemsWith = (epochs: ReadonlyMap<number, ReturnType<typeof place>>) =>
		problems(check(rows, { from: 1, to: count, epochs }))

	test('rows that lie in theirs hold, also after an epoch in which nothing was sealed', () => {
		expect(problemsWith(honest)).toEqual([])
		expect(problemsWith(new Map([[2, place(9)]]))).toEqual([])
		// Two revocations in a row: epoch 1 ended before it began.
		const skipped = makeRows(4, { epochOf: (seq) => (seq < 3 ? 0 : 2) })
		const third = place(3, skipped.states[2])
		const epochs = new Map([
			[0, place(1)],
			[1, third],
			[2, third],
		])
		expect(problems(check(skipped.rows, { from: 1, to: 4, epochs }))).toEqual([])
	})

	test('rows before or after their epoch are marked', () => {
		const late = new Map(honest).set(1, place(7))
		expect(problemsWith(late)).toEqual([[6, 'epoch_misplaced']])
		const early = new Map(honest).set(2, place(8))
		expect(problemsWith(early)).toEqual([[8, 'epoch_misplaced']])
	})

	test('an epoch that continues another chain marks the rows on both sides', () => {
		const forked = new Map(honest).set(1, { ...place(6), prev: place(5).prev })
		expect(problemsWith(forked)).toEqual([
			[5, 'epoch_misplaced'],
			[6, 'epoch_misplaced'],
		])
	})
})

describe('is marked at exactly that row', () => {
	const columns = ['nonce', 'ciphertext', 'signature'] as const

	test.each(columns)('any flipped bit of %s', (column) => {
		const code = column === 'signature' ? 'message_bad_signature' : 'message_altered'
		fc.assert(
			fc.property(inWindow, fc.nat(), ([seq, window], bit) => {
				const changed = alter(seq, { [column]: flip(at(seq)[column], bit) })
				const checked = checkIn(changed, window)
				expect(problems(checked)).toEqual([[seq, code]])
				expect(checked.end).toBeNull()
			}),
		)
	})

	test.each(columns)('%s of any other length', (column) => {
		fc.assert(
			fc.property(inWindow, fc.nat(100), ([seq, window], length) => {
				fc.pre(length !== at(seq)[column].length)
				const checked = checkIn(alter(seq, { [column]: new Uint8Array(length) }), window)
				expect(problems(checked).map(([number]) => number)).toEqual([seq])
			}),
		)
	})

	test('any flipped bit of epoch', () => {
		fc.assert(
			fc.property(inWindow, fc.nat(52), ([seq, window], bit) => {
				const epoch = Number(BigInt(at(seq).epoch) ^ (1n << BigInt(bit)))
				const [[number, code] = [], ...rest] = problems(checkIn(alter(seq, { epoch }), window))
				expect([number, rest]).toEqual([seq, []])
				expect(['key_missing', 'message_altered']).toContain(code)
			}),
		)
	})

	test('a row that is gone', () => {
		fc.assert(
			fc.property(inWindow, ([seq, window]) => {
				const checked = checkIn(
					rows.filter((row) => row.seq !== seq),
					window,
				)
				expect(problems(checked)).toEqual([[seq, 'message_missing']])
				expect(checked.end).toBeNull()
			}),
		)
	})

	test('a row that is there twice, the same or another', () => {
		fc.assert(
			fc.property(inWindow, fc.boolean(), ([seq, window], altered) => {
				const twin = altered ? { ...at(seq), nonce: flip(at(seq).nonce, 0) } : at(seq)
				expect(problems(checkIn([...rows, twin], window))).toEqual([[seq, 'message_repeated']])
				expect(problems(checkIn([twin, ...rows, twin], window))).toEqual([
					[seq, 'message_repeated'],
				])
			}),
		)
	})

	test('two rows that changed places, each at its new place', () => {
		fc.assert(
			fc.property(anySeq, anySeq, fc.boolean(), (a, b, known) => {
				fc.pre(a !== b)
				const swapped = rows.map((row) => {
					if (row.seq === a) return { ...at(b), seq: a }
					return row.seq === b ? { ...at(a), seq: b } : row
				})
				const found = problems(checkIn(swapped, { from: 1, to: count, known }))
				expect(found).toEqual([a, b].sort((x, y) => x - y).map((seq) => [seq, 'message_moved']))
			}),
		)
	})

	test('a row of another session, with its own id or with ours', () => {
		fc.assert(
			fc.property(inWindow, fc.boolean(), ([seq, window], renamed) => {
				const [row] = foreign.slice(seq - 1)
				if (!row) throw new Error('no row')
				const spliced = alter(seq, renamed ? { ...row, session } : row)
				expect(problems(checkIn(spliced, window))).toEqual([[seq, 'message_moved']])
			}),
		)
	})

	test('a row that a device with the key, but not the host, has made', () => {
		const { signSecret } = createDevice()
		fc.assert(
			fc.property(inWindow, ([seq, window]) => {
				const chain = states[seq - 1]
				if (!chain) throw new Error('no chain')
				const forged = sealOne(chain, {}, { epoch: epochOf(seq), signSecret }).message
				expect(problems(checkIn(alter(seq, forged), window))).toEqual([
					[seq, 'message_bad_signature'],
				])
			}),
		)
	})

	test('a second message that the host itself signed in the place of one', () => {
		const chain = states[4]
		if (!chain) throw new Error('no chain')
		const second = sealOne(chain, { at: '2026-03-01T13:00:00.000Z' }).message
		// The row after it says which of the two it follows.
		const found = problems(checkIn(alter(5, second), { from: 1, to: count, known: false }))
		expect(found).toEqual([[6, 'message_forked']])
	})

	test('a first message that starts another chain than its session has', () => {
		const start = { seq: 0, chain: new Uint8Array(32), signature: null }
		const second = sealOne(sealOne(start).chain).message
		const stored = [sealOne(start).message, second]
		expect(problems(check(stored, { from: 1, to: 2 }))[0]).toEqual([1, 'message_forked'])
	})

	test('a history that does not continue what is known', () => {
		const before = { seq: 4, chain: new Uint8Array(32), signature: new Uint8Array(64) }
		expect(problems(check(rows, { from: 5, to: count, before }))).toEqual([[5, 'message_forked']])
		const known = states[4]
		const rechained = known ? { ...known, chain: new Uint8Array(32) } : null
		expect(problems(check(rows, { from: 5, to: count, before: rechained }))).toEqual([
			[5, 'message_forked'],
		])
		if (!known?.signature) throw new Error('no chain')
		const resigned = { ...known, signature: flip(known.signature, 3) }
		expect(problems(check(rows, { from: 5, to: count, before: resigned }))).toEqual([
			[5, 'message_forked'],
		])
	})
})

test('several at once are each marked', () => {
	fc.assert(
		fc.property(fc.uniqueArray(anySeq, { minLength: 1, maxLength: 6 }), (seqs) => {
			const stored = rows.flatMap((row, index) => {
				if (!seqs.includes(row.seq)) return [row]
				return index % 2 ? [] : [{ ...row, ciphertext: flip(row.ciphertext, index) }]
			})
			const found = problems(checkIn(stored, { from: 1, to: count, known: false }))
			expect(found.map(([seq]) => seq)).toEqual(seqs.toSorted((a, b) => a - b))
		}),
	)
})

test('in whatever order they come, the rows are the same', () => {
	fc.assert(
		fc.property(fc.shuffledSubarray(rows, { minLength: count }), (shuffled) => {
			const checked = checkIn(shuffled, { from: 1, to: count, known: false })
			expect(problems(checked)).toEqual([])
			expect(checked.end).toEqual(states[count])
		}),
	)
})

test('rows beyond the window, and numbers that can not be, are left out', () => {
	const stray = [-1, 0, 0.5, 3.5, count + 1, 2 ** 53, Number.NaN].map((seq) => ({ ...at(3), seq }))
	expect(problems(checkIn([...rows, ...stray], { from: 2, to: count, known: true }))).toEqual([])
})

test('nothing that a server makes up is taken', () => {
	const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
	const row = fc.record({
		session: fc.constantFrom(session, other),
		seq: fc.integer({ min: 1, max: 3 }),
		epoch: fc.integer({ min: 0, max: 3 }),
		nonce: bytes(24),
		ciphertext: fc.uint8Array({ maxLength: 400 }),
		signature: bytes(64),
	})
	fc.assert(
		fc.property(fc.array(row, { maxLength: 6 }), (made) => {
			expect(problems(check(made, { from: 1, to: 3 }))).toHaveLength(3)
		}),
	)
})
