import { existsSync } from 'node:fs'

/**
 * URL of a module of ours that runs as a thread or process of its own: beside the calling file as
 * source (`.ts`), at the top of the bundle (`.js`), whose shared parts lie one folder deeper.
 * `from` is the caller's `import.meta.url`; `name` has no ending.
 */
export function siblingModule(from: string, name: string): URL {
	const beside = new URL(`./${name}${from.endsWith('.ts') ? '.ts' : '.js'}`, from)
	const above = new URL(`../${name}.js`, from)
	return existsSync(beside) || !existsSync(above) ? beside : above
}
