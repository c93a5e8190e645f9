import nacl from 'tweetnacl'
import type { ScopeKeys } from '../../source/account/key-ring.ts'
import type { MessageRow } from '../../source/backend/gateway.ts'
import { sealEvent } from '../../source/host/seal-event.ts'
import { keySize, randomBytes } from '../../source/protocol/box.ts'
import { fromBase64 } from '../../source/protocol/bytes.ts'
import { createDevice, randomId } from '../../source/protocol/device.ts'
import type { SessionEvent } from '../../source/protocol/events.ts'
import { type ChainState, chainStart } from '../../source/protocol/message.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import { assemble, checkRows } from '../../source/viewer/checked-message.ts'
import { pageSize } from '../../source/viewer/session-reader.ts'
import { atLeast, type Benchmark } from '../harness/benchmark.ts'
import { takeTurns } from '../harness/sample.ts'
import { median, spread } from '../harness/statistics.ts'
import { prose, seeded } from '../harness/transcript.ts'

const messages = 10 * pageSize

/** From stored rows to messages that may be shown, as the viewer does it for history. */
export const decrypt: Benchmark = {
	name: 'decrypt',
	summary: 'decrypt and verify history',
	async run() {
		const { rows, keys, session, key } = seal()
		const boxes = rows.map((row) => ({
			nonce: fromBase64(row.nonce),
			ciphertext: fromBase64(row.ciphertext),
		}))
		const samples = await takeTurns(
			{
				checked: () => time(() => check(rows, keys, session)),
				floor: () => time(() => openBare(boxes, key)),
			},
			{ least: 15, most: 60, limitMs: 15_000 },
		)
		const taken = samples.of('checked')
		const perSecond = (ms: number) => (messages * 1000) / ms
		const share = 1 / samples.ratio('checked', 'floor')
		return [
			{
				what: 'decrypt and verify history',
				value: perSecond(median(taken)),
				unit: 'per s',
				floor: {
					what: 'bare `nacl.box.open.after`',
					value: perSecond(median(samples.of('floor'))),
					ratio: share,
				},
				goal: atLeast(share, 0.9, '0.9 ×'),
				samples: taken.length,
				spread: spread(taken),
			},
		]
	},
}

function time(work: () => void): number {
	const before = performance.now()
	work()
	return performance.now() - before
}

function openBare(
	boxes: readonly { nonce: Uint8Array; ciphertext: Uint8Array }[],
	key: Uint8Array,
) {
	for (const { nonce, ciphertext } of boxes) {
		if (!nacl.box.open.after(ciphertext, nonce, key)) throw new Error('a box did not open')
	}
}

function check(rows: readonly MessageRow[], keys: ScopeKeys, session: string): void {
	let before: ChainState | null = null
	for (let from = 1; from <= rows.length; from += pageSize) {
		const page = rows.slice(from - 1, from - 1 + pageSize)
		const window = { session, from, to: from - 1 + page.length, before }
		const checked = checkRows(page, keys, window)
		const { messages: shown } = assemble(session, checked.rows)
		if (!checked.end || shown.some(({ verified }) => !verified)) throw new Error('not verified')
		before = checked.end
	}
}

/** A session of prompts, prose, calls and results, sealed by the host's own code. */
function seal() {
	const session = randomId()
	const device = createDevice()
	const key = randomBytes(keySize)
	const random = seeded(1)
	const rows: MessageRow[] = []
	let chain = chainStart(session)
	for (let index = 0; index < messages; index++) {
		const at = new Date(1_767_225_600_000 + index * 1000).toISOString()
		const sealed = sealEvent(
			session,
			chain,
			{ at, event: eventAt(index, random) },
			{
				epoch: 0,
				key,
				signSecret: device.signSecret,
				random: randomBytes,
			},
		)
		chain = sealed.chain
		rows.push(...sealed.rows.map(({ row }) => row))
	}
	const keys: ScopeKeys = {
		scope: sessionScope(session),
		by: device.record.id,
		signPublic: fromBase64(device.record.sign),
		newest: 0,
		records: new Map(),
		keyOf: () => key,
	}
	return { rows, keys, session, key }
}

function eventAt(index: number, random: () => number): SessionEvent {
	switch (index % 4) {
		case 0:
			return { kind: 'user_prompt', body: { text: prose(random, 120), source: 'agent' } }
		case 1: {
			const text = prose(random, 700)
			return { kind: 'agent_response', body: { text, block: null, model: null, parent: null } }
		}
		case 2: {
			const input = { command: `rg -n "${prose(random, 12)}" src`, description: 'Search' }
			const body = { tool_use: `toolu_${index}`, name: 'Bash', input, parent: null }
			return { kind: 'tool_use', body }
		}
		default: {
			const text = Array.from({ length: 20 }, () => prose(random, 60)).join('\n')
			return {
				kind: 'tool_result',
				body: {
					tool_use: `toolu_${index - 1}`,
					ok: true,
					text,
					exit_code: 0,
					duration_ms: 12,
					changes: [],
					parent: null,
				},
			}
		}
	}
}
