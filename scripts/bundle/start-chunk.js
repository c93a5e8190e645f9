/**
 * What the viewer needs before its first frame, in as few files as can be: each costs Node more time than what is in
 * it. esbuild puts two modules in one file where the same entries need both. So every part of the program that is
 * loaded on demand is made to need all of `from`, as nearly each of them does anyway.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

const staticImport =
	/^(?:import|export)\s(?!type\b)[^;'"]*?from\s+'(\.[^']+)'|^import\s+'(\.[^']+)'/gm
const dynamicImport = /\bimport\(\s*'(\.[^']+)'\s*\)/g

/**
 * `source`: the folder of all sources. `from`: modules whose static imports go into one file; `and`:
 * modules that do too. `apart`: modules loaded
 * on demand that are to load nothing else.
 */
export function startChunk({ source, from, and, apart }) {
	const files = sourcesIn(source)
	const imports = new Map(files.map((file) => [file, importsOf(file)]))
	const start = closure(from, (file) => imports.get(file)?.now ?? [])
	for (const file of from) start.delete(file)
	for (const file of closure(and, (one) => imports.get(one)?.now ?? [])) start.add(file)
	const onDemand = new Set([...imports.values()].flatMap(({ later }) => later))
	for (const file of [...start, ...apart]) onDemand.delete(file)
	return {
		name: 'start-chunk',
		setup({ onResolve, onLoad }) {
			onResolve({ filter: /^styrby:start$/ }, () => ({ path: 'start', namespace: 'styrby' }))
			onLoad({ filter: /^start$/, namespace: 'styrby' }, () => ({
				contents: [...start].map((file) => `import ${JSON.stringify(file)}`).join('\n'),
				resolveDir: source,
			}))
			onLoad({ filter: /\.tsx?$/ }, async ({ path: file }) => {
				if (!onDemand.has(file)) return undefined
				const contents = `import 'styrby:start'\n${await readFile(file, 'utf8')}`
				return { contents, loader: path.extname(file).slice(1) }
			})
		},
	}
}

function sourcesIn(folder) {
	return readdirSync(folder, { recursive: true })
		.map((name) => path.join(folder, name))
		.filter((file) => /\.tsx?$/.test(file) && statSync(file).isFile())
}

function importsOf(file) {
	const text = readFileSync(file, 'utf8')
	const found = (pattern) =>
		[...text.matchAll(pattern)].map(([, one, other]) =>
			path.resolve(path.dirname(file), one ?? other),
		)
	return { now: found(staticImport), later: found(dynamicImport) }
}

function closure(from, next) {
	const seen = new Set()
	const look = (file) => {
		if (seen.has(file)) return
		seen.add(file)
		next(file).forEach(look)
	}
	from.forEach(look)
	return seen
}
