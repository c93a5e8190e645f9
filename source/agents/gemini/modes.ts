/** Modes that Gemini CLI can be put in from elsewhere: those in which a person is asked, or nothing changes. */
export const modes: readonly string[] = ['default', 'autoEdit', 'plan']

/** Whether requests reach a person. In `autoEdit` edits don't, all else does. */
export function asksIn(mode: string): boolean {
	return modes.includes(mode)
}
