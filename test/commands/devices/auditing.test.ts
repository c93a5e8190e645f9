/** `devices`, `devices verify`, `log`, `access` and `rename`: with an honest server, and with one that lies. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Context } from '../../../source/commands/context.ts'
import { createDevice } from '../../../source/protocol/device.ts'
import { Hosted, linesOf, type Program } from '../_program.ts'
import * as shapes from '../_shapes.ts'
import { Homes, printed, refusal } from './_homes.ts'

let homes: Homes
let laptop: Program
let phone: Program
let context: Context
let ids: { laptop: string; phone: string }
const sessions: string[] = []

beforeAll(async () => {
	homes = await Homes.make()
	laptop = await homes.first('laptop')
	context = await laptop.context()
	for (const prompt of ['list the reeds', 'count the herons']) {
		const hosted = await Hosted.start(context, prompt)
		await hosted.finish()
		sessions.push(hosted.id)
	}
	phone = await homes.paired('phone', laptop)
	const { devices } = await laptop.json(shapes.devices, ['devices'])
	const id = (name: string) => devices.find((one) => one.name === name)?.id ?? ''
	ids = { laptop: id('laptop'), phone: id('phone') }
})
afterAll(async () => {
	await context?.[Symbol.asyncDispose]()
	await homes?.[Symbol.asyncDispose]()
})

describe('an honest server', () => {
	test('devices: the same on both, but for which of them this is', async () => {
		const here = await laptop.json(shapes.devices, ['devices'])
		const there = await phone.json(shapes.devices, ['devices'])
		expect(here.devices.map(({ name, this: own }) => [name, own])).toEqual([
			['laptop', true],
			['phone', false],
		])
		expect(there.devices.map(({ this: own }) => own)).toEqual([false, true])
		const facts = ({ devices }: typeof here) =>
			devices.map(({ this: _, last_seen_at, ...rest }) => rest)
		expect(facts(there)).toEqual(facts(here))
		expect(here.log).toEqual({
			entries: 3,
			head: { seq: 2, hash: expect.any(String) },
			verified: true,
		})
		expect(here.intruders).toEqual([])
		const text = await phone.run(['devices'])
		expect([text.code, text.stderr]).toEqual([0, ''])
		expect(text.stdout).toContain('● laptop\n')
		expect(text.stdout).toMatch(
			/this device, active, can read 2 sessions, seen now\n {2}added by laptop/,
		)
		expect(text.stdout).not.toContain('Only one device')
	})

	test('verify: what holds', async () => {
		expect(await laptop.json(shapes.devicesVerify, ['devices', 'verify'])).toMatchObject({
			verified: true,
			log: { entries: 3, verified: true, problem: null },
			active: 2,
			revoked: 0,
			faults: [],
		})
		const { code, stdout, stderr } = await phone.run(['devices', 'verify'])
		expect([code, stderr]).toEqual([0, ''])
		expect(stdout.match(/^✓/gm)).toHaveLength(3)
		expect(stdout).toContain('3 entries, replayed from the first')
	})

	test('log: who did what, and when', async () => {
		const { entries } = await phone.json(shapes.devicesLog, ['devices', 'log'])
		expect(
			entries.map(({ seq, type, by, device, device_name }) => [seq, type, by, device, device_name]),
		).toEqual([
			[0, 'genesis', ids.laptop, ids.laptop, 'laptop'],
			[1, 'rename', ids.laptop, ids.laptop, 'laptop'],
			[2, 'add', ids.laptop, ids.phone, 'phone'],
		])
		expect(entries[1]?.name).toBe('laptop')
		const last = await phone.json(shapes.devicesLog, ['devices', 'log', '--limit', '1'])
		expect(last.entries).toEqual(entries.slice(-1))
		const { stdout } = await laptop.run(['devices', 'log'])
		expect(stdout).toMatch(/^2 {2}\S+ \S+ {2}laptop added phone \([0-9A-Z-]{24}\)$/m)
	})

	test('access: every key, by device and by session', async () => {
		const all = await laptop.lines(shapes.devicesAccess, ['devices', 'access'])
		expect(all.map(({ session, device }) => `${session} ${device}`).sort()).toEqual(
			[null, ...sessions]
				.flatMap((session) => [`${session} ${ids.laptop}`, `${session} ${ids.phone}`])
				.sort(),
		)
		for (const { by, device, opens, known, epoch, newest } of all) {
			expect({ by, opens, known, epoch, newest }).toEqual({
				by: ids.laptop,
				opens: device === ids.laptop ? true : null,
				known: true,
				epoch: 0,
				newest: 0,
			})
		}
		const own = await laptop.lines(shapes.devicesAccess, ['devices', 'access', 'phone'])
		expect(own).toEqual(all.filter(({ device }) => device === ids.phone))
		const [first = ''] = sessions
		const one = await laptop.lines(shapes.devicesAccess, [
			'devices',
			'access',
			'--session',
			first.slice(0, 8),
		])
		expect(one).toEqual(all.filter(({ session }) => session === first))
		const both = await laptop.lines(shapes.devicesAccess, [
			'devices',
			'access',
			ids.phone,
			'--session',
			first,
		])
		expect(both).toEqual(one.filter(({ device }) => device === ids.phone))
		const limited = await laptop.lines(shapes.devicesAccess, ['devices', 'access', '--limit', '3'])
		expect(limited).toEqual(all.slice(0, 3))
	})

	test('access as a matrix, and as lines of one device', async () => {
		const { code, stdout } = await laptop.run(['devices', 'access'])
		expect(code).toBe(0)
		expect(stdout).toMatch(/^ {2}session {3}\*laptop {2}phone$/m)
		for (const name of ['account ', ...sessions.map((id) => id.slice(0, 8))]) {
			expect(stdout).toMatch(new RegExp(`^ {2}${name} {2}all {6}all$`, 'm'))
		}
		const lines = await laptop.run(['devices', 'access', 'phone'])
		expect(lines.stdout.match(/key 0 {2}phone, given by laptop {2}/g)).toHaveLength(3)
		const seen = await phone.run(['devices', 'access', 'phone'])
		expect(seen.stdout.match(/given by laptop {2}\S+ \S+ {2}opens here$/gm)).toHaveLength(3)
	})

	test('a new name is seen everywhere, and the same again is no new entry', async () => {
		const renamed = await laptop.json(shapes.devicesRename, [
			'devices',
			'rename',
			'phone',
			'pocket',
		])
		expect(renamed).toEqual({ device: { id: ids.phone, name: 'pocket', before: 'phone' } })
		const status = await phone.run(['devices', 'rename', ids.phone, 'phone'])
		expect(status.stdout).toBe('pocket is called phone now.\n')
		const { log } = await laptop.json(shapes.devices, ['devices'])
		await laptop.run(['devices', 'rename', 'phone', 'phone'])
		expect((await laptop.json(shapes.devices, ['devices'])).log).toEqual(log)
		for (const name of ['  ', 'x'.repeat(101)]) {
			const refused = await refusal(laptop, ['devices', 'rename', 'phone', name])
			expect(refused).toMatchObject({ code: 'bad_device_name', exitCode: 2 })
		}
		expect(await refusal(laptop, ['devices', 'rename', 'desktop', 'x'])).toMatchObject({
			code: 'no_such_device',
			exitCode: 1,
		})
	})
})

describe('a server that lies', () => {
	const ghost = createDevice().record
	const key = (text: string) => Buffer.from(text, 'base64').toString('hex')

	afterEach(async () => {
		await homes.sql('delete from public.machine_keys where machine_id = $1::text::uuid', [ghost.id])
		await homes.sql('update public.machine_keys set revoked_at = null')
	})

	async function addGhost(): Promise<void> {
		await homes.sql(
			`insert into public.machines (user_id, id, added_at) values ($1::text::uuid, $2::text::uuid, now())
			on conflict do nothing`,
			[homes.account, ghost.id],
		)
		await homes.sql(
			`insert into public.machine_keys (user_id, machine_id, kind, box, sign, added_at)
			values ($1::text::uuid, $2::text::uuid, 'device', decode($3, 'hex'), decode($4, 'hex'), now())`,
			[homes.account, ghost.id, key(ghost.box), key(ghost.sign)],
		)
	}

	test('a key that nobody added is an intruder, on every list, with exit code 4', async () => {
		await addGhost()
		const list = await refusal(laptop, ['devices'])
		expect([list.exitCode, list.code]).toEqual([4, 'intruder'])
		const intruder = { id: ghost.id, public_key: ghost.box }
		expect(printed(shapes.devices, list.stdout).intruders).toEqual([intruder])
		const verified = await refusal(phone, ['devices', 'verify'])
		expect([verified.exitCode, verified.code]).toEqual([4, 'intruder'])
		expect(printed(shapes.devicesVerify, verified.stdout)).toMatchObject({
			verified: false,
			intruders: [intruder],
			faults: [{ ...intruder, what: 'unknown' }],
		})
		const text = await laptop.run(['devices'])
		expect(text.code).toBe(4)
		expect(text.stdout).toMatch(new RegExp(`^✗ INTRUDER: .*${ghost.id}`))
		expect(text.stderr).toContain(ghost.id)
	})

	test('nothing is encrypted to it', async () => {
		await addGhost()
		await context.account.log.refresh()
		const hosted = await Hosted.start(context, 'hide from the ghost')
		await hosted.finish()
		const grants = await laptop.lines(shapes.devicesAccess, [
			'devices',
			'access',
			'--session',
			hosted.id,
		])
		expect(grants.map(({ device }) => device).sort()).toEqual([ids.laptop, ids.phone].sort())
	})

	test('another key for a device that there is, is an intruder too', async () => {
		const before = homes.serving.backend.engine.query(
			'select encode(box, $1) as box from public.machine_keys where machine_id = $2::text::uuid',
			['hex', ids.phone],
		)
		const box = String((await before)[0]?.box)
		const set =
			'update public.machine_keys set box = decode($1, $2) where machine_id = $3::text::uuid'
		await homes.sql(set, [key(ghost.box), 'hex', ids.phone])
		const { exitCode, stdout } = await refusal(laptop, ['devices', 'verify'])
		await homes.sql(set, [box, 'hex', ids.phone])
		expect(exitCode).toBe(4)
		expect(printed(shapes.devicesVerify, stdout).faults).toEqual([
			{ id: ids.phone, public_key: ghost.box, what: 'other_key' },
		])
	})

	test('a device said to be revoked that is not', async () => {
		await homes.sql(
			'update public.machine_keys set revoked_at = now() where machine_id = $1::text::uuid',
			[ids.phone],
		)
		const { exitCode, code, stdout } = await refusal(laptop, ['devices', 'verify'])
		expect([exitCode, code]).toEqual([4, 'keys_not_in_log'])
		expect(printed(shapes.devicesVerify, stdout).faults).toMatchObject([
			{ id: ids.phone, what: 'revoked' },
		])
		expect((await laptop.run(['devices'])).code).toBe(4)
	})

	test('a key handed out for nobody is marked', async () => {
		await homes.sql(
			`insert into public.key_grants (user_id, scope, epoch, to_device, by_device, nonce, ciphertext, created_at)
			values ($1::text::uuid, $2, 0, $3::text::uuid, $4::text::uuid, decode($5, 'hex'), decode($5, 'hex'), now())`,
			[homes.account, `session:${sessions[0]}`, ghost.id, ids.laptop, '00'.repeat(24)],
		)
		const { exitCode, code, stdout } = await refusal(laptop, ['devices', 'access'])
		expect([exitCode, code]).toEqual([4, 'access_not_verified'])
		expect(linesOf(shapes.devicesAccess, stdout).filter(({ known }) => !known)).toMatchObject([
			{ session: sessions[0], device: ghost.id, device_name: null },
		])
		const matrix = await laptop.run(['devices', 'access'])
		expect(matrix.code).toBe(4)
		expect(matrix.stdout).toMatch(
			new RegExp(`^✗ ${sessions[0]?.slice(0, 8)}.*NOT IN THE DEVICE LOG$`, 'm'),
		)
		await homes.sql('delete from public.key_grants where to_device = $1::text::uuid', [ghost.id])
	})

	test('a log that lost its end is refused by every command of the family', async () => {
		const engine = homes.serving.backend.engine
		const [last] = await engine.query(
			`select seq, encode(entry, 'base64') as entry, encode(signature, 'base64') as signature
			from public.device_log where user_id = $1::text::uuid order by seq desc limit 1`,
			[homes.account],
		)
		await homes.sql(
			'delete from public.device_log where user_id = $1::text::uuid and seq = $2::text::bigint',
			[homes.account, String(last?.seq)],
		)
		for (const args of [
			['devices'],
			['devices', 'verify'],
			['devices', 'log'],
			['devices', 'access'],
		]) {
			expect(await refusal(laptop, args)).toMatchObject({
				exitCode: 4,
				code: 'log_rolled_back',
				stdout: '',
			})
		}
		await homes.sql(
			`insert into public.device_log (user_id, seq, entry, signature)
			values ($1::text::uuid, $2::text::bigint, decode($3, 'base64'), decode($4, 'base64'))`,
			[homes.account, String(last?.seq), String(last?.entry), String(last?.signature)],
		)
		expect((await laptop.run(['devices', 'verify'])).code).toBe(0)
	})
})
