/** Questions about the vault, asked in a real terminal. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { spawn } from '@lydell/node-pty'
import { describe, expect, it } from 'vitest'
import { keyFilePath, openKeyFile } from '../../source/vault/key-file.ts'
import { temporaryHome } from '../config/temporary-home.ts'

const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
const good = 'a good pässphrase'

const script = `
	const { openVault } = await import(${url('../../source/vault/choose.ts')})
	const { loadSettings } = await import(${url('../../source/config/settings.ts')})
	const { resolveHome } = await import(${url('../../source/config/paths.ts')})
	const home = resolveHome(process.env)
	try {
		const vault = await openVault({ home, env: process.env, settings: await loadSettings(home), interactive: true })
		const before = await vault.get('x:y')
		await vault.set('x:y', Uint8Array.of((before?.[0] ?? 0) + 1))
		console.log('[kept ' + (await vault.get('x:y')) + ']')
	} catch (error) {
		console.log('[' + error.code + ' ' + error.exitCode + ']')
	}
	console.log('[raw ' + process.stdin.isRaw + ']')`

/** Runs the script in a terminal; `answers` are typed, each when its question is on the screen. */
async function inTerminal(root: string, answers: [question: string, typed: string][]) {
	const terminal = spawn(process.execPath, ['--input-type=module', '-e', script], {
		cols: 120,
		rows: 24,
		cwd: root,
		env: {
			PATH: process.env.PATH ?? '',
			HOME: root,
			STYRBY_HOME: root,
			DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(root, 'no-bus')}`,
		},
	})
	let screen = ''
	let seen = 0
	const waiting = [...answers]
	terminal.onData((data) => {
		screen += data
		const [next] = waiting
		const at = next ? screen.indexOf(next[0], seen) : -1
		if (!next || at < 0) return
		seen = at + next[0].length
		waiting.shift()
		terminal.write(next[1])
	})
	await new Promise<void>((resolve) => terminal.onExit(() => resolve()))
	expect(waiting).toEqual([])
	return screen
}

async function secretIn(root: string): Promise<Uint8Array | null> {
	const passphrase = async () => ({ attempts: 1, ask: async () => good })
	const path = keyFilePath({ config: '', data: join(root, 'data'), run: '', log: '', cache: '' })
	return openKeyFile({ path, passphrase }).get('x:y')
}

describe.runIf(process.platform === 'linux')('in a terminal without a keychain', () => {
	it('a person agrees to a key file, chooses a passphrase, and is asked for it next time', async () => {
		await using at = await temporaryHome()
		const first = await inTerminal(at.root, [
			['instead? [Y/n] ', 'maybe\r'],
			['instead? [Y/n] ', 'y\r'],
			['New passphrase: ', 'short\r'],
			['New passphrase: ', `${good}\r`],
			['Once more: ', 'another one\r'],
			['New passphrase: ', `x\u0015${good}\r`],
			['Once more: ', `${good}!\u007f\r`],
		])
		expect(first).toContain('does not work here')
		expect(first).toContain('needs at least 8 characters')
		expect(first).toContain('The two differ.')
		expect(first).toContain('[kept 1]')
		expect(first).toContain('[raw false]')
		expect(JSON.parse(await readFile(join(at.root, 'config', 'config.json'), 'utf8'))).toEqual({
			vault: 'file',
		})

		const second = await inTerminal(at.root, [
			['Passphrase of the key file: ', 'a wrong one\r'],
			['Passphrase of the key file: ', `${good}\r`],
		])
		expect(second).toContain('That passphrase is wrong.')
		expect(second).toContain('[kept 2]')
		expect(await secretIn(at.root)).toEqual(Uint8Array.of(2))
		for (const screen of [first, second]) {
			for (const typed of [good, 'short\r', 'another one', 'a wrong one']) {
				expect(screen).not.toContain(typed)
			}
		}
	})

	it('what is typed ahead answers the next question', async () => {
		await using at = await temporaryHome()
		await writeFile(join(at.root, 'marker'), '')
		const screen = await inTerminal(at.root, [['instead? [Y/n] ', `\r${good}\r${good}\r`]])
		expect(screen).toContain('[kept 1]')
	})

	it('a person who declines gets the reason, and one who leaves is not kept', async () => {
		await using at = await temporaryHome()
		expect(await inTerminal(at.root, [['[Y/n] ', 'no\r']])).toContain('[keychain_unavailable 3]')
		const left = await inTerminal(at.root, [
			['[Y/n] ', '\r'],
			['New passphrase: ', 'abc\u0003'],
		])
		expect(left).toContain('[interrupted 130]')
		expect(left).toContain('[raw false]')
		await expect(readFile(join(at.root, 'config', 'config.json'))).rejects.toThrow()
	})

	it('three wrong passphrases are enough', async () => {
		await using at = await temporaryHome()
		await inTerminal(at.root, [['[Y/n] ', `\r${good}\r${good}\r`]])
		const question = 'Passphrase of the key file: '
		const screen = await inTerminal(at.root, [
			[question, 'one\r'],
			[question, 'two\r'],
			[question, 'three\r'],
		])
		expect(screen).toContain('[wrong_passphrase 3]')
		expect(await secretIn(at.root)).toEqual(Uint8Array.of(1))
	})
})
