import { beforeEach, expect, test } from 'vitest'
import { HostHeads } from '../../source/account/heads.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { createDevice, randomId } from '../../source/protocol/device.ts'
import {
	emptyLog,
	headOf,
	type LogAct,
	type LogState,
	makeEntry,
	replay,
	signJoin,
} from '../../source/protocol/device-log.ts'
import { staleAfter } from '../../source/protocol/live.ts'

const account = randomId()
const at = '2026-03-01T12:00:00.000Z'
const label = {
	epoch: 0,
	nonce: toBase64(new Uint8Array(24)),
	ciphertext: toBase64(new Uint8Array(272)),
}
const [host, laptop, tablet] = [createDevice(), createDevice(), createDevice()]
const grown = (log: LogState, act: LogAct) => replay(log, [makeEntry(log, host, act)])
const revoke = (log: LogState, { record }: typeof host) =>
	grown(log, { type: 'revoke', at, device: record.id, reason: null })
const three = [laptop, tablet].reduce(
	(log, device) =>
		grown(log, {
			type: 'add',
			at,
			device: device.record,
			label,
			join: toBase64(signJoin(account, device)),
		}),
	grown(emptyLog(account), { type: 'genesis', at, device: host.record, label }),
)

let clock = 0
let heads: HostHeads
beforeEach(() => {
	clock = 0
	heads = new HostHeads(() => new Date(clock))
})
const hears = (device: typeof host, session: string, log: LogState) =>
	heads.saw(device.record.id, { session, log: headOf(log) })

test('no host is behind where nothing was revoked', () => {
	hears(laptop, 'a', three)
	const renamed = grown(three, { type: 'rename', at, device: host.record.id, label })
	expect(heads.hostsBehind(renamed)).toEqual([])
})

test('a live host is behind until all its sessions follow the newest revocation', () => {
	const revoked = revoke(three, tablet)
	hears(laptop, 'a', three)
	hears(laptop, 'b', three)
	hears(host, 'c', revoked)
	expect(heads.hostsBehind(revoked)).toEqual([
		{ host: laptop.record.id, seq: 2, sessions: ['a', 'b'] },
	])
	hears(laptop, 'a', revoked)
	expect(heads.hostsBehind(revoked)).toEqual([{ host: laptop.record.id, seq: 2, sessions: ['b'] }])
	hears(laptop, 'b', revoked)
	expect(heads.hostsBehind(revoked)).toEqual([])
})

test('a host that is silent for too long is no live one, and a revoked one is no host', () => {
	const revoked = revoke(three, tablet)
	hears(laptop, 'a', three)
	hears(tablet, 'b', three)
	expect(heads.hostsBehind(revoked)).toHaveLength(1)
	clock += staleAfter + 1
	expect(heads.hostsBehind(revoked)).toEqual([])
})
