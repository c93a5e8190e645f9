import { isBuiltin } from 'node:module'

/**
 * Throws where the bundle would load at run time what is neither part of Node nor of `external`: a package that is
 * not installed here, and that esbuild leaves out without a word where its absence would be caught.
 */
export function assertBundled({ outputs }, external) {
	for (const { imports } of Object.values(outputs)) {
		for (const { path: name, external: outside } of imports) {
			if (!outside || isBuiltin(name)) continue
			const kept = external.some((one) => name === one || name.startsWith(`${one}/`))
			if (!kept) throw new Error(`${name} is not in the bundle: is it installed?`)
		}
	}
}
