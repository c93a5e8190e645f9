/** Where a path leads on this machine, links followed, at the moment it is asked. */
import { lstatSync, realpathSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { systemCode } from '../config/home-error.ts'

const longest = 4096

/** There is no such file: not yet, or there can't be. */
const absent: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'])

/** As it is written, made absolute; `..` stays, since what it means depends on links before it. */
export function absolutePath(path: string, folder: string, userHome: string): string | null {
	if (path === '~' || path.startsWith('~/')) return `${userHome}${path.slice(1)}`
	if (path.startsWith('~')) return null
	return isAbsolute(path) ? path : `${folder}/${path}`
}

/**
 * The real path of a file that may not exist yet, or `null` where it can't be told: a link that leads
 * nowhere, a loop, a folder that can't be looked into, `..` behind a folder that is not there.
 */
export function realPath(path: string): string | null {
	if (path.length > longest || path.includes('\0') || !isAbsolute(path)) return null
	const missing: string[] = []
	let left = path.replace(/(?<=.)[/]+$/, '')
	for (;;) {
		try {
			const real = realpathSync.native(left)
			const below = missing.toReversed().join('/')
			return below === '' ? real : `${real.replace(/\/$/, '')}/${below}`
		} catch (cause) {
			if (!absent.has(systemCode(cause)) || isLink(left)) return null
		}
		const cut = left.lastIndexOf('/')
		const name = left.slice(cut + 1)
		if (cut < 0 || name === '..') return null
		if (name !== '' && name !== '.') missing.push(name)
		left = cut === 0 ? '/' : left.slice(0, cut)
	}
}

function isLink(path: string): boolean {
	try {
		return lstatSync(path).isSymbolicLink()
	} catch {
		return false
	}
}

/** Whether a path is a folder or lies below it. Both real. */
export function isWithin(path: string, folder: string): boolean {
	return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}
