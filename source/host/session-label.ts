import { basename } from 'node:path'
import type { Account } from '../account/account.ts'
import type { Sealed } from '../backend/gateway.ts'

/** Whether the server may see the project's name. */
export type ProjectSetting = 'plain' | 'encrypted' | 'off'

/** A session's title: the first line of its first prompt that says something, up to 80 characters. */
export function titleOf(prompt: string): string | null {
	const line = prompt
		.split(/\r?\n/)
		.map((text) => text.trim())
		.find((text) => text !== '')
	return line ? [...line].slice(0, 80).join('') : null
}

/** A project is called like its folder. */
export function projectOf(cwd: string): string | null {
	return basename(cwd).slice(0, 200) || null
}

/** What the server may see of a project. */
export function plainProject(cwd: string | null, setting: ProjectSetting): string | null {
	return setting === 'plain' && cwd !== null ? projectOf(cwd) : null
}

/** Longer paths are cut: a label has a limit on the server. */
const maxPath = 1000

/** Title, project and directory, sealed with the account key. */
export function sessionLabel(
	account: Account,
	session: string,
	about: { title: string | null; cwd: string | null; project: ProjectSetting },
): Sealed {
	const { title, cwd, project } = about
	return account.sealLabel(`session:${session}`, {
		title,
		project: cwd !== null && project !== 'off' ? projectOf(cwd) : null,
		cwd: cwd?.slice(0, maxPath) ?? null,
	})
}
