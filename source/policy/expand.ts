/** The files that a pattern in a command stands for, now. */
import { readdirSync } from 'node:fs'
import { globMatches } from './glob.ts'

const most = 1000

/**
 * Absolute paths, or `null` where that can't be told: a pattern in the name of a folder, a folder that
 * can't be read, too many files.
 */
export function expandPattern(path: string): string[] | null {
	const cut = path.lastIndexOf('/')
	const [folder, name] = [path.slice(0, cut), path.slice(cut + 1)]
	if (/[*?[\\]/.test(folder) || name.includes('**')) return null
	try {
		const names = readdirSync(folder === '' ? '/' : folder)
		if (names.length > most) return null
		return names.filter((one) => globMatches(name, one, false)).map((one) => `${folder}/${one}`)
	} catch {
		return null
	}
}
