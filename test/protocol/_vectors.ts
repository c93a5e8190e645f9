/** The golden vectors, and the devices in them. */
import { deviceFromSeeds } from '../../source/protocol/device.ts'
import { emptyLog, replay, type SignedEntry } from '../../source/protocol/device-log.ts'
import vectors from '../fixtures/vectors/protocol.json' with { type: 'json' }

export { vectors }

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
export const utf8 = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'utf8'))

function device(name: keyof typeof vectors.devices, kind: 'device' | 'recovery' = 'device') {
	const { box_seed, sign_seed, record } = vectors.devices[name]
	const { id } = JSON.parse(record) as { id: string }
	return deviceFromSeeds(id, kind, unhex(box_seed), unhex(sign_seed))
}

export const host = device('host')
export const laptop = device('laptop')
export const recovery = device('recovery', 'recovery')

export const entries: SignedEntry[] = vectors.log.entries.map(({ seq, entry, signature }) => ({
	seq,
	entry: utf8(entry),
	signature: unhex(signature),
}))
export const account = vectors.log.account
/** The log after its first `count` entries. */
export const logAfter = (count: number) => replay(emptyLog(account), entries.slice(0, count))
