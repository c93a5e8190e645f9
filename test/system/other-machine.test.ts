/** A second machine, in a network namespace of its own, joins the backend of the first, reads along and is revoked. */
import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Context } from '../../source/commands/context.ts'
import { readProfiles } from '../../source/config/profiles.ts'
import { statusEmbedded } from '../../source/server/discover.ts'
import { readRuntime } from '../../source/server/runtime-file.ts'
import { Hosted, linesOf, Program } from '../commands/_program.ts'
import * as shapes from '../commands/_shapes.ts'
import { ask, refusal } from '../commands/devices/_homes.ts'
import { type Started, until } from '../tools/lab.ts'
import { hasNamespaces, NetworkNamespace } from '../tools/network-namespace.ts'

/** A test here is many runs of the program, one after the other. */
const limit = 300_000

describe.skipIf(!(await hasNamespaces()))('another machine (needs root and iproute2)', () => {
	let network: NetworkNamespace
	let first: Program
	let other: Program
	let served: Started
	let port: number
	let context: Context
	let hosted: Hosted

	beforeAll(async () => {
		network = await NetworkNamespace.make()
		first = await Program.make()
		other = await Program.make()
		other.via = network.via
		port = await freePort()
		await first.json(shapes.sessions, ['sessions'])
		served = first.start(['serve', '--listen', `${network.here}:${port}`])
		await until(() => served.stdout.includes('until Ctrl-C') || served.result, served)
		context = await first.context()
		hosted = await Hosted.start(context, 'count the reeds')
		hosted.agent.text('There are twelve reeds.')
	}, limit)
	afterAll(async () => {
		await hosted?.[Symbol.asyncDispose]()
		await context?.[Symbol.asyncDispose]()
		await served?.[Symbol.asyncDispose]()
		await other?.[Symbol.asyncDispose]()
		await first?.[Symbol.asyncDispose]()
		await network?.[Symbol.asyncDispose]()
	}, limit)

	async function freePort(): Promise<number> {
		const probe = createServer()
		await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
		const { port } = probe.address() as AddressInfo
		await new Promise((resolve) => probe.close(resolve))
		return port
	}

	/** What a script of the other machine gets from an address. */
	async function fetched(url: string): Promise<string> {
		const script = `fetch(${JSON.stringify(url)}).then((a) => 'answered ' + a.status, (e) => 'failed ' + (e.cause?.code ?? e.message)).then(console.log)`
		const [command = '', ...before] = [...network.via, process.execPath, '-e', script]
		return new Promise((resolve, reject) => {
			execFile(command, before, (error, stdout) => (error ? reject(error) : resolve(stdout.trim())))
		})
	}

	test('reaches the address that is listened to, and not the port of this machine', async () => {
		const own = await statusEmbedded(first.home)
		const loopback = new URL(own?.url ?? '').port
		expect(await fetched(`https://${network.here}:${port}/`)).toMatch(/^failed .*SELF_SIGNED/)
		expect(await fetched(`http://${network.here}:${loopback}/health`)).toBe('failed ECONNREFUSED')
		expect(await fetched(`http://127.0.0.1:${loopback}/health`)).toBe('failed ECONNREFUSED')
	})

	test(
		'joins by a token, and is told how to become a device',
		async () => {
			const { stdout: token } = await first.run(['serve', '--join-token'])
			const { stdout, stderr } = await other.run(['login', '--join', '-', '--json'], {}, token)
			expect(stderr).toBe('')
			expect(linesOf(shapes.login, stdout)).toEqual([
				{
					backend: { kind: 'embedded', url: `https://${network.here}:${port}` },
					account: context.account.id,
					email: null,
					signed_in: 'new',
					device: 'missing',
				},
			])
			expect(await refusal(other, ['sessions'])).toMatchObject({
				exitCode: 3,
				code: 'no_device_key',
				message: expect.stringContaining('devices add'),
			})
		},
		limit,
	)

	test(
		'is let in as a device, reads what was there, and follows what comes',
		async () => {
			await using asking = await ask(other, ['--name', 'other-box'])
			await first.json(shapes.devicesApprove, ['devices', 'approve', asking.code, '--yes'])
			const { code, stderr } = await asking.started.done
			expect([code, stderr]).toEqual([0, ''])
			const { sessions } = await other.json(shapes.sessions, ['sessions'])
			expect(sessions).toMatchObject([{ id: hosted.id, title: 'count the reeds' }])
			await using following = other.start(['show', hosted.id, '--follow', '--json'])
			const said = (text: string) => until(() => following.stdout.includes(text), following)
			await said('There are twelve reeds.')
			hosted.agent.text('And nine herons.')
			await said('And nine herons.')
			const lines = linesOf(shapes.message, following.stdout)
			expect(lines.every(({ verified }) => verified)).toBe(true)
			const verdict = await other.json(shapes.verdict, ['verify'])
			expect(verdict).toMatchObject({ verified: true, wire: { live: true }, problems: [] })
			// Nothing of this was done by a backend of its own.
			expect(await readRuntime(other.home.run)).toBeNull()
		},
		limit,
	)

	test(
		'without its cable the backend is out of reach; with it all goes on',
		async () => {
			await network.plug('out')
			expect(await refusal(other, ['sessions'])).toMatchObject({
				exitCode: 5,
				code: 'backend_unreachable',
			})
			await network.plug('in')
			await until(async () => (await other.run(['sessions'])).code === 0)
		},
		limit,
	)

	test(
		'revoked while it watches, it gets nothing newer and learns why',
		async () => {
			await using following = other.start(['show', hosted.id, '--follow', '--json'])
			await until(() => following.stdout.includes('And nine herons.'), following)
			const revoked = await first.json(shapes.devicesRevoke, [
				'devices',
				'revoke',
				'other-box',
				'--yes',
			])
			expect(revoked.complete).toBe(true)
			hosted.agent.text('The eggs are at the third stake.')
			const own = first.start(['show', hosted.id, '--follow', '--json'])
			await until(() => own.stdout.includes('The eggs are at'), own)
			await own[Symbol.asyncDispose]()
			for (const args of [['sessions'], ['show', hosted.id], ['permissions']]) {
				const { exitCode, code, stdout } = await refusal(other, args)
				expect([args, exitCode, code]).toEqual([args, 3, 'device_revoked'])
				expect(stdout).not.toContain('The eggs')
			}
			expect(following.stdout).not.toContain('The eggs')
			// Its sign-in is over too: what it holds is renewed no more.
			const { profiles } = await readProfiles(other.home)
			for (const { kind, id } of profiles) {
				await rm(join(other.home.run, `access-${kind}-${id}.json`))
			}
			expect(await refusal(other, ['sessions'])).toMatchObject({
				exitCode: 3,
				code: 'not_signed_in',
			})
		},
		limit,
	)
})
