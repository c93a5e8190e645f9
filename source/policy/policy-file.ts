/**
 * The policy of this machine: `policy.jsonc` among the settings. It is read again whenever it is needed, so
 * that what holds is what the file says now; one that others could have written counts for nothing.
 */
import {
	closeSync,
	constants,
	fstatSync,
	lstatSync,
	openSync,
	readSync,
	realpathSync,
	type Stats,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { systemCode } from '../config/home-error.ts'
import type { Home } from '../config/paths.ts'
import { type ParsedPolicy, type Policy, type PolicyProblem, parsePolicy } from './policy.ts'

export type PolicyState =
	| { kind: 'none'; file: string }
	| { kind: 'in_force'; file: string; policy: Policy }
	/** Nothing of it counts, and everything is asked. `problem`: one sentence. */
	| { kind: 'refused'; file: string; problem: string; problems: readonly PolicyProblem[] }

const maxBytes = 256 * 1024

export function policyFile(home: Home): string {
	return join(home.config, 'policy.jsonc')
}

export class PolicyFile {
	readonly file: string
	#last: { bytes: Buffer; parsed: ParsedPolicy } | null = null

	constructor(file: string) {
		this.file = file
	}

	/** What the file says now. Never throws. */
	read(): PolicyState {
		const { file } = this
		const refused = (problem: string, problems: readonly PolicyProblem[] = []) =>
			({ kind: 'refused', file, problem, problems }) as const
		let bytes: Buffer | null
		try {
			bytes = readTrusted(file)
		} catch (error) {
			return refused(error instanceof Distrusted ? error.message : unreadable(file, error))
		}
		if (!bytes) return { kind: 'none', file }
		if (!this.#last?.bytes.equals(bytes)) this.#last = { bytes, parsed: parsePolicy(bytes) }
		const { parsed } = this.#last
		if (parsed.ok) return { kind: 'in_force', file, policy: parsed.policy }
		const [first] = parsed.problems
		const where = first ? `line ${first.line}: ${first.problem}` : 'it can not be read'
		return refused(`${file} is no policy (${where}): correct it.`, parsed.problems)
	}
}

/** Why a file is not believed: one sentence. */
class Distrusted extends Error {}

function unreadable(file: string, error: unknown): string {
	const code = systemCode(error)
	if (code === 'ELOOP') return notRegular(file)
	return `${file} can not be read (${code || 'unknown error'}): see to it that you may read it.`
}

const notRegular = (file: string) =>
	`${file} is a link or no ordinary file: put the file itself there.`

/** The bytes, or `null` where there is no file. Throws `Distrusted`, or what the system says. */
function readTrusted(file: string): Buffer | null {
	let descriptor: number
	try {
		const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
		descriptor = openSync(file, flags)
	} catch (error) {
		if (systemCode(error) === 'ENOENT') return null
		throw error
	}
	try {
		const about = fstatSync(descriptor)
		if (!about.isFile()) throw new Distrusted(notRegular(file))
		checkOwner(file, about)
		checkFolders(dirname(file))
		if (about.size > maxBytes) {
			throw new Distrusted(`${file} is larger than ${maxBytes / 1024} KB: make it shorter.`)
		}
		const buffer = Buffer.alloc(maxBytes + 1)
		let size = 0
		for (let read = 1; read > 0 && size < buffer.length; size += read) {
			read = readSync(descriptor, buffer, size, buffer.length - size, null)
		}
		if (size > maxBytes) throw new Distrusted(`${file} grows while it is read: make it shorter.`)
		return Buffer.from(buffer.subarray(0, size))
	} finally {
		closeSync(descriptor)
	}
}

function checkOwner(file: string, { uid, mode }: Stats): void {
	// Windows keeps its users' folders apart by other means.
	if (!process.getuid) return
	if (uid !== process.getuid()) {
		throw new Distrusted(`${file} belongs to another user: a policy has to be your own.`)
	}
	if ((mode & 0o022) !== 0) {
		throw new Distrusted(`${file} can be changed by other users: run chmod 600 on it.`)
	}
}

/** Who may rename in one of the folders above could put another file in its place. */
function checkFolders(folder: string): void {
	if (!process.getuid) return
	const own = process.getuid()
	let path = realpathSync.native(folder)
	for (let first = true; ; first = false) {
		const { uid, mode } = lstatSync(path)
		if (uid !== own && (uid !== 0 || first)) {
			throw new Distrusted(`${path}, where the policy lies, belongs to another user.`)
		}
		const sticky = (mode & 0o1000) !== 0
		if ((mode & (first ? 0o022 : 0o002)) !== 0 && !(sticky && !first)) {
			throw new Distrusted(
				`${path}, where the policy lies, can be changed by other users: run chmod go-w on it.`,
			)
		}
		const above = dirname(path)
		if (above === path) return
		path = above
	}
}
