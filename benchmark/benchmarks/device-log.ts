import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeviceLog } from '../../source/account/device-log.ts'
import { logStoreIn } from '../../source/account/log-store.ts'
import { concat, fromBase64, toBase64 } from '../../source/protocol/bytes.ts'
import { type Device, randomId } from '../../source/protocol/device.ts'
import {
	emptyLog,
	entryHash,
	type LogAct,
	makeEntry,
	replayLong,
	type SignedEntry,
	signJoin,
} from '../../source/protocol/device-log.ts'
import { domain } from '../../source/protocol/digest.ts'
import { noLabel, sealLabel } from '../../source/protocol/label.ts'
import { atMost, type Benchmark } from '../harness/benchmark.ts'
import { takeTurns } from '../harness/sample.ts'
import { median, spread } from '../harness/statistics.ts'

const count = 10_000

/**
 * The dearest log that there can be: each entry adds a device, and so has two signatures, by keys that were
 * never seen before.
 */
export const deviceLog: Benchmark = {
	name: 'device-log',
	summary: 'verifying a device log of 10,000 entries, and starting with it again',
	async run({ note, stack }) {
		note(`making a device log of ${count.toLocaleString('en')} entries`)
		const { account, entries, signatures } = makeLog()
		const whole = await takeTurns(
			{
				replay: () => timed(() => replayLong(emptyLog(account), entries)),
				floor: () => time(() => verifyAll(signatures)),
			},
			{ least: 5, most: 15 },
		)
		const folder = await mkdtemp(join(tmpdir(), 'styrby-benchmark-'))
		stack.defer(() => rm(folder, { recursive: true, force: true }))
		const rows = entries.map(({ seq, entry, signature }) => ({
			seq,
			entry: toBase64(entry),
			signature: toBase64(signature),
		}))
		const gateway = {
			account,
			readLog: async (after: number) => rows.slice(Math.max(0, after + 1)),
			appendLog: async () => undefined,
		}
		await DeviceLog.open(gateway, logStoreIn(folder, account))
		const [name] = (await readdir(folder)).filter((file) => file.endsWith('.json'))
		const again = await takeTurns(
			{
				start: () => timed(() => DeviceLog.open(gateway, logStoreIn(folder, account))),
				floor: () =>
					timed(async () => JSON.parse(await readFile(join(folder, name ?? ''), 'utf8'))),
			},
			{ least: 10, most: 30 },
		)
		const [first, second] = [whole.of('replay'), again.of('start')]
		const ms = median(first)
		return [
			{
				what: `verify a device log of ${count.toLocaleString('en')} entries`,
				value: ms,
				unit: 'ms',
				floor: {
					what: `bare Ed25519 of its ${signatures.length.toLocaleString('en')} signatures`,
					value: median(whole.of('floor')),
					ratio: whole.ratio('replay', 'floor'),
				},
				goal: atMost(ms, 3000, '3 s'),
				samples: first.length,
				spread: spread(first),
			},
			{
				what: `start with a device log of ${count.toLocaleString('en')} entries, verified before`,
				value: median(second),
				unit: 'ms',
				floor: {
					what: '`JSON.parse` of its file',
					value: median(again.of('floor')),
					ratio: again.ratio('start', 'floor'),
				},
				goal: null,
				samples: second.length,
				spread: spread(second),
			},
		]
	},
}

function time(work: () => void): number {
	const before = performance.now()
	work()
	return performance.now() - before
}

async function timed(work: () => Promise<unknown>): Promise<number> {
	const before = performance.now()
	await work()
	return performance.now() - before
}

interface Signed {
	key: KeyObject
	bytes: Uint8Array
	signature: Uint8Array
}

/** Each key is imported once, as there is no way around that. */
function verifyAll(signatures: readonly Signed[]): void {
	for (const { key, bytes, signature } of signatures) {
		if (!verify(null, bytes, key, signature)) throw new Error('a signature does not verify')
	}
}

function makeLog() {
	const account = randomId()
	const first = quickDevice()
	const at = '2026-03-01T12:00:00.000Z'
	const key = { epoch: 0, key: new Uint8Array(32), nonce: new Uint8Array(24) }
	const named = (id: string) => sealLabel(`device:${id}`, { ...noLabel, name: 'a laptop' }, key)
	const hashes: string[] = []
	const entries: SignedEntry[] = []
	const signatures: Signed[] = []
	const owner = publicKeyOf(first)
	const append = (act: LogAct) => {
		const made = makeEntry({ account, hashes, devices: new Map() }, first, act)
		hashes.push(toBase64(entryHash(made.entry, made.signature)))
		entries.push(made)
		const bytes = concat(domain('log-entry'), made.entry)
		signatures.push({ key: owner, bytes, signature: made.signature })
	}
	append({ type: 'genesis', at, device: first.record, label: named(first.record.id) })
	while (entries.length < count) {
		const device = quickDevice()
		const { id, box, sign, kind } = device.record
		const signature = signJoin(account, device)
		append({
			type: 'add',
			at,
			device: device.record,
			label: named(id),
			join: toBase64(signature),
		})
		const text = JSON.stringify({ account, id, box, sign, kind })
		const bytes = concat(domain('log-join'), new Uint8Array(Buffer.from(text)))
		signatures.push({ key: publicKeyOf(device), bytes, signature })
	}
	return { account, entries, signatures }
}

function publicKeyOf({ record }: Device): KeyObject {
	const x = Buffer.from(fromBase64(record.sign)).toString('base64url')
	return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } })
}

/** tweetnacl takes 20 times as long to make one. */
function quickDevice(): Device {
	const box = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' })
	const sign = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
	const bytes = (text = '') => new Uint8Array(Buffer.from(text, 'base64url'))
	return {
		record: {
			id: randomId(),
			box: toBase64(bytes(box.x)),
			sign: toBase64(bytes(sign.x)),
			kind: 'device',
		},
		boxSecret: bytes(box.d),
		signSecret: concat(bytes(sign.d), bytes(sign.x)),
	}
}
