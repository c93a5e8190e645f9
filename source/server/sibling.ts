import { existsSync } from 'node:fs'

/**
 * URL of a module that lies beside the calling one, as source (`.ts`) or as part of the bundle
 * (`.js`). `from` is the caller's `import.meta.url`; `name` has no ending.
 */
export function siblingModule(from: string, name: string): URL {
	const ending = from.endsWith('.ts') ? '.ts' : '.js'
	const beside = new URL(`./${name}${ending}`, from)
	const nested = new URL(`./server/${name}${ending}`, from)
	return existsSync(beside) || !existsSync(nested) ? beside : nested
}
