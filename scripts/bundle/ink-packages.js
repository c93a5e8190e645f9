/** Parts of Ink that load much of Node for what the viewer does not use. */
import { readFile } from 'node:fs/promises'
import { replaced } from './replaced.js'

// A module of Node that is imported has each of its properties read, and some of these load others: worker threads,
// among much else.
export const plainBuiltins = {
	name: 'plain-builtins',
	setup({ onResolve, onLoad }) {
		const contents = {
			'node:process': `
				const { process } = globalThis;
				export default process;
				export const { env } = process;
				export const cwd = () => process.cwd();
			`,
			'node:util': `
				const util = process.getBuiltinModule('node:util');
				export const { types } = util;
				${['isDeepStrictEqual', 'parseArgs', 'promisify', 'stripVTControlCharacters']
					.map((name) => `export const ${name} = (...given) => util.${name}(...given);`)
					.join('\n')}
			`,
		}
		onResolve({ filter: /^node:(?:process|util)$/ }, ({ path, kind }) =>
			kind === 'import-statement' ? { path, namespace: 'plain-builtin' } : undefined,
		)
		onLoad({ filter: /./, namespace: 'plain-builtin' }, ({ path }) => ({
			contents: contents[path],
		}))
	},
}

// Ink shows a crash with its source. We report it ourselves, when the terminal was given back.
export const noErrorOverview = {
	name: 'no-error-overview',
	setup({ onLoad }) {
		onLoad({ filter: /ink\/build\/components\/ErrorOverview\.js$/ }, () => ({
			contents: 'export default () => null',
		}))
	},
}

export const leanSignalExit = {
	name: 'lean-signal-exit',
	setup({ onLoad }) {
		onLoad({ filter: /signal-exit\/index\.js$/ }, async ({ path: file }) => ({
			contents: replaced(
				await readFile(file, 'utf8'),
				/require\('assert'\)/,
				'{ equal(a, b, why) { if (a !== b) throw new TypeError(why) } }',
			),
		}))
	},
}

// What it finds out of a browser is known here.
export const knownEnvironment = {
	name: 'known-environment',
	setup({ onResolve, onLoad }) {
		onResolve({ filter: /^environment$/ }, () => ({ path: 'environment', namespace: 'plain' }))
		onLoad({ filter: /^environment$/, namespace: 'plain' }, () => ({
			contents: `
				export const isBrowser = false;
				export const isWindows = process.platform === 'win32';
			`,
		}))
	},
}
