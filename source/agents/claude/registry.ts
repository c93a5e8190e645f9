/** The agent's own list of live sessions: whether it waits for a person just now. */
import { readdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'

const entrySchema = v.object({
	sessionId: v.string(),
	status: v.string(),
	/** How it was started: `cli` in its own interface, `sdk-…` without one. */
	entrypoint: v.optional(v.string(), 'cli'),
})
export type RegistryEntry = v.InferOutput<typeof entrySchema>

/** The folder where Claude Code keeps its things. */
export function configFolder(env: NodeJS.ProcessEnv): string {
	return env.CLAUDE_CONFIG_DIR ?? join(env.HOME ?? homedir(), '.claude')
}

/**
 * The entry of a session, by process, or by id where a wrapper started the agent. `null`: no such entry,
 * or this version keeps none. Only `<pid>.json` is read: files beside it hold secrets of the agent.
 */
export async function readRegistry(
	folder: string,
	pid: number | undefined,
	session: string | null,
): Promise<RegistryEntry | null> {
	const sessions = join(folder, 'sessions')
	const own = await readEntry(join(sessions, `${pid}.json`))
	if (own !== null || session === null) return own
	for (const name of await list(sessions)) {
		if (!/^\d+\.json$/.test(name)) continue
		const entry = await readEntry(join(sessions, name))
		if (entry?.sessionId === session) return entry
	}
	return null
}

async function readEntry(path: string): Promise<RegistryEntry | null> {
	try {
		const parsed = v.safeParse(entrySchema, JSON.parse(await readFile(path, 'utf8')))
		return parsed.success ? parsed.output : null
	} catch {
		// Not there, or just being written: the registry is a hint, and the next look will tell.
		return null
	}
}

async function list(folder: string): Promise<string[]> {
	try {
		return await readdir(folder)
	} catch {
		// No such folder in this version.
		return []
	}
}
