/** Globs over whole paths, name by name, so that the time a match takes is bounded whatever the path. */
import picomatch from 'picomatch'

/** No file system has longer names, in bytes; in characters it can only be less. */
const longestName = 255
const mostKept = 2000

type NameTest = (name: string) => boolean
const kept = new Map<string, NameTest>()

/** Both absolute. `**` as a name of the glob stands for any folders, none too; `*` is never a `/`. */
export function globMatches(glob: string, path: string, anyCase: boolean): boolean {
	const pattern = glob.split('/')
	const names = path.split('/')
	let [at, name] = [0, 0]
	// Where the last `**` stands, and up to which name it reaches.
	let star = -1
	let reached = 0
	while (name < names.length) {
		const next = pattern[at]
		if (next === '**') {
			star = at++
			reached = name
		} else if (next !== undefined && nameTest(next, anyCase)(names[name] ?? '')) {
			at++
			name++
		} else if (star !== -1) {
			at = star + 1
			name = ++reached
		} else return false
	}
	return pattern.slice(at).every((one) => one === '**')
}

function nameTest(pattern: string, anyCase: boolean): NameTest {
	const key = `${anyCase ? 'i' : ''}/${pattern}`
	const before = kept.get(key)
	if (before) return before
	const made = /[*?[\]{}]/.test(pattern.replace(/\\./g, ''))
		? patternTest(pattern, anyCase)
		: plainTest(pattern.replace(/\\(.)/g, '$1'), anyCase)
	if (kept.size >= mostKept) kept.clear()
	kept.set(key, made)
	return made
}

function patternTest(pattern: string, anyCase: boolean): NameTest {
	const test = picomatch(pattern, {
		dot: true,
		nonegate: true,
		noextglob: true,
		flags: anyCase ? 'is' : 's',
	})
	return (name) => name !== '' && name.length <= longestName && test(name)
}

function plainTest(plain: string, anyCase: boolean): NameTest {
	const wanted = plain.toLowerCase()
	return anyCase ? (name) => name.toLowerCase() === wanted : (name) => name === plain
}
