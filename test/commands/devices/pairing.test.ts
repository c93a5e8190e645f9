/** `devices add`, `approve` and `share`: the built program, in several homes. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Context } from '../../../source/commands/context.ts'
import { Hosted, linesOf, type Program } from '../_program.ts'
import * as shapes from '../_shapes.ts'
import { ask, Homes, refusal } from './_homes.ts'

let homes: Homes
let laptop: Program
let context: Context
let session: string

beforeAll(async () => {
	homes = await Homes.make()
	laptop = await homes.first('laptop')
	context = await laptop.context()
	const hosted = await Hosted.start(context, 'list the reeds')
	hosted.agent.text('There are twelve reeds.')
	await hosted.finish()
	session = hosted.id
})
afterAll(async () => {
	await context?.[Symbol.asyncDispose]()
	await homes?.[Symbol.asyncDispose]()
})

async function asking(home: Program, args: readonly string[] = []) {
	const one = await ask(home, args)
	onTestFinished(() => one[Symbol.asyncDispose]())
	return one
}

const list = async (home: Program) => (await home.json(shapes.devices, ['devices'])).devices

test('a home without a device is told both ways to become one', async () => {
	const home = await homes.signedIn()
	const { exitCode, code, message } = await refusal(home, ['sessions'])
	expect([exitCode, code]).toEqual([3, 'no_device_key'])
	expect(message).toContain('devices add')
	expect(message).toContain('devices recover')
})

test('a device is let in with its code, and reads what was there before', async () => {
	const home = await homes.signedIn()
	const { code, fingerprint, started } = await asking(home, ['--name', 'build-box'])
	const approved = await laptop.json(shapes.devicesApprove, ['devices', 'approve', code, '--yes'])
	const [own] = await list(laptop)
	expect(approved).toMatchObject({
		device: { name: 'build-box', fingerprint },
		outcome: 'approved',
		by: own?.id,
		sessions: 1,
		granted: 1,
		unreadable: 0,
	})
	const { code: exitCode, stdout } = await started.done
	expect(exitCode).toBe(0)
	expect(linesOf(shapes.devicesAddDone, `${stdout.split('\n')[1]}\n`)).toEqual([
		{ account: homes.account, device: approved.device },
	])
	const show = ['show', session, '--json']
	const [there, here] = [await laptop.run(show), await home.run(show)]
	expect(here).toEqual(there)
	expect(here.code).toBe(0)
	expect(here.stdout).toContain('There are twelve reeds.')
	const added = (await list(home)).find(({ id }) => id === approved.device.id)
	expect(added).toMatchObject({
		name: 'build-box',
		kind: 'device',
		state: 'active',
		this: true,
		added_by: own?.id,
		sessions: 1,
	})
	expect((await list(laptop)).find(({ id }) => id === approved.device.id)?.this).toBe(false)
})

test('in plain text: the code, the command to type, the fingerprint on both sides', async () => {
	const home = await homes.signedIn()
	const started = home.start(['devices', 'add', '--name', 'phone'])
	onTestFinished(() => started[Symbol.asyncDispose]())
	await expect
		.poll(() => started.stdout, { timeout: 60_000 })
		.toMatch(/styrby-tui devices approve \S+\n.*once/s)
	const code = /approve (\S+)/.exec(started.stdout)?.[1] ?? ''
	const fingerprint = /^ {4}(\S{24})$/m.exec(started.stdout)?.[1]
	const typed = code.toLowerCase().replaceAll('-', ' ')
	const approved = await laptop.run(['devices', 'approve', typed, '--yes'])
	expect([approved.code, approved.stderr]).toEqual([0, ''])
	expect(approved.stdout).toContain(`fingerprint  ${fingerprint}`)
	expect(approved.stdout).toMatch(/name +phone\n/)
	expect(approved.stdout).toMatch(/platform +linux|platform +darwin|platform +win32/)
	expect(approved.stdout).toContain('1 session')
	expect(approved.stdout).toContain('phone is a device of this account now.')
	const { code: exitCode, stdout } = await started.done
	expect(exitCode).toBe(0)
	expect(stdout).toContain(`This is a device of the account now: phone (${fingerprint})`)
})

test('who approves can call it something else', async () => {
	const home = await homes.signedIn()
	const { code, started } = await asking(home, ['--name', 'one'])
	await laptop.run(['devices', 'approve', code, '--yes', '--name', 'another'])
	const { stdout } = await started.done
	expect(stdout).toContain('"name":"another"')
})

test('a code that was mistyped, is unknown, or was used is refused, each by its name', async () => {
	const home = await homes.signedIn()
	const { code, started } = await asking(home)
	const approve = (text: string) => refusal(laptop, ['devices', 'approve', text, '--yes'])
	const swapped = (code[1] ?? '') + (code[0] ?? '') + code.slice(2)
	if (swapped !== code)
		expect(await approve(swapped)).toMatchObject({ code: 'bad_pairing_code', exitCode: 2 })
	expect(await approve(code.slice(0, -1))).toMatchObject({ code: 'bad_pairing_code', exitCode: 2 })
	expect(await approve(`U${code.slice(1)}`)).toMatchObject({
		code: 'bad_pairing_code',
		message: expect.stringContaining('Character 1'),
	})
	expect(await approve('0000-0000-0000-00000')).toMatchObject({
		code: 'no_such_pairing',
		exitCode: 1,
	})
	await laptop.json(shapes.devicesApprove, ['devices', 'approve', code, '--yes'])
	await started.done
	const count = (await list(laptop)).length
	expect(await approve(code)).toMatchObject({ code: 'no_such_pairing' })
	expect(await list(laptop)).toHaveLength(count)
})

test('nothing is approved without --yes where nobody can be asked', async () => {
	const home = await homes.signedIn()
	const { code } = await asking(home)
	const before = await list(laptop)
	const refused = await refusal(laptop, ['devices', 'approve', code])
	expect(refused).toMatchObject({ code: 'confirmation_needed', exitCode: 2 })
	expect((await list(laptop)).length).toBe(before.length)
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s takes the request back', async (signal) => {
	const home = await homes.signedIn()
	const { code, started } = await asking(home)
	started.child.kill(signal)
	const { code: exitCode, stderr } = await started.done
	expect(exitCode).toBe(130)
	expect(linesOf(shapes.failure, stderr)[0]?.error.code).toBe('interrupted')
	const refused = await refusal(laptop, ['devices', 'approve', code, '--yes'])
	expect(refused.code).toBe('no_such_pairing')
	expect((await refusal(home, ['sessions'])).code).toBe('no_device_key')
})

test('two devices that approve the same code: both are told who did', async () => {
	const desktop = await homes.paired('desktop', laptop)
	const home = await homes.signedIn()
	const { code, started } = await asking(home, ['--name', 'tablet'])
	const approve = (by: Program) =>
		by.json(shapes.devicesApprove, ['devices', 'approve', code, '--yes'])
	const both = await Promise.all([approve(laptop), approve(desktop)])
	expect(both.map(({ outcome }) => outcome).sort()).toEqual(['already', 'approved'])
	expect(both[0].by).toBe(both[1].by)
	expect(both[0].device).toEqual(both[1].device)
	expect((await started.done).code).toBe(0)
	const tablets = (await list(laptop)).filter(({ name }) => name === 'tablet')
	expect(tablets).toHaveLength(1)
	expect(tablets[0]?.added_by).toBe(both[0].by)
})

test('a device of the account is not added again; an account without any has none to approve', async () => {
	expect(await refusal(laptop, ['devices', 'add'])).toMatchObject({
		code: 'already_registered',
		exitCode: 1,
	})
	await using other = await Homes.make()
	const home = await other.signedIn()
	expect(await refusal(home, ['devices', 'add'])).toMatchObject({ code: 'nothing_to_join' })
})

test('a name is neither empty nor endless', async () => {
	const home = await homes.signedIn()
	for (const name of ['   ', 'x'.repeat(101)]) {
		const refused = await refusal(home, ['devices', 'add', '--name', name])
		expect(refused).toMatchObject({ code: 'bad_device_name', exitCode: 2 })
	}
})

test('share hands over once more what another granter had given', async () => {
	const phone = await homes.paired('reader', laptop)
	const id = (await list(phone)).find((one) => one.this)?.id ?? ''
	await homes.sql(
		'delete from public.key_grants where to_device = $1::text::uuid and scope like $2',
		[id, 'session:%'],
	)
	expect((await phone.run(['show', session])).code).toBe(4)
	const shared = await laptop.json(shapes.devicesShare, ['devices', 'share', 'reader'])
	expect(shared).toMatchObject({ device: { id, name: 'reader' }, sessions: 1, granted: 1 })
	const { code, stdout } = await phone.run(['show', session])
	expect(code).toBe(0)
	expect(stdout).toContain('There are twelve reeds.')
	const again = await laptop.run(['devices', 'share', 'reader'])
	expect(again.stdout).toContain('There was nothing more to hand over.')
})
