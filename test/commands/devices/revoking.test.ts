/** `devices revoke`: the plan, the deed and the proof, by the built program. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Context, openContext } from '../../../source/commands/context.ts'
import { processIo } from '../../../source/commands/io.ts'
import { until } from '../../tools/lab.ts'
import { Hosted, linesOf, type Program } from '../_program.ts'
import * as shapes from '../_shapes.ts'
import { ask, Homes, printed, refusal } from './_homes.ts'

let homes: Homes
let laptop: Program
let box: Program
let context: Context
let hosted: Hosted

beforeAll(async () => {
	homes = await Homes.make()
	laptop = await homes.first('laptop')
	// The one that hosts: a session goes on there while others are let in and revoked.
	box = await homes.paired('build-box', laptop)
	context = await openContext({ ...processIo(), env: box.env, cwd: box.cwd })
	hosted = await Hosted.start(context, 'list the reeds')
	hosted.agent.say({ type: 'status', status: 'running' })
	hosted.agent.text('There are twelve reeds.')
	await until(async () => ((await context.gateway.readSession(hosted.id))?.last_seq ?? 0) >= 2)
})
afterAll(async () => {
	await hosted?.[Symbol.asyncDispose]()
	await context?.[Symbol.asyncDispose]()
	await homes?.[Symbol.asyncDispose]()
})

const list = async (home: Program) => (await home.json(shapes.devices, ['devices'])).devices

test('nothing is revoked without --yes where nobody can be asked; --dry-run says what would be', async () => {
	await homes.paired('phone', laptop)
	const refused = await refusal(laptop, ['devices', 'revoke', 'phone'])
	expect(refused).toMatchObject({ code: 'confirmation_needed', exitCode: 2 })
	const planned = await laptop.json(shapes.devicesRevokePlan, [
		'devices',
		'revoke',
		'phone',
		'--dry-run',
	])
	const own = await list(laptop)
	expect(planned).toMatchObject({
		device: { name: 'phone', id: own.find(({ name }) => name === 'phone')?.id },
		plan: {
			readable: 1,
			live: [{ session: hosted.id, host: { name: 'build-box' }, own: false }],
		},
	})
	const text = await laptop.run(['devices', 'revoke', 'phone', '--dry-run'])
	expect([text.code, text.stderr]).toEqual([0, ''])
	expect(text.stdout).toContain('the keys of 1 session')
	expect(text.stdout).toContain(`${hosted.id.slice(0, 8)}  on build-box`)
	expect((await list(laptop)).find(({ name }) => name === 'phone')?.state).toBe('active')
})

test('a device that is lost gets nothing from then on, while a session goes on', async () => {
	const lost = await homes.paired('lost', laptop)
	const kept = await homes.paired('kept', laptop)
	const show = ['show', hosted.id, '--json']
	expect((await lost.run(show)).stdout).toContain('twelve reeds')
	const done = await laptop.json(shapes.devicesRevoke, [
		'devices',
		'revoke',
		'lost',
		'--reason',
		'left in a train',
		'--wait',
		'60',
		'--yes',
	])
	expect(done).toMatchObject({
		device: { name: 'lost' },
		by_name: 'laptop',
		reason: 'left in a train',
		account_epoch: 1,
		sessions: [{ session: hosted.id, host: { name: 'build-box' }, epoch: 1, rekeyed: true }],
		grants_after: 0,
		complete: true,
	})
	hosted.agent.text('The boat is blue.')
	await until(async () => (await kept.run(show)).stdout.includes('The boat is blue.'))
	const refused = await refusal(lost, ['show', hosted.id])
	expect(refused).toMatchObject({ exitCode: 3, code: 'device_revoked' })
	expect(refused.message).toMatch(/laptop|revoked/)
	const { stdout } = await laptop.run(['devices'])
	expect(stdout).toMatch(
		/✗ lost\n.*\n {2}revoked, could read 1 session.*\n.*\n {2}revoked by laptop, .*: left in a train/,
	)
	const grants = await laptop.lines(shapes.devicesAccess, ['devices', 'access', done.device.id])
	// The old ones, from whoever let it in and from the host; no new one.
	expect(grants.length).toBeGreaterThanOrEqual(2)
	for (const { epoch, newest } of grants) expect([epoch, newest]).toEqual([0, 1])
	const { entries } = await laptop.json(shapes.devicesLog, ['devices', 'log', '--limit', '1'])
	expect(entries).toMatchObject([
		{ type: 'revoke', by_name: 'laptop', device: done.device.id, reason: 'left in a train' },
	])
})

test('the same again says how it stands, by whom it was done', async () => {
	const done = await box.json(shapes.devicesRevoke, ['devices', 'revoke', 'lost', '--yes'])
	expect(done).toMatchObject({
		plan: null,
		by_name: 'laptop',
		reason: 'left in a train',
		complete: true,
	})
	const text = await laptop.run(['devices', 'revoke', 'lost', '--yes'])
	expect(text.stdout).toContain('lost is revoked: entry')
	expect(text.stdout).toMatch(/✓ \S{8} on build-box has a new key \(1\)/)
	expect(text.stdout).toContain('✓ none of the keys in use was given to it')
	expect(text.stdout).toContain('not the password: change that of heron@example.test')
	const share = await refusal(laptop, ['devices', 'share', 'lost'])
	expect(share).toMatchObject({ exitCode: 1, code: 'device_revoked' })
})

test('a device can revoke itself, and is out', async () => {
	const tablet = await homes.paired('tablet', laptop)
	const done = await tablet.json(shapes.devicesRevoke, ['devices', 'revoke', 'tablet', '--yes'])
	expect(done).toMatchObject({ by_name: 'tablet', complete: false })
	expect(await refusal(tablet, ['devices'])).toMatchObject({ exitCode: 3, code: 'device_revoked' })
	const again = await laptop.json(shapes.devicesRevoke, [
		'devices',
		'revoke',
		'tablet',
		'--wait',
		'60',
		'--yes',
	])
	expect(again).toMatchObject({ by_name: 'tablet', complete: true })
})

test('a device that turned up again signs in anew, and is let in with new keys', async () => {
	const found = await homes.paired('found', laptop)
	const before = (await list(found)).find((one) => one.this)
	await laptop.run(['devices', 'revoke', 'found', '--yes', '--wait', '0'])
	const refused = await refusal(found, ['devices', 'add'])
	expect(refused).toMatchObject({ exitCode: 3 })
	await homes.signIn(found)
	await using asking = await ask(found, ['--name', 'found'])
	expect(asking.fingerprint).not.toBe(before?.fingerprint)
	await laptop.json(shapes.devicesApprove, ['devices', 'approve', asking.code, '--yes'])
	expect((await asking.started.done).code).toBe(0)
	const after = (await list(found)).filter(({ name }) => name === 'found')
	expect(after.map(({ state, this: own }) => [state, own])).toEqual([
		['revoked', false],
		['active', true],
	])
	expect((await found.run(['show', hosted.id])).stdout).toContain('twelve reeds')
})

test('two devices that revoke each other: the first entry stands, and the other is told by whom', async () => {
	const [one, other] = [await homes.paired('one', laptop), await homes.paired('other', laptop)]
	const revoke = (home: Program, name: string) =>
		home.run(['devices', 'revoke', name, '--yes', '--json'])
	const both = await Promise.all([revoke(one, 'other'), revoke(other, 'one')])
	const devices = await list(laptop)
	const stateOf = (name: string) => devices.find((device) => device.name === name)?.state
	const won = stateOf('one') === 'active' ? 0 : 1
	expect([stateOf('one'), stateOf('other')].sort()).toEqual(['active', 'revoked'])
	expect(both[won]?.code).toBe(0)
	const lost = both[1 - won]
	expect(lost?.code).toBe(3)
	const [failure] = linesOf(shapes.failure, lost?.stderr ?? '')
	expect(failure?.error.code).toBe('device_revoked')
	// One that finds itself revoked when it starts is not shown names any more.
	const winner = devices.find(({ name }) => name === (won === 0 ? 'one' : 'other'))
	const id = winner?.id.slice(0, 8) ?? 'nobody'
	expect(failure?.error.message).toMatch(new RegExp(`by (the device|${winner?.name}) .?${id}`))
})

test('a host that does not follow is named, with exit code 1', async () => {
	await homes.paired('watch', laptop)
	// A session whose host is gone: its status says that it goes on.
	const gone = await homes.paired('gone-box', laptop)
	const there = await openContext({ ...processIo(), env: gone.env, cwd: gone.cwd })
	const session = await Hosted.start(there, 'count the herons')
	await session.finish()
	await there.gateway.updateSession(session.id, { status: 'idle', ended_at: null })
	await there[Symbol.asyncDispose]()
	const args = ['devices', 'revoke', 'watch', '--yes']
	const { exitCode, code, stdout } = await refusal(laptop, [...args, '--wait', '15'])
	expect([exitCode, code]).toEqual([1, 'hosts_behind'])
	const done = printed(shapes.devicesRevoke, stdout)
	expect(done.complete).toBe(false)
	const behind = done.sessions.filter(({ rekeyed }) => !rekeyed)
	expect(behind).toMatchObject([{ session: session.id, host: { name: 'gone-box' } }])
	const text = await laptop.run([...args, '--wait', '0'])
	expect(text.code).toBe(1)
	expect(text.stdout).toMatch(/… \S{8} on gone-box has not followed yet/)
})

test('the last device is not revoked, whatever is asked', async () => {
	await using other = await Homes.make()
	const only = await other.first('only')
	for (const args of [['--yes'], ['--dry-run']]) {
		const refused = await refusal(only, ['devices', 'revoke', 'only', ...args])
		expect(refused).toMatchObject({ exitCode: 1, code: 'last_device' })
	}
	expect((await list(only))[0]?.state).toBe('active')
})
