/** What is printed of devices, with names and reasons as another device may have written them. */
import { expect, test } from 'vitest'
import type { Access } from '../../../source/account/access.ts'
import type { DeviceInfo, DeviceList } from '../../../source/account/devices.ts'
import type { LogEvent } from '../../../source/account/history.ts'
import { Matrix } from '../../../source/commands/devices/access-matrix.ts'
import { deviceListText } from '../../../source/commands/devices/list-text.ts'
import { historyText } from '../../../source/commands/devices/log.ts'
import { wordToType } from '../../../source/commands/devices/revoke-text.ts'
import { wordTable } from '../../../source/commands/devices/show-words.ts'
import { randomId } from '../../../source/protocol/device.ts'
import { refused } from '../../../source/protocol/errors.ts'

const now = new Date('2026-01-31T12:00:00.000Z')
const hash = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
const nasty = 'a\x1b[2J\nb\u202e\u200bc\r'
const shown = String.raw`a\x1b[2J\nb\u202e\u200bc\r`

function device(more: Partial<DeviceInfo> = {}): DeviceInfo {
	const id = more.id ?? randomId()
	return {
		id,
		name: 'laptop',
		kind: 'device',
		fingerprint: 'GMS9-MW5S-AHW4-JZBM-1Q4N',
		state: 'active',
		own: false,
		addedBy: id,
		addedByName: 'laptop',
		addedAt: '2026-01-30T12:00:00.000Z',
		revoked: null,
		lastSeenAt: '2026-01-31T10:00:00.000Z',
		sessions: 12,
		...more,
	}
}

function list(more: Partial<DeviceList> = {}): DeviceList {
	return {
		devices: [device({ own: true })],
		log: { entries: 1, head: { seq: 0, hash }, problem: null },
		intruders: [],
		faults: [],
		single: false,
		...more,
	}
}

const text = (more: Partial<DeviceList> = {}, width = 100) =>
	deviceListText(list(more), { now, width })

test('a device: what it is called, what it can do, who added it', () => {
	const own = device({ own: true })
	const phone = device({
		name: 'phone',
		addedBy: own.id,
		sessions: 1,
		lastSeenAt: null,
		state: 'revoked',
		revoked: { by: own.id, byName: 'laptop', at: '2026-01-31T11:00:00.000Z', reason: 'lost' },
	})
	const words = device({
		name: 'recovery key',
		kind: 'recovery',
		addedBy: own.id,
		lastSeenAt: null,
	})
	expect(text({ devices: [phone, own, words] })).toBe(`● laptop
  GMS9-MW5S-AHW4-JZBM-1Q4N  ${own.id}
  this device, active, can read 12 sessions, seen 2h ago
  began this account, 2026-01-30 12:00

● recovery key
  GMS9-MW5S-AHW4-JZBM-1Q4N  ${words.id}
  recovery key: 24 words, active, can read 12 sessions
  added by laptop, 2026-01-30 12:00

✗ phone
  GMS9-MW5S-AHW4-JZBM-1Q4N  ${phone.id}
  revoked, could read 1 session, not seen yet
  added by laptop, 2026-01-30 12:00
  revoked by laptop, 2026-01-31 11:00: lost

Device log: 1 entry, verified.
`)
})

test('one device alone is warned about, and told both ways out', () => {
	expect(text({ single: true })).toMatch(/Only one device.*devices add.*devices recovery/s)
	expect(text({ single: false })).not.toContain('Only one device')
})

test('intruders come first, and say so', () => {
	const id = randomId()
	const out = text({ intruders: [{ device: id, publicKey: hash, what: 'unknown' }] })
	expect(out.split('\n')[0]).toMatch(/^✗ INTRUDER: the server lies: /)
	expect(out).toContain(id)
	expect(out).toContain(hash)
})

test('so do other lies, and a log that can not be trusted', () => {
	const problem = refused('log_rolled_back', 'The log is older than it was.')
	const out = text({
		faults: [{ device: randomId(), publicKey: hash, what: 'not_revoked' }],
		log: { entries: 1, head: { seq: 0, hash }, problem },
	})
	expect(out).toMatch(/^✗ The server lies: .*\n(?:.*\n)*✗ DEVICE LOG: The log is older/)
	expect(out).toContain('1 entry, NOT TO BE TRUSTED')
})

test('names and reasons can neither drive the terminal nor look like lines of ours', () => {
	const id = randomId()
	const out = text({
		devices: [
			device({
				name: nasty,
				addedBy: id,
				addedByName: nasty,
				revoked: { by: id, byName: nasty, at: now.toISOString(), reason: nasty },
				state: 'revoked',
			}),
		],
	})
	expect(out.split(shown)).toHaveLength(5)
	expect(out.split('\n')).toHaveLength(8)
	expect(out).not.toMatch(/[^\P{C}\n]/u)
})

test('every line fits a narrow terminal', () => {
	const names = { name: 'a name of many words that goes on', addedByName: 'another of many words' }
	const out = text({ devices: [device({ ...names, addedBy: randomId() })], single: true }, 40)
	const long = out.split('\n').filter((line) => line.length > 40 && !line.includes('GMS9'))
	expect(long).toEqual([])
})

function event(more: Partial<LogEvent>): LogEvent {
	return {
		seq: 0,
		at: '2026-01-31T09:00:00.000Z',
		type: 'genesis',
		by: 'a',
		byName: 'laptop',
		device: '3f2a91c0-0000',
		deviceName: 'builder',
		fingerprint: 'GMS9-MW5S-AHW4-JZBM-1Q4N',
		proof: false,
		name: null,
		reason: null,
		hash,
		...more,
	}
}

test('the history says who did what, and when, with names as they were given', () => {
	const out = historyText(
		[
			event({ name: 'laptop' }),
			event({ seq: 1, type: 'add', name: 'build-box' }),
			event({ seq: 2, type: 'rename', name: 'builder' }),
			event({ seq: 3, type: 'rename', byName: 'recovery key', name: 'recovery key', proof: true }),
			event({ seq: 10, type: 'revoke', reason: nasty }),
		],
		Number.POSITIVE_INFINITY,
	)
	expect(out).toBe(` 0  2026-01-31 09:00  laptop began this account (GMS9-MW5S-AHW4-JZBM-1Q4N)
 1  2026-01-31 09:00  laptop added build-box (GMS9-MW5S-AHW4-JZBM-1Q4N)
 2  2026-01-31 09:00  laptop named device 3f2a91c0 builder
 3  2026-01-31 09:00  recovery key signed the log, as proof for its words
10  2026-01-31 09:00  laptop revoked builder: ${shown}
`)
})

const devices = [
	device({ own: true }),
	device({ name: 'phone' }),
	device({ name: 'old', state: 'revoked' }),
]
const [laptop, phone, old] = devices.map(({ id }) => id)

function grant(scope: string, epoch: number, to: string | undefined, more: Partial<Access> = {}) {
	const session = scope === 'account' ? null : scope
	const base = { scope: `session:${scope}` as const, session, epoch, newest: 1 }
	const at = now.toISOString()
	return { ...base, device: to ?? '', by: laptop ?? '', at, opens: null, known: true, ...more }
}

async function matrix(grants: Access[], options: { width?: number; limit?: number } = {}) {
	let out = ''
	async function* source() {
		yield* grants
	}
	const { width = 200, limit = Number.POSITIVE_INFINITY } = options
	const wrong = await new Matrix(devices, width).print(source(), limit, async (text) => {
		out += text
	})
	return { out, rows: out.trimEnd().split('\n').slice(2), wrong }
}

const some = [
	grant('aaaaaaaa-1', 0, laptop),
	grant('aaaaaaaa-1', 1, laptop),
	grant('aaaaaaaa-1', 0, phone),
	grant('bbbbbbbb-2', 0, old),
]

test('the matrix: sessions down, devices across', async () => {
	const { rows, wrong } = await matrix(some)
	expect(rows).toEqual([
		'  session   *laptop  phone   ✗old',
		'  aaaaaaaa  all      1/2     –',
		'  bbbbbbbb  –        –       1/2',
	])
	expect(wrong).toBe(0)
})

test('where it does not fit, each line names the devices', async () => {
	const { out } = await matrix(some, { width: 34 })
	expect(out).toContain('  aaaaaaaa  *laptop all, phone\n')
	expect(out).toContain('            1/2, ✗old –\n')
	for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(34)
})

test('it ends with its limit, and reads no more than that', async () => {
	const { rows } = await matrix(some, { limit: 1 })
	expect(rows.slice(1)).toEqual(['  aaaaaaaa  all      1/2     –'])
})

test('a key for nobody that the log knows is marked and counted', async () => {
	const stranger = grant('cccccccc-3', 0, randomId(), { known: false })
	const { rows, wrong } = await matrix([...some, stranger])
	expect(rows.at(-1)).toMatch(/^✗ cccccccc .*NOT IN THE DEVICE LOG$/)
	expect(wrong).toBe(1)
})

test('so is one for this device that does not open', async () => {
	const { rows, wrong } = await matrix([grant('dddddddd-4', 0, laptop, { opens: false })])
	expect(rows.at(-1)).toMatch(/^✗ dddddddd/)
	expect(wrong).toBe(1)
})

test.each([
	['laptop', 'laptop'],
	['laptop-2.local', 'laptop-2.local'],
	['my laptop', 'GMS9'],
	['läptop', 'GMS9'],
	[nasty, 'GMS9'],
	['', 'GMS9'],
	[null, 'GMS9'],
])('to revoke %j one types %s', (name, word) => {
	expect(wordToType(device({ name }))).toBe(word)
})

test('words are numbered, four a line, in order', () => {
	const words = Array.from({ length: 24 }, (_, index) => `word${index + 1}`)
	const lines = wordTable(words).trimEnd().split('\n')
	expect(lines).toHaveLength(6)
	expect(lines.join(' ').match(/word\d+/g)).toEqual(words)
	expect(lines[1]).toBe('   5. word5       6. word6       7. word7       8. word8')
})
