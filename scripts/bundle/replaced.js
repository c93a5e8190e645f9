/** Throws where there is nothing to replace: the package is then another than this was written for. */
export function replaced(text, pattern, by) {
	const result = text.replace(pattern, by)
	if (result === text) throw new Error(`the build no longer fits a package: no ${pattern} in it`)
	return result
}
