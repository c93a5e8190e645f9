/** Packages that do, when they are loaded, what the program has no use for. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { replaced } from './replaced.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

// Yoga decodes its WebAssembly by itself when there is no fetch, and saves loading an HTTP client.
export const yogaWithoutFetch = {
	name: 'yoga-without-fetch',
	setup({ onLoad }) {
		onLoad({ filter: /yoga-wasm-base64-esm\.js$/ }, async ({ path: file }) => ({
			contents: replaced(
				await readFile(file, 'utf8'),
				/^(?=[\s\S]*\bfetch\()/,
				'const fetch = undefined;\n',
			),
			loader: 'js',
		}))
	},
}

// Ink loads its developer tools only when asked to by the environment; they are not part of the bundle.
export const noDevtools = {
	name: 'no-devtools',
	setup({ onResolve, onLoad }) {
		onResolve({ filter: /^\.\/devtools\.js$/ }, () => ({ path: 'devtools', namespace: 'empty' }))
		onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'export {}' }))
	},
}

// meow carries a reader of package.json files that it works through whenever it is loaded; we hand it what
// it would look for. What it makes while it loads and nobody uses is dropped.
export const meowWithoutPackages = {
	name: 'meow-without-packages',
	setup({ onLoad }) {
		onLoad({ filter: /meow\/build\/options\.js$/ }, async ({ path: file }) => ({
			contents: replaced(
				await readFile(file, 'utf8'),
				/^import \{ a as readPackageUpSync, n as normalizePackageData \} from .*$/m,
				'const readPackageUpSync = () => undefined, normalizePackageData = () => undefined;',
			),
		}))
		onLoad({ filter: /meow\/build\/dependencies\.js$/ }, async ({ path: file }) => ({
			contents: replaced(
				await readFile(file, 'utf8'),
				/^((?:var|const) \w+ = )?(require\w+\(\)|getDefaultExportFromCjs\(|promisify\()/gm,
				'$1/* @__PURE__ */ $2',
			),
		}))
	},
}

// Node takes jsonc-parser's CommonJS, whose parts esbuild can't find in it; the same as modules.
export const jsoncModules = {
	name: 'jsonc-modules',
	setup({ onResolve, onLoad }) {
		onResolve({ filter: /^jsonc-parser$/ }, () => ({ path: 'jsonc-parser', namespace: 'jsonc' }))
		onLoad({ filter: /.*/, namespace: 'jsonc' }, () => ({
			contents: "export * as default from './node_modules/jsonc-parser/lib/esm/main.js'",
			resolveDir: root,
		}))
	},
}
