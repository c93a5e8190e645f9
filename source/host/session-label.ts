import { basename } from 'node:path'
import type { Account } from '../account/account.ts'
import type { Sealed } from '../backend/gateway.ts'
import { StyrbyError } from '../protocol/errors.ts'

/** Whether the server may see the project's name. */
export type ProjectSetting = 'plain' | 'encrypted' | 'off'

/** A session's title: the first line of its first prompt that says something, up to 80 characters. */
export function titleOf(prompt: string): string | null {
	const line = prompt
		.split(/\r?\n/)
		.map((text) => text.trim())
		.find((text) => text !== '')
	return line ? cut(line, 80) : null
}

/** A project is called like its folder. */
export function projectOf(cwd: string): string | null {
	return cut(basename(cwd), 100) || null
}

/** What the server may see of a project. */
export function plainProject(cwd: string | null, setting: ProjectSetting): string | null {
	return setting === 'plain' && cwd !== null ? projectOf(cwd) : null
}

/** A label has a limit on the server (6 KB sealed): longer paths are cut. */
const maxPath = 600

/** Whole characters only. */
function cut(text: string, length: number): string {
	return [...text.toWellFormed()].slice(0, length).join('')
}

/**
 * Sealed with an account key that no revoked device has; `null` where there is none yet, and the backend is
 * out of reach to store one.
 */
export async function sealSessionLabel(
	account: Account,
	session: string,
	label: Parameters<Account['sealLabel']>[1],
): Promise<Sealed | null> {
	try {
		await account.rotateKey()
	} catch (error) {
		const away = error instanceof StyrbyError && error.code === 'backend_unreachable'
		if (!away) throw error
	}
	return account.keyOutdated ? null : account.sealLabel(`session:${session}`, label)
}

/**
 * Title, project and directory, sealed with the account key. The project is the one that the session began
 * in (`began`), as in the plain column, wherever the agent goes from there.
 */
export function sessionLabel(
	account: Account,
	session: string,
	about: {
		title: string | null
		cwd: string | null
		project: ProjectSetting
		began?: string | null
	},
): Promise<Sealed | null> {
	const { title, cwd, project, began = cwd } = about
	return sealSessionLabel(account, session, {
		title,
		project: began !== null && project !== 'off' ? projectOf(began) : null,
		cwd: cwd === null ? null : cut(cwd, maxPath),
	})
}
