/**
 * Calls of hooks, as the script lays them into a folder: `<agent>.<pid>.<pid of the call>.tell` or `.ask`,
 * and for the latter a named pipe `….answer`. The folder is the user's alone (mode 0700), so that nobody
 * else can call, read a call, or answer one.
 */
import { constants, type FSWatcher, watch } from 'node:fs'
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HookedCall } from '../../agents/hooked.ts'
import { systemCode } from '../../config/home-error.ts'
import { isAlive } from '../../config/is-alive.ts'
import { ensureFolder } from '../../config/paths.ts'

export type OnCall = (agent: string, call: HookedCall) => void

const maxBodyBytes = 32 * 1024 * 1024
/** Should the system not tell of a new file, it is seen when the folder is looked at again, ms. */
const lookEvery = 1000
/** How often to look whether a waiting call was given up, ms. */
const hangUpEvery = 50
/** The call opens its end of the pipe right after it was laid down; how long that may take, ms. */
const openLimit = 5000

const nothing: Pick<HookedCall, 'respond' | 'onHangUp'> = {
	respond: async () => true,
	onHangUp() {},
}

export class HookCalls implements AsyncDisposable {
	readonly #folder: string
	readonly #onCall: OnCall
	readonly #open = new Set<PipeCall>()
	#watcher: FSWatcher | null = null
	#timer: NodeJS.Timeout | undefined
	#looking: Promise<void> | null = null
	#again = false
	#closed = false

	private constructor(folder: string, onCall: OnCall) {
		this.#folder = folder
		this.#onCall = onCall
	}

	/** Takes calls from now on, and those that a host before left. Throws as `ensureFolder` does. */
	static async start(folder: string, onCall: OnCall): Promise<HookCalls> {
		await ensureFolder(folder)
		const calls = new HookCalls(folder, onCall)
		calls.#watcher = watch(folder, { persistent: false }, () => void calls.look())
		// A folder that can't be watched any more is still looked at.
		calls.#watcher.on('error', () => calls.#watcher?.close())
		calls.#timer = setInterval(() => void calls.look(), lookEvery)
		await calls.look()
		return calls
	}

	/** Takes what lies there. One look at a time; another one follows where it was asked for meanwhile. */
	look(): Promise<void> {
		this.#again = true
		this.#looking ??= (async () => {
			while (this.#again && !this.#closed) {
				this.#again = false
				await this.#takeAll()
			}
		})().finally(() => {
			this.#looking = null
		})
		return this.#looking
	}

	async #takeAll(): Promise<void> {
		const found: { name: string; agent: string; pid: number; caller: number; at: number }[] = []
		const names = await this.#names()
		for (const name of names) {
			const parts = /^([a-z]+)\.(\d+)\.(\d+)\.(tell|ask|new|answer)$/.exec(name)
			if (parts === null) continue
			const [, agent = '', pid, caller, kind] = parts
			const one = { name, agent, pid: Number(pid), caller: Number(caller), at: 0 }
			if (kind === 'tell' || kind === 'ask') found.push(one)
			// What a call that was ended has left.
			else if (!isAlive(one.caller)) await takeAway(join(this.#folder, name))
			// The host that took this call died before it opened the pipe: whoever waits there is let go.
			else if (kind === 'answer' && (await this.#orphaned(name, names))) {
				await this.#ask(agent, { ...one, body: null })
			}
		}
		const read = await Promise.all(
			found.map(async (one) => ({ ...one, ...(await this.#read(one)) })),
		)
		// The order of the calls of an agent is the order in which they were written.
		read.sort((a, b) => a.at - b.at)
		for (const { name, agent, pid, caller, at, body } of read) {
			await takeAway(join(this.#folder, name))
			if (name.endsWith('.tell')) {
				if (body !== null) this.#onCall(agent, { body, pid, at, ...nothing })
			} else void this.#ask(agent, { pid, caller, at, body })
		}
	}

	/** A folder that was taken away is made again: the script finds none, and lets its agent go on. */
	async #names(): Promise<string[]> {
		try {
			return await readdir(this.#folder)
		} catch {
			await ensureFolder(this.#folder).catch(() => undefined)
			return []
		}
	}

	async #orphaned(name: string, names: readonly string[]): Promise<boolean> {
		const call = name.replace(/\.answer$/, '')
		if (names.includes(`${call}.ask`) || names.includes(`${call}.new`)) return false
		const there = await stat(join(this.#folder, name)).catch(() => null)
		return there !== null && Date.now() - there.mtimeMs > openLimit
	}

	/** `body`: `null` for what is too long, or no file. */
	async #read({ name }: { name: string }): Promise<{ body: string | null; at: number }> {
		try {
			const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
			await using file = await open(join(this.#folder, name), flags)
			const about = await file.stat()
			const { size, mtimeMs } = about
			if (!about.isFile() || size > maxBodyBytes) return { body: null, at: mtimeMs }
			return { body: await file.readFile('utf8'), at: mtimeMs }
		} catch {
			// Gone again, or none of the script's doing: a call that can't be read is no call.
			return { body: null, at: 0 }
		}
	}

	async #ask(
		agent: string,
		{ pid, caller, at, body }: { pid: number; caller: number; at: number; body: string | null },
	): Promise<void> {
		const pipe = await openPipe(join(this.#folder, `${agent}.${pid}.${caller}.answer`), caller)
		if (pipe === null) return
		if (body === null || this.#closed) return void (await pipe.close())
		const call = new PipeCall({ body, pid, at, caller, pipe }, () => this.#open.delete(call))
		this.#open.add(call)
		this.#onCall(agent, call)
	}

	/** Lets go of all that wait: the agents' own prompts stay. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#closed = true
		this.#watcher?.close()
		clearInterval(this.#timer)
		await this.#looking
		await Promise.all([...this.#open].map((call) => call.respond('')))
	}
}

/** Even what the script would not have made: a folder must not keep the other calls waiting. */
function takeAway(path: string): Promise<void> {
	return rm(path, { force: true, recursive: true })
}

/** Opens our end of the pipe as soon as the call has its own, and takes its name away. */
async function openPipe(path: string, caller: number): Promise<FileHandle | null> {
	const until = Date.now() + openLimit
	const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW
	try {
		for (;;) {
			try {
				return await open(path, flags)
			} catch (error) {
				// Nobody reads there yet.
				if (systemCode(error) !== 'ENXIO' || !isAlive(caller) || Date.now() > until) return null
			}
			await sleep(2)
		}
	} finally {
		await takeAway(path)
	}
}

interface Waiting {
	body: string
	pid: number
	at: number
	caller: number
	pipe: FileHandle
}

/** A call whose script waits at its pipe. When this process dies, the script reads an end, and nothing. */
class PipeCall implements HookedCall {
	readonly body: string
	readonly pid: number
	readonly at: number
	readonly #caller: number
	readonly #pipe: FileHandle
	readonly #onClosed: () => void
	readonly #watch: NodeJS.Timeout
	readonly #hungUp = Promise.withResolvers<void>()
	#done = false

	constructor({ body, pid, at, caller, pipe }: Waiting, onClosed: () => void) {
		this.body = body
		this.pid = pid
		this.at = at
		this.#caller = caller
		this.#pipe = pipe
		this.#onClosed = onClosed
		this.#watch = setInterval(() => {
			if (!isAlive(caller)) void this.#giveUp()
		}, hangUpEvery)
	}

	async respond(text: string): Promise<boolean> {
		if (this.#done) return false
		if (!isAlive(this.#caller)) {
			await this.#giveUp()
			return false
		}
		this.#done = true
		try {
			await this.#write(Buffer.from(text))
			return true
		} catch {
			// The reader has gone: half an answer is none, and the agent shows its own prompt.
			return false
		} finally {
			await this.#close()
		}
	}

	onHangUp(listener: () => void): void {
		void this.#hungUp.promise.then(listener)
	}

	async #giveUp(): Promise<void> {
		if (this.#done) return
		this.#done = true
		await this.#close()
		this.#hungUp.resolve()
	}

	async #write(bytes: Buffer): Promise<void> {
		let written = 0
		while (written < bytes.length) {
			try {
				written += (await this.#pipe.write(bytes, written)).bytesWritten
			} catch (error) {
				// The pipe is full: its reader takes what is there first.
				if (systemCode(error) !== 'EAGAIN' || !isAlive(this.#caller)) throw error
				await sleep(2)
			}
		}
	}

	async #close(): Promise<void> {
		clearInterval(this.#watch)
		await this.#pipe.close()
		this.#onClosed()
	}
}
