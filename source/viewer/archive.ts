/**
 * Sessions that a person has put out of sight, on this machine alone: nothing of it is told to the server
 * or to other devices, and nothing of the sessions changes. One small file a home, with ids only.
 */
import { join } from 'node:path'
import * as v from 'valibot'
import { withLock } from '../config/lock.ts'
import { readState, writeState } from '../config/state.ts'
import { StyrbyError } from '../protocol/errors.ts'
import { uuid, version } from '../protocol/json.ts'
import { Value } from './readable.ts'
import type { Readable } from './viewer.ts'

export interface Archive {
	/** Ids of the sessions that are archived. */
	readonly archived: Readable<ReadonlySet<string>>
	/** Archives sessions, or takes them back. Throws `state_corrupt`, and what writing a file may throw. */
	change(sessions: readonly string[], archived: boolean): Promise<void>
}

/** For throw-away profiles. */
export function archiveInMemory(): Archive {
	const archived = new Value<ReadonlySet<string>>(new Set())
	return {
		archived,
		async change(sessions, put) {
			archived.update((before) => changed(before, sessions, put))
		},
	}
}

/** Sessions of all accounts that may be archived: the file stays within what is read. */
const most = 200_000

const schema = v.object({
	v: version,
	/** By account. */
	accounts: v.record(uuid, v.pipe(v.array(uuid), v.maxLength(most))),
})

export interface ArchiveFileOptions {
	/** The folders of the home: what must not be lost, and what belongs to running processes. */
	data: string
	run: string
	account: string
}

/** Several processes may change it at once: each change is made to what the file says then. */
export class ArchiveFile implements Archive {
	readonly archived = new Value<ReadonlySet<string>>(new Set())
	readonly #options: ArchiveFileOptions

	/** Empty until `load`, so that nothing is hidden when the file can't be read. */
	constructor(options: ArchiveFileOptions) {
		this.#options = options
	}

	/** Reads the file. Throws as `readState` does. */
	async load(): Promise<void> {
		const accounts = await this.#read()
		this.archived.set(new Set(accounts[this.#options.account]))
	}

	async change(sessions: readonly string[], put: boolean): Promise<void> {
		const { run, account } = this.#options
		await withLock(run, 'archived', async () => {
			const accounts = await this.#read()
			const after = changed(new Set(accounts[account]), sessions, put)
			if (after.size > most) throw tooMany()
			const next = { ...accounts, [account]: [...after] }
			await writeState(this.#file, schema, { v: 1, accounts: next })
			this.archived.set(after)
		})
	}

	get #file(): string {
		return join(this.#options.data, 'archived.json')
	}

	async #read(): Promise<Record<string, string[]>> {
		return (await readState(this.#file, schema))?.accounts ?? {}
	}
}

function changed(
	before: ReadonlySet<string>,
	sessions: readonly string[],
	put: boolean,
): ReadonlySet<string> {
	const after = new Set(before)
	for (const id of sessions) {
		if (put) after.add(id)
		else after.delete(id)
	}
	return after
}

function tooMany(): StyrbyError {
	return new StyrbyError(
		'archive_full',
		`No more than ${most} sessions can be archived: take some back first.`,
	)
}
