/** Globs of files: `*` within a name, `**` over folders, `?`, `[…]`, `{…}`; hidden files are like others. */
import { isAbsolute } from 'node:path'
import { globMatches } from './glob.ts'
import { realPath } from './real-path.ts'

export interface GlobBase {
	/** What a glob without a leading `/` or `~/` starts from. */
	folder: string
	userHome: string
	/** The file system does not tell `A` from `a`. */
	anyCase: boolean
}

/** One sentence about what is wrong with a glob, or `null`. */
export function globProblem(glob: string): string | null {
	if (glob.startsWith('!'))
		return 'begins with "!", which is not understood: make a rule of its own'
	if (/^~[^/]/.test(glob)) return 'names the home of another user'
	if (/(?:^|\/)\.\.(?:\/|$)/.test(glob)) return 'has ".." in it: write where it leads'
	if (glob.includes('\\')) return 'has a backslash in it, which is not understood'
	if (/\{[^}]*\/[^}]*\}/.test(glob)) return 'has a "/" in braces: write it out'
	return null
}

/**
 * Whether a path matches. The fixed beginning of the glob is followed through links too, so that `path`
 * has to be real; `loosely`: a path as it was written counts against the glob as it was written, too.
 */
export function matchesGlob(
	glob: string,
	path: { real: string | null; written: string },
	base: GlobBase,
	loosely: boolean,
): boolean {
	const full = absoluteGlob(glob, base)
	const anyCase = loosely && base.anyCase
	const fits = (pattern: string, one: string) => globMatches(pattern, one, anyCase)
	const linked = followed(full)
	if (path.real !== null && linked !== null && fits(linked, path.real)) return true
	if (!loosely) return false
	return [path.written, path.real].some((one) => one !== null && fits(full, one))
}

/** `**` alone, or before all else, is anywhere. */
function absoluteGlob(written: string, { folder, userHome }: GlobBase): string {
	// Folders are called `(group)` more often than anybody means a choice by that.
	const glob = written.replace(/[()|]/g, '\\$&')
	if (glob === '~' || glob.startsWith('~/')) return `${literally(userHome)}${glob.slice(1)}`
	if (isAbsolute(glob)) return glob
	if (glob === '**' || glob.startsWith('**/')) return `/${glob}`
	return `${literally(folder)}/${glob.replace(/^(?:\.\/)+/, '').replace(/^\.$/, '')}`.replace(
		/(?<=.)\/$/,
		'',
	)
}

const literally = (path: string) => path.replace(/[\\*?[\]{}()!+@|^$]/g, '\\$&')

/** The glob with the part before its first special character made real; `null` where that leads nowhere. */
function followed(glob: string): string | null {
	const names = glob.split('/')
	const first = names.findIndex((name) => /(?<!\\)[*?[\]{}]/.test(name))
	const fixed = (first === -1 ? names : names.slice(0, first)).join('/').replaceAll('\\', '')
	const real = realPath(fixed === '' ? '/' : fixed)
	if (real === null) return null
	const rest = first === -1 ? [] : names.slice(first)
	return [literally(real === '/' ? '' : real), ...rest].join('/') || '/'
}
