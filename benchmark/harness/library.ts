/** A home with history in it, brought in by the program itself. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { openProfile, type Profile, type VaultKind } from './profile.ts'
import { runProgram } from './program.ts'
import { writeTranscript } from './transcript.ts'

/** Messages of the sessions that the benchmarks read, newest activity first. */
export const sizes = { huge: 100_000, large: 10_000, small: 40, smallSessions: 40 }

export interface Library {
	profile: Profile
	/** Ids and last words of the two that are opened. */
	huge: LibrarySession
	large: LibrarySession
	/** How the import of the huge one went. */
	imported: { messages: number; bytes: number; ms: number }
}

export interface LibrarySession {
	id: string
	lastWords: string
}

const importedLine = v.object({ session: v.string(), messages: v.number() })

export async function makeLibrary(note: (text: string) => void): Promise<Library> {
	const profile = await openProfile()
	const hour = 3_600_000
	const now = Date.now()
	await fillWithSmall(profile, now - 10 * hour)
	note(`importing a session of ${sizes.large.toLocaleString('en')} messages`)
	const large = await importOne(profile, sizes.large, now - 2 * hour)
	note(`importing a session of ${sizes.huge.toLocaleString('en')} messages`)
	const huge = await importOne(profile, sizes.huge, now - hour)
	return { profile, huge, large, imported: huge }
}

/** Many short sessions, for a list that fills the screen. */
export async function fillWithSmall(profile: Profile, before: number): Promise<void> {
	const folder = join(profile.folder, 'small')
	await mkdir(folder)
	for (let index = 0; index < sizes.smallSessions; index++) {
		await writeTranscript({
			file: join(folder, `${index}.jsonl`),
			messages: sizes.small,
			seed: index,
			cwd: `/home/dev/project-${index}`,
			endsAt: before - index * 60_000,
			lastWords: `The end of session ${index}.`,
		})
	}
	runProgram(['import', folder], profile.env)
}

/** A home with a list of sessions, and keys where they are wanted. */
export async function smallLibrary(vault: VaultKind, env?: NodeJS.ProcessEnv): Promise<Profile> {
	const profile = await openProfile(vault, env)
	await fillWithSmall(profile, Date.now())
	return profile
}

async function importOne(profile: Profile, messages: number, endsAt: number) {
	const file = join(profile.folder, `${messages}.jsonl`)
	const lastWords = `Last of ${messages}.`
	const cwd = `/home/dev/of-${messages}`
	const bytes = await writeTranscript({ file, messages, seed: messages, cwd, endsAt, lastWords })
	const { stdout, ms } = runProgram(['import', file, '--json'], profile.env)
	const line = v.parse(importedLine, JSON.parse(stdout.trim().split('\n')[0] ?? ''))
	if (line.messages !== messages) throw new Error(`${line.messages} of ${messages} were imported`)
	return { id: line.session, lastWords, messages, bytes, ms }
}
