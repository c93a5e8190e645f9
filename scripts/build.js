// Bundles source/ into dist/: entries that share chunks, not minified, so that stacks stay readable.
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { assertBundled } from './bundle/assert-bundled.js'
import { fewChunks } from './bundle/few-chunks.js'
import { packagePatches } from './bundle/patches.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = path.join(root, 'dist')
const inSource = (file) => path.join(root, 'source', file)

const candidates = {
	cli: 'source/cli.tsx',
	daemon: 'source/server/daemon.ts',
	'engine-worker': 'source/server/engine-worker.ts',
	'keychain-worker': 'source/vault/keychain-worker.ts',
	'search-worker': 'source/viewer/search/search-worker.ts',
}
const entryPoints = Object.fromEntries(
	Object.entries(candidates).filter(([, file]) => existsSync(path.join(root, file))),
)

const groups = [
	// Loaded before all else, whatever is asked for.
	{ from: ['cli.tsx', 'commands/main.ts'].map(inSource) },
	// The viewer until its first frame, and what most commands begin with; not the way of hooks.
	{
		from: ['commands/view.ts', 'viewer/late-viewer.ts', 'commands/connect-late.ts'].map(inSource),
		of: [
			'protocol/check-session.ts',
			'protocol/mode-name.ts',
			'search/session-filter.ts',
			'text/inspect.ts',
			'text/nearest.ts',
			'text/safe-text.ts',
			'text/time.ts',
			'text/tool-input.ts',
			'text/width.ts',
			'viewer/answers.ts',
			'viewer/cost-table.ts',
			'viewer/devices.ts',
			'viewer/modes.ts',
		].map(inSource),
		apart: ['main', 'parse', 'report', 'hook'].map((name) => inSource(`commands/${name}.ts`)),
	},
	// Texts as lines of the terminal: for the screens, and for commands that print them.
	{ from: [inSource('ui/run-app.tsx')], not: inSource('ui/'), beside: inSource('text/styled.ts') },
]

// Native and WebAssembly packages stay packages, and what is to be audited as published; the rest are optional
// accelerators.
const external = [
	'@electric-sql/pglite',
	'@lydell/node-pty',
	'@napi-rs/keyring',
	'tweetnacl',
	'pg-native',
	'bufferutil',
	'utf-8-validate',
]

const patches = packagePatches()
const chunks = path.join(dist, 'chunks')
await mkdir(chunks, { recursive: true })
const { metafile, outputFiles } = await build({
	absWorkingDir: root,
	entryPoints,
	outdir: dist,
	chunkNames: 'chunks/[name]-[hash]',
	bundle: true,
	splitting: true,
	format: 'esm',
	platform: 'node',
	target: 'node22.13',
	// As every Node since 20: else such an expression is made anew each time it is used.
	supported: { 'regexp-set-notation': true },
	jsx: 'automatic',
	define: { 'process.env.NODE_ENV': '"production"' },
	external,
	plugins: [...patches.plugins, fewChunks({ source: path.join(root, 'source'), groups })],
	banner: {
		js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
	},
	legalComments: 'none',
	metafile: true,
	write: false,
	logLevel: 'warning',
})
patches.assertAllUsed()
assertBundled(metafile, external)
for (const { path: file, contents } of outputFiles) await put(file, contents)
const current = new Set(outputFiles.map(({ path: file }) => file))
for (const name of await readdir(chunks)) {
	const file = path.join(chunks, name)
	if (!current.has(file)) await rm(file, { recursive: true })
}
await put(path.join(dist, 'third-party-licenses.txt'), Buffer.from(await licences(metafile)))

const template = path.join(root, 'scripts/make-template.js')
if (existsSync(template)) {
	const { makeTemplate } = await import('./make-template.js')
	await makeTemplate(dist)
}

/** Leaves what is current as it is, and else replaces it as a whole: programs may be running from it. */
async function put(file, contents) {
	const before = await readFile(file).catch(() => null)
	if (before?.equals(contents)) return
	await writeFile(`${file}.new`, contents)
	await rename(`${file}.new`, file)
}

/** The licence texts of every package that the bundle contains. */
async function licences({ inputs }) {
	const folders = new Set()
	for (const input of Object.keys(inputs)) {
		const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)
		if (match) folders.add(match[1])
	}
	const texts = []
	for (const folder of [...folders].sort()) {
		const about = JSON.parse(await readFile(path.join(root, folder, 'package.json'), 'utf8'))
		const names = ['license', 'LICENSE', 'LICENSE.md', 'license.md', 'LICENSE.txt', 'LICENCE']
		const file = names.map((name) => path.join(root, folder, name)).find((name) => existsSync(name))
		const text = file ? await readFile(file, 'utf8') : `Licence: ${about.license}`
		texts.push(`${about.name} ${about.version}\n\n${text.trim()}\n`)
	}
	return texts.join(`\n${'-'.repeat(80)}\n\n`)
}
