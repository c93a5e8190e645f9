import { stat } from 'node:fs/promises'
import type { ImportedSession } from '../agents/agent.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { agentNames } from '../protocol/events.ts'

export type ReadHistory = (path: string) => AsyncIterable<ImportedSession>

interface HistoryReader {
	recognises(file: string): Promise<boolean>
	read: ReadHistory
}

const readers: ReadonlyMap<string, () => Promise<HistoryReader>> = new Map([
	[
		'aider',
		async () => {
			const { isAiderHistory, readHistory } = await import('../agents/aider/import.ts')
			return { recognises: isAiderHistory, read: readHistory }
		},
	],
	[
		'claude',
		async () => {
			const { isClaudeTranscript, readHistory } = await import('../agents/claude/index.ts')
			return { recognises: isClaudeTranscript, read: readHistory }
		},
	],
	[
		'codex',
		async () => {
			const { isCodexRollout, readHistory } = await import('../agents/codex/import.ts')
			return { recognises: isCodexRollout, read: readHistory }
		},
	],
	[
		'gemini',
		async () => {
			const { isGeminiChat, readHistory } = await import('../agents/gemini/import.ts')
			return { recognises: isGeminiChat, read: readHistory }
		},
	],
	[
		'opencode',
		async () => {
			const { isOpencodeHistory, readHistory } = await import('../agents/opencode/index.ts')
			return { recognises: isOpencodeHistory, read: readHistory }
		},
	],
])

/**
 * How to read the history at `path`: by the agent's name, or by the content of the file. A folder is
 * searched for all that is known. Throws `import_not_found`, `import_not_recognised`,
 * `agent_not_supported`.
 */
export async function loadHistoryReader(
	path: string,
	agent: string | undefined,
): Promise<ReadHistory> {
	const isFolder = await folderAt(path)
	if (agent !== undefined) {
		const load = readers.get(agent)
		if (load) return (await load()).read
		const known = agentNames.some((name) => name === agent)
		throw new StyrbyError(
			known ? 'agent_not_supported' : 'agent_unknown',
			`This version imports the history of ${[...readers.keys()].join(', ')} only.`,
			{ exitCode: exit.usage },
		)
	}
	const all = await Promise.all([...readers.values()].map((load) => load()))
	if (isFolder) {
		return async function* (folder) {
			for (const { read } of all) yield* read(folder)
		}
	}
	for (const { recognises, read } of all) if (await recognises(path)) return read
	throw new StyrbyError(
		'import_not_recognised',
		`${path} is not the history of an agent that is known here: give a transcript, or the folder with them.`,
	)
}

async function folderAt(path: string): Promise<boolean> {
	try {
		return (await stat(path)).isDirectory()
	} catch (cause) {
		const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
		throw new StyrbyError(
			missing ? 'import_not_found' : 'import_unreadable',
			missing
				? `There is no file or folder ${path} to import: check its name.`
				: `${path} can not be read: check who may read it.`,
			{ cause },
		)
	}
}
