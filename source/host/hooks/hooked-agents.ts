import type { HookedAdapter } from '../../agents/hooked.ts'
import { exit, StyrbyError } from '../../protocol/errors.ts'

const adapters: ReadonlyMap<string, () => Promise<HookedAdapter>> = new Map([
	['claude', async () => (await import('../../agents/claude/hooked.ts')).hookedClaude],
	['codex', async () => (await import('../../agents/codex/hooked.ts')).hookedCodex],
	['gemini', async () => (await import('../../agents/gemini/hooked.ts')).hookedGemini],
])

/** Agents that hooks can be installed for. */
export const hookedNames: readonly string[] = [...adapters.keys()]

/** Throws `hooks_not_supported`. */
export async function loadHooked(name: string): Promise<HookedAdapter> {
	const load = adapters.get(name)
	if (load) return load()
	throw new StyrbyError(
		'hooks_not_supported',
		`There are no hooks for "${name}": they can be installed for ${hookedNames.join(', ')}.`,
		{ exitCode: exit.usage },
	)
}
