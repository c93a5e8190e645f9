/** A session's stored rows, made with fixed keys. */
import { StyrbyError } from '../../source/protocol/errors.ts'
import {
	type ChainState,
	type Content,
	chainStart,
	type SealedMessage,
	sealMessage,
} from '../../source/protocol/message.ts'
import { checkWindow, type WindowOptions } from '../../source/protocol/window.ts'
import { host, vectors } from './_vectors.ts'

export const { session } = vectors.session
export const other = '7d0c5c3e-1f2a-4b3c-8d4e-5f6a7b8c9d0e'
export const hostSign = host.signSecret.subarray(32)
export const keyOf = (epoch: number): Uint8Array | StyrbyError =>
	epoch < 3 ? new Uint8Array(32).fill(epoch + 1) : new StyrbyError('key_missing', 'no such key')

let counter = 0
function freshNonce(): Uint8Array {
	const nonce = new Uint8Array(24)
	new DataView(nonce.buffer).setUint32(0, ++counter)
	return nonce
}

export function sealOne(
	chain: ChainState,
	content: Partial<Content> = {},
	as: { session?: string; epoch?: number; signSecret?: Uint8Array } = {},
): { message: SealedMessage; chain: ChainState } {
	const epoch = as.epoch ?? 0
	const key = keyOf(epoch)
	if (key instanceof StyrbyError) throw key
	const body = { text: `message ${chain.seq + 1}`, source: 'agent' }
	const whole = { at: '2026-03-01T12:00:00.000Z', kind: 'user_prompt' as const, body, ...content }
	const signSecret = as.signSecret ?? host.signSecret
	return sealMessage(as.session ?? session, chain, whole, {
		epoch,
		key,
		signSecret,
		nonce: freshNonce(),
	})
}

/** `count` messages; `epochOf` says in which epoch each is. */
export function makeRows(
	count: number,
	options: { session?: string; epochOf?: (seq: number) => number } = {},
): { rows: SealedMessage[]; states: ChainState[] } {
	const rows: SealedMessage[] = []
	const states = [chainStart(options.session ?? session)]
	for (let seq = 1; seq <= count; seq++) {
		const chain = states.at(-1)
		if (!chain) throw new Error('no chain')
		const epoch = options.epochOf?.(seq) ?? 0
		const made = sealOne(chain, {}, { epoch, session: options.session ?? session })
		rows.push(made.message)
		states.push(made.chain)
	}
	return { rows, states }
}

export function check(
	rows: readonly SealedMessage[],
	window: Pick<WindowOptions, 'from' | 'to' | 'before' | 'epochs'>,
) {
	return checkWindow(rows, { session, keyOf, signPublic: hostSign, ...window })
}

/** The rows with a problem, by number, with their codes. */
export function problems(checked: ReturnType<typeof check>): [number, string][] {
	return checked.rows.flatMap((row) => (row.ok ? [] : [[row.seq, row.code] as [number, string]]))
}
