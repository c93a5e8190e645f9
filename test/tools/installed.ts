/** The program as it is installed, in a pty: where it is, and an environment that says nothing of ours. */
import { fileURLToPath } from 'node:url'

export const program = fileURLToPath(new URL('../../bin/styrby-tui.js', import.meta.url))

/** The line that starts it, for a shell. */
export const start = `${JSON.stringify(process.execPath)} ${JSON.stringify(program)}`

/** Limit of a test that starts it, ms: of a machine with much else to do. */
export const timeout = 180_000

/** `Terminal.modes` after the program: as they were before. */
export const left = { alternate: false, cursor: true, paste: false }

/** `stty -a` of a terminal that is as a shell leaves it. */
export const cooked = /(?<![-\w])icanon.*(?<![-\w])echo(?!\w)/s

/** Nothing of the environment that the tests run in says how to draw, or where we live; `folder` holds all. */
export function environment(
	folder: string,
	more: Readonly<Record<string, string>> = {},
): Record<string, string | undefined> {
	const { PATH, HOME, LANG } = process.env
	return {
		PATH,
		HOME,
		LANG: LANG ?? 'C.UTF-8',
		TMPDIR: folder,
		STYRBY_HOME: `${folder}/home`,
		STYRBY_VAULT: 'file',
		STYRBY_PASSPHRASE_FILE: `${folder}/passphrase`,
		PS1: 'shell> ',
		...more,
	}
}
