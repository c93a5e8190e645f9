/** Several homes, signed in to one account on one backend whose database is in the hands of the test. */
import type * as v from 'valibot'
import type { Started } from '../../tools/lab.ts'
import { until } from '../../tools/lab.ts'
import { MailingBackend } from '../../tools/mailing-backend.ts'
import { type Serving, serve } from '../../tools/serving.ts'
import { linesOf, Program } from '../_program.ts'
import * as shapes from '../_shapes.ts'

const email = 'heron@example.test'
const password = 'a long password'

export class Homes implements AsyncDisposable {
	readonly serving: Serving
	readonly account: string
	readonly #machine: Program
	readonly #mailing: MailingBackend
	readonly #homes: Program[] = []

	private constructor(
		machine: Program,
		serving: Serving,
		mailing: MailingBackend,
		account: string,
	) {
		this.#machine = machine
		this.serving = serving
		this.#mailing = mailing
		this.account = account
	}

	static async make(): Promise<Homes> {
		const machine = await Program.make()
		const serving = await serve(machine.home)
		const mailing = await MailingBackend.start(serving.backend)
		return new Homes(machine, serving, mailing, await mailing.signUp(email, password))
	}

	/** What a home of any kind signs in with; the password is asked for. */
	get login(): { args: string[]; password: string } {
		const { url, anonKey } = this.#mailing
		return { args: ['login', '--url', url, '--anon-key', anonKey, '--email', email], password }
	}

	/** A new home, signed in; no device of the account yet, but for the first one that does anything. */
	async signedIn(): Promise<Program> {
		const home = await Program.make()
		this.#homes.push(home)
		await this.signIn(home)
		return home
	}

	/** Signs a home in; also one whose sign-in has ended. */
	async signIn(home: Program): Promise<void> {
		const { args, password } = this.login
		const { code, stderr } = await home.here(args, {}, `${password}\n`)
		if (code !== 0) throw new Error(stderr)
	}

	/** The first device of the account. */
	async first(name: string): Promise<Program> {
		const home = await this.signedIn()
		const [own] = (await home.json(shapes.devices, ['devices'])).devices
		await home.json(shapes.devicesRename, ['devices', 'rename', own?.id ?? '', name])
		return home
	}

	/** One more device, let in by `by`. */
	async paired(name: string, by: Program): Promise<Program> {
		const home = await this.signedIn()
		await using asking = await ask(home, ['--name', name])
		await by.json(shapes.devicesApprove, ['devices', 'approve', asking.code, '--yes'])
		const { code, stderr } = await asking.started.done
		if (code !== 0) throw new Error(stderr)
		return home
	}

	/** Runs SQL as the one who holds the server. */
	async sql(text: string, values: readonly string[] = []): Promise<void> {
		await this.serving.backend.engine.query(text, [...values])
	}

	/** The same, for what it gives. */
	async query(text: string, values: readonly string[]): Promise<Record<string, unknown>[]> {
		return [...(await this.serving.backend.engine.query(text, values))]
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const home of this.#homes) await home[Symbol.asyncDispose]()
		await this.#mailing[Symbol.asyncDispose]()
		await this.serving[Symbol.asyncDispose]()
		await this.#machine[Symbol.asyncDispose]()
	}
}

export interface Asking extends AsyncDisposable {
	started: Started
	code: string
	fingerprint: string
}

/** `devices add` in a home, waiting to be approved. */
export async function ask(home: Program, args: readonly string[] = []): Promise<Asking> {
	const started = home.start(['devices', 'add', '--json', ...args])
	await until(() => started.stdout.includes('\n') || started.result, started)
	const [line] = started.stdout.split('\n')
	const [begun] = linesOf(shapes.devicesAddBegun, `${line}\n`)
	if (!begun) throw new Error(started.stderr)
	const { code, fingerprint } = begun
	return { started, code, fingerprint, [Symbol.asyncDispose]: () => started[Symbol.asyncDispose]() }
}

/** How a command fails: its exit code, and the code and sentence of its error. */
export async function refusal(home: Program, args: readonly string[], input = '') {
	const { code, stderr, stdout } = await home.here([...args, '--json'], {}, input)
	const [report] = linesOf(shapes.failure, stderr)
	return { exitCode: code, code: report?.error.code, message: report?.error.message ?? '', stdout }
}

/** The one JSON document that a command printed, whatever it ended with. */
export function printed<T extends v.GenericSchema>(schema: T, stdout: string): v.InferOutput<T> {
	const [only, ...more] = linesOf(schema, stdout)
	if (only === undefined || more.length > 0) throw new Error(`not one document: ${stdout}`)
	return only
}
