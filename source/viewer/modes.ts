/** What an agent does without asking, by the agents' own names of their modes. */
const unasked: ReadonlyMap<string, 'everything' | 'edits'> = new Map([
	// Claude Code
	['acceptedits', 'edits'],
	['auto', 'everything'],
	['bypasspermissions', 'everything'],
	// Codex
	['workspacewrite', 'edits'],
	['never', 'everything'],
	['dangerfullaccess', 'everything'],
	// Gemini CLI
	['autoedit', 'edits'],
	['yolo', 'everything'],
])

/** What nobody is asked for in a mode; `null`: all is asked for, or the name is not known here. */
export function unaskedIn(mode: string): 'everything' | 'edits' | null {
	return unasked.get(mode.toLowerCase().replaceAll(/[^a-z]/g, '')) ?? null
}
