/** The real Secret Service (gnome-keyring on a private bus), in a session of its own for each test. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { openKeychain } from '../../source/vault/keychain.ts'
import { probeKeychain } from '../../source/vault/probe-keychain.ts'
import { temporaryHome } from '../config/temporary-home.ts'

const here = (path: string) => new URL(path, import.meta.url)
const tool = fileURLToPath(here('../tools/with-secret-service.sh'))
const modules = {
	keychain: here('../../source/vault/keychain.ts').href,
	probe: here('../../source/vault/probe-keychain.ts').href,
	choose: here('../../source/vault/choose.ts').href,
	settings: here('../../source/config/settings.ts').href,
	paths: here('../../source/config/paths.ts').href,
}

const prelude = `
	import { execFileSync, spawn } from 'node:child_process'
	import { once } from 'node:events'
	const { openKeychain } = await import(${JSON.stringify(modules.keychain)})
	const { probeKeychain } = await import(${JSON.stringify(modules.probe)})
	const { openVault } = await import(${JSON.stringify(modules.choose)})
	const { loadSettings } = await import(${JSON.stringify(modules.settings)})
	const { resolveHome } = await import(${JSON.stringify(modules.paths)})
	const vault = openKeychain({ env: process.env, limitMs: 30_000 })
	const outcome = (promise) => promise.then((value) => value ?? null, (e) => e.code ?? String(e))
	const tell = (value) => process.stdout.write(JSON.stringify(value, (_, v) => v instanceof Uint8Array ? [...v] : v) + '\\n')
	const items = () => execFileSync('secret-tool', ['search', '--all', 'service', 'styrby-tui'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
`

/** Runs a script in a session with a Secret Service; returns what it told, a value a line. */
async function inSession(
	script: string,
	{ wrapper = ['sh', tool], env = {} }: { wrapper?: string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<unknown[]> {
	const [command = '', ...rest] = wrapper
	const args = [...rest, process.execPath, '--input-type=module', '-e', prelude + script]
	const { STYRBY_VAULT: _, ...usual } = process.env
	const { stdout } = await promisify(execFile)(command, args, { env: { ...usual, ...env } })
	return stdout.split('\n').flatMap((line) => (/^[[{"\dtfn]/.test(line) ? [JSON.parse(line)] : []))
}

describe.runIf(process.platform === 'linux')('the keychain', () => {
	it('keeps, replaces, gives back and forgets secrets', async () => {
		const told = await inSession(`
			tell(await vault.get('local:a:device'))
			await vault.set('local:a:device', Uint8Array.of(1, 2, 3))
			await vault.set('local:b:device', new Uint8Array(900).fill(255))
			tell(await vault.get('local:a:device'))
			await vault.set('local:a:device', Uint8Array.of(4))
			tell(await vault.get('local:a:device'))
			tell((await vault.get('local:b:device')).length)
			await vault.delete('local:a:device')
			await vault.delete('local:a:device')
			tell(await vault.get('local:a:device'))
			tell(vault.detail)`)
		expect(told).toEqual([null, [1, 2, 3], [4], 900, null, 'Secret Service'])
	})

	it('passes the probe, which leaves nothing behind, and is remembered', async () => {
		await using at = await temporaryHome()
		const told = await inSession(
			`
			const probe = await probeKeychain()
			tell([probe.backend, probe.error, probe.mend])
			tell(items())
			const home = resolveHome(process.env)
			const open = async () => openVault({ home, env: process.env, settings: await loadSettings(home), interactive: false })
			await (await open()).set('x:y', Uint8Array.of(5))
			tell((await loadSettings(home)).vault)
			const again = await open()
			tell([again.kind, await again.get('x:y')])
			const gone = { ...process.env, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent', STYRBY_PASSPHRASE_FILE: '/nonexistent' }
			const away = await openVault({ home, env: gone, settings: await loadSettings(home), interactive: false })
			tell(await outcome(away.get('x:y')))`,
			{ env: { STYRBY_HOME: at.root } },
		)
		expect(told).toEqual([
			['Secret Service', null, []],
			'',
			'keychain',
			['keychain', [5]],
			'keychain_unavailable',
		])
	})

	it('says that it is locked, at once and without a window', async () => {
		await using at = await temporaryHome()
		const told = await inSession(
			`
			tell((await probeKeychain()).error.code)
			tell(await outcome(vault.set('x:y', Uint8Array.of(1))))
			const home = resolveHome(process.env)
			const settings = await loadSettings(home)
			tell(await outcome(openVault({ home, env: process.env, settings, interactive: false })))`,
			{ wrapper: ['sh', tool, '--locked'], env: { STYRBY_HOME: at.root } },
		)
		expect(told).toEqual(['keychain_locked', 'keychain_locked', 'keychain_locked'])
	})

	it('never takes a secret that it can not show for one that is not there', async () => {
		const told = await inSession(`
			await vault.set('x:y', Uint8Array.of(1))
			execFileSync('dbus-send', ['--session', '--print-reply', '--dest=org.freedesktop.secrets',
				'/org/freedesktop/secrets', 'org.freedesktop.Secret.Service.Lock',
				'array:objpath:/org/freedesktop/secrets/collection/login'])
			tell(await outcome(vault.get('x:y')))
			tell(await outcome(vault.set('x:y', Uint8Array.of(2))))
			tell(await outcome(vault.delete('x:y')))`)
		expect(told).toEqual(['keychain_locked', 'keychain_locked', 'keychain_locked'])
	})

	it('is asked by one helper process, which goes when it is not needed or its parent is killed', async () => {
		const told = await inSession(`
			import { existsSync, readFileSync } from 'node:fs'
			import { setTimeout as sleep } from 'node:timers/promises'
			const helpers = (pid) => readFileSync('/proc/' + pid + '/task/' + pid + '/children', 'utf8').trim().split(' ').filter(Boolean)
			await Promise.all([vault.get('x:1'), vault.get('x:2')])
			await vault.get('x:3')
			tell(helpers(process.pid).length)
			while (helpers(process.pid).length > 0) await sleep(100)
			tell(await vault.get('x:4'))

			const script = \`
				const { openKeychain } = await import(${JSON.stringify(modules.keychain)})
				await openKeychain({ env: process.env, limitMs: 30_000 }).get('x:y')
				console.log('ready')
				if (process.argv[1] === 'stay') setInterval(() => {}, 1000)\`
			const start = (word) => spawn(process.execPath, ['--input-type=module', '-e', script, word], { stdio: ['ignore', 'pipe', 'inherit'] })
			const leaving = start('leave')
			tell((await once(leaving, 'exit'))[0])
			const staying = start('stay')
			await once(staying.stdout, 'data')
			const [helper] = helpers(staying.pid)
			staying.kill('SIGKILL')
			while (existsSync('/proc/' + helper) && !readFileSync('/proc/' + helper + '/stat', 'utf8').includes(') Z ')) await sleep(50)
			tell('gone')`)
		expect(told).toEqual([1, null, 0, 'gone'])
	})

	it('serves twelve processes at once', async () => {
		const told = await inSession(`
			const script = \`
				const { openKeychain } = await import(${JSON.stringify(modules.keychain)})
				const vault = openKeychain({ env: process.env, limitMs: 60_000 })
				const number = Number(process.argv[1])
				const fail = (why) => { console.error(number, why); process.exit(1) }
				await vault.set('own:' + number, Uint8Array.of(number))
				await vault.set('shared', Uint8Array.of(number)).catch((e) => e.message.includes('did not keep') || fail(e))
				if ((await vault.get('own:' + number))?.[0] !== number) fail('own secret is gone')
				const shared = (await vault.get('shared'))?.[0]
				if (!(shared >= 1 && shared <= 12)) fail('shared secret is ' + shared)
				if (number % 2) await vault.delete('own:' + number)\`
			const codes = await Promise.all(Array.from({ length: 12 }, async (_, n) => {
				const args = ['--input-type=module', '-e', script, String(n + 1)]
				const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
				return (await once(child, 'exit'))[0]
			}))
			tell(codes)
			const left = []
			for (let n = 1; n <= 12; n++) if (await vault.get('own:' + n)) left.push(n)
			tell(left)
			await vault.delete('shared')
			tell(await vault.get('shared'))`)
		expect(told).toEqual([Array.from({ length: 12 }, () => 0), [2, 4, 6, 8, 10, 12], null])
	})

	it('is named as lacking where the bus has no default collection', async () => {
		await using at = await temporaryHome()
		const folders = { HOME: at.root, XDG_DATA_HOME: at.root, XDG_RUNTIME_DIR: at.root }
		const told = await inSession(`tell((await probeKeychain()).error.message)`, {
			wrapper: ['dbus-run-session', '--'],
			env: folders,
		})
		expect(told).toEqual([expect.stringContaining('no default collection')])
	})

	it('is named as lacking where there is no bus', async () => {
		const { DBUS_SESSION_BUS_ADDRESS: _, XDG_RUNTIME_DIR: __, ...env } = process.env
		const { error } = await probeKeychain({ env })
		expect(error).toMatchObject({ code: 'keychain_unavailable', exitCode: 3 })
		expect(error?.message).toContain('there is no D-Bus session bus')
	})

	it('that never answers costs no more than the limit, leaves no process, and shows no secret', async () => {
		await using at = await temporaryHome()
		const path = join(at.root, 'bus')
		const silent = createServer()
		await new Promise<void>((resolve) => silent.listen(path, resolve))
		try {
			const env = {
				...process.env,
				DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}`,
				STYRBY_PASSPHRASE_FILE: '/some/where',
			}
			const secret = new Uint8Array(32).fill(0xa7)
			const setting = openKeychain({ env, limitMs: 1_500 }).set('x:y', secret)
			const result = setting.catch((error: unknown) => error)
			await sleep(700)
			const helpers = children()
			expect(helpers).toHaveLength(1)
			for (const pid of helpers) {
				const visible = ['cmdline', 'environ'].map((file) =>
					readFileSync(`/proc/${pid}/${file}`, 'latin1'),
				)
				expect(visible.join()).toContain('keychain-worker')
				expect(visible.join()).not.toContain(Buffer.from(secret).toString('base64').slice(0, 20))
				expect(visible.join()).not.toContain('STYRBY_')
			}
			expect(await result).toMatchObject({ code: 'keychain_locked', exitCode: 3 })
			for (const pid of helpers) expect(existsSync(`/proc/${pid}`)).toBe(false)
		} finally {
			silent.close()
		}
	})
})

function children(): string[] {
	const { pid } = process
	return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
}
