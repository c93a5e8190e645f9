/** A home of its own for the built program, and the program run in it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stopEmbedded } from '../../source/server/discover.ts'
import { deriveKey, encodeKeyFile, type Kdf } from '../../source/vault/key-file-format.ts'
import { mainHere } from './main-here.ts'

export const program = fileURLToPath(new URL('../../bin/styrby-tui.js', import.meta.url))

export interface Ran {
	code: number | null
	stdout: string
	stderr: string
}

export interface TestHome extends AsyncDisposable {
	/** Holds the home and whatever else a test puts beside it. */
	folder: string
	home: string
	data: string
	run: string
	env: NodeJS.ProcessEnv
	/** Runs the program to its end, without a terminal. */
	cli(args: readonly string[], options?: CliOptions): Promise<Ran>
	/** The same commands in this process, which costs far less than a start. */
	here(args: readonly string[]): Promise<Ran>
	/** Starts it; the test ends it. */
	start(args: readonly string[], options?: CliOptions): ChildProcess
}

export interface CliOptions {
	cwd?: string
	env?: NodeJS.ProcessEnv
	timeoutMs?: number
}

export const passphrase = 'correct horse battery staple'

const keyFiles = new Map<string, Promise<string>>()

/** A key file that holds nothing yet, as cheap to unlock as one may be: tests start many programs. */
export async function layKeyFile(data: string, phrase = passphrase): Promise<void> {
	const made = keyFiles.get(phrase) ?? emptyKeyFile(phrase)
	keyFiles.set(phrase, made)
	const text = await made
	await mkdir(data, { recursive: true, mode: 0o700 })
	await writeFile(join(data, 'key-file.json'), text, { mode: 0o600 })
}

async function emptyKeyFile(phrase: string): Promise<string> {
	const random = (size: number) => new Uint8Array(randomBytes(size))
	const kdf: Kdf = { n: 2 ** 15, r: 8, p: 1, salt: random(16) }
	return encodeKeyFile(new Map(), await deriveKey(phrase, kdf), kdf, random)
}

/** A new home whose keys lie in a key file. */
export async function makeHome(): Promise<TestHome> {
	const folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	const home = join(folder, 'home')
	const secret = join(folder, 'passphrase')
	await writeFile(secret, `${passphrase}\n`, { mode: 0o600 })
	const env: NodeJS.ProcessEnv = {
		...process.env,
		STYRBY_HOME: home,
		STYRBY_VAULT: 'file',
		STYRBY_PASSPHRASE_FILE: secret,
		NO_COLOR: '1',
	}
	delete env.CI
	delete env.FORCE_COLOR
	const start = (args: readonly string[], options: CliOptions = {}) =>
		spawn(process.execPath, [program, ...args], {
			cwd: options.cwd ?? folder,
			env: { ...env, ...options.env },
			stdio: ['ignore', 'pipe', 'pipe'],
		})
	const data = join(home, 'data')
	const run = join(home, 'run')
	await layKeyFile(data)
	return {
		folder,
		home,
		data,
		run,
		env,
		start,
		here: (args) => mainHere(args, env, folder),
		cli: (args, options = {}) => finished(start(args, options), options.timeoutMs ?? 60_000),
		async [Symbol.asyncDispose]() {
			await stopEmbedded({ data, run })
			await rm(folder, { recursive: true, force: true })
		},
	}
}

/** What a started program says until it ends; it is killed, and this rejects, after `timeoutMs`. */
export function finished(child: ChildProcess, timeoutMs: number): Promise<Ran> {
	return new Promise((resolve, reject) => {
		const out: Buffer[] = []
		const err: Buffer[] = []
		child.stdout?.on('data', (data: Buffer) => out.push(data))
		child.stderr?.on('data', (data: Buffer) => err.push(data))
		const text = () => ({
			stdout: Buffer.concat(out).toString(),
			stderr: Buffer.concat(err).toString(),
		})
		const timer = setTimeout(() => {
			child.kill('SIGKILL')
			reject(new Error(`still running after ${timeoutMs} ms: ${JSON.stringify(text())}`))
		}, timeoutMs)
		child.once('error', reject)
		child.once('close', (code) => {
			clearTimeout(timer)
			resolve({ code, ...text() })
		})
	})
}
