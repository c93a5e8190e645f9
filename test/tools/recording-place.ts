/** Where a recorder writes and what it runs: `node record-NAME.ts [FOLDER PROGRAM]`. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findAgent, type PinnedAgent } from './agents.ts'

export function fixturesOf(agent: PinnedAgent): string {
	return join(import.meta.dirname, '../fixtures/agents', agent)
}

/** By default the recordings of the repository, and the pinned version. */
export async function recordingPlace(
	agent: PinnedAgent,
): Promise<{ fixtures: string; program: string }> {
	const [fixtures = fixturesOf(agent), program = await findAgent(agent)] = process.argv.slice(2)
	await mkdir(fixtures, { recursive: true })
	return { fixtures, program }
}
