/** A network of its own with one cable to this machine: as another computer has it. Needs root and iproute2. */
import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { userInfo } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ip = (...args: string[]) => run('ip', args)

/** Whether one can be made here. In CI it has to be. */
export async function hasNamespaces(): Promise<boolean> {
	if (process.env.CI === 'true') return true
	if (process.platform !== 'linux' || userInfo().uid !== 0) return false
	const name = `styrby-${process.pid}-probe`
	try {
		await ip('netns', 'add', name)
		await ip('netns', 'del', name)
		return true
	} catch {
		return false
	}
}

export class NetworkNamespace implements AsyncDisposable {
	readonly name: string
	/** Address of this machine, and of the other, on the cable between them. */
	readonly here: string
	readonly there: string
	readonly #cable: string

	private constructor() {
		const id = `${process.pid}-${randomInt(1000)}`
		this.name = `styrby-${id}`
		// At most 15 characters.
		this.#cable = `sty${id}`
		// Of the range that is set aside for tests of networks.
		const net = `198.18.${randomInt(256)}.${randomInt(64) * 4}`
		const [, front = '', last = '0'] = /^(.*\.)(\d+)$/.exec(net) ?? []
		this.here = `${front}${Number(last) + 1}`
		this.there = `${front}${Number(last) + 2}`
	}

	static async make(): Promise<NetworkNamespace> {
		const made = new NetworkNamespace()
		try {
			await made.#build()
			return made
		} catch (error) {
			await made[Symbol.asyncDispose]()
			throw error
		}
	}

	async #build(): Promise<void> {
		const { name } = this
		await ip('netns', 'add', name)
		await ip('link', 'add', this.#cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
		await ip('addr', 'add', `${this.here}/30`, 'dev', this.#cable)
		await ip('link', 'set', this.#cable, 'up')
		await ip('-n', name, 'addr', 'add', `${this.there}/30`, 'dev', 'eth0')
		await ip('-n', name, 'link', 'set', 'eth0', 'up')
		await ip('-n', name, 'link', 'set', 'lo', 'up')
	}

	/** What runs a program there, before its own words. */
	get via(): readonly string[] {
		return ['ip', 'netns', 'exec', this.name]
	}

	/** Takes the cable out, or puts it back. */
	async plug(state: 'in' | 'out'): Promise<void> {
		await ip('link', 'set', this.#cable, state === 'in' ? 'up' : 'down')
	}

	async [Symbol.asyncDispose](): Promise<void> {
		// The cable goes with either of its ends; which of them is left depends on how far it came.
		await ip('link', 'del', this.#cable).catch(() => undefined)
		await ip('netns', 'del', this.name).catch(() => undefined)
	}
}
