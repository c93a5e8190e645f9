/**
 * What is loaded together in as few files as can be: each costs Node more time than what is in it. esbuild puts two
 * modules in one file where the same entries need both. So parts of the program that are loaded on demand are made to
 * need all of a group of modules: of those that are loaded before them anyway, or by nearly each of them.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

const staticImport =
	/^(?:import|export)\s(?!type\b)[^;'"]*?from\s+'(\.[^']+)'|^import\s+'(\.[^']+)'/gm
const dynamicImport = /\bimport\(\s*'(\.[^']+)'\s*\)/g

/**
 * `source`: the folder of all sources. Each of `groups`: `of`, modules that belong together with all that they import;
 * `from`, modules whose imports do, and not they themselves; `not`, a folder that is no part of it. `apart`: modules
 * loaded on demand that are to load nothing of it; `beside`: a module, only with which it is loaded.
 */
export function fewChunks({ source, groups }) {
	const imports = new Map(sourcesIn(source).map((file) => [file, importsOf(file)]))
	const closure = (files) =>
		reached(files, (file) => (imports.get(file)?.now ?? []).filter((one) => imports.has(one)))
	const onDemand = new Set([...imports.values()].flatMap(({ later }) => later))
	const members = groups.map(({ of = [], from = [], not }) => {
		const group = [...closure([...of, ...from])].filter((file) => !from.includes(file))
		return new Set(not ? group.filter((file) => !file.startsWith(not)) : group)
	})
	const needs = (file, { apart = [], beside }, index) =>
		!apart.includes(file) && !members[index].has(file) && (!beside || closure([file]).has(beside))
	const needed = (file) =>
		groups.flatMap((group, index) =>
			onDemand.has(file) && needs(file, group, index) ? [index] : [],
		)
	return {
		name: 'few-chunks',
		setup({ onResolve, onLoad }) {
			onResolve({ filter: /^styrby:group-\d+$/ }, ({ path: name }) => ({
				path: name.replace(/^.*-/, ''),
				namespace: 'styrby-group',
			}))
			onLoad({ filter: /./, namespace: 'styrby-group' }, ({ path: index }) => ({
				contents: importing([...members[Number(index)]]),
				resolveDir: source,
			}))
			onLoad({ filter: /\.tsx?$/ }, async ({ path: file }) => {
				const names = needed(file).map((index) => `styrby:group-${index}`)
				if (names.length === 0) return undefined
				const contents = `${importing(names)}\n${await readFile(file, 'utf8')}`
				return { contents, loader: path.extname(file).slice(1) }
			})
		},
	}
}

const importing = (names) => names.map((name) => `import ${JSON.stringify(name)}`).join('\n')

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

function reached(from, next) {
	const seen = new Set()
	const look = (file) => {
		if (seen.has(file)) return
		seen.add(file)
		next(file).forEach(look)
	}
	from.forEach(look)
	return seen
}
