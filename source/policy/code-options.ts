/** Options by which a program that is harmless in itself runs something of whoever calls it. */
import type { Called } from './command-pattern.ts'

const scripts =
	/^(?:--(?:prefix|script-shell|shell|cwd|dir|eval|file|makefile|directory|include-dir|justfile|working-directory|node-options|userconfig|globalconfig|config)\b|-[CfIEd])/
const modules =
	/^(?:-r$|-r=|--(?:require|import|loader|experimental-loader|eval|print|env-file|inspect)\b|-[ep]$)/
const setUp =
	/^--(?:config|require|setup|plugin|preset|loader|import|reporter|resolver|runner|transform|env|global|rulesdir|resolve-plugins|rootdir|root|project)|^-[rcp]$/
const secureShell = /^-[oFSJ]|ProxyCommand/i

const options: Readonly<Record<string, RegExp>> = {
	...Object.fromEntries(
		['npm', 'pnpm', 'yarn', 'bun', 'make', 'gmake', 'just', 'task'].map((name) => [name, scripts]),
	),
	...Object.fromEntries(
		[
			'jest',
			'vitest',
			'mocha',
			'ava',
			'eslint',
			'prettier',
			'stylelint',
			'tsc',
			'webpack',
			'vite',
		].map((name) => [name, setUp]),
	),
	...Object.fromEntries(['ssh', 'scp', 'sftp'].map((name) => [name, secureShell])),
	node: modules,
	deno: modules,
	pytest: /^(?:-[pco]$|--(?:rootdir|confcutdir|override-ini|import-mode))/,
	cargo: /^(?:--(?:config|manifest-path)|-[ZC])/,
	go: /^--?(?:exec|toolexec|overlay|modfile|C)\b/,
	git: /^(?:-c$|--(?:upload-pack|receive-pack|exec|exec-path|config-env|ext-diff|open-files-in-pager|git-dir|work-tree)\b)/,
	rsync: /^(?:-[a-zA-Z]*e|--(?:rsh|rsync-path))/,
	find: /^-(?:delete|f(?:print|printf|print0|ls))$/,
}

/** Words behind `--` are a script's own, but of a program that has no scripts. */
export function hasCodeOption({ name, args }: Called): boolean {
	const pattern = name !== null && Object.hasOwn(options, name) ? options[name] : undefined
	if (!pattern) return false
	const end = args.findIndex(({ text }) => text === '--')
	const own = end === -1 ? args : args.slice(0, end)
	// `make SHELL=…` is an option, too.
	const sets = /^(?:g?make|just|task)$/.test(name ?? '')
	return own.some(({ text }) => pattern.test(text) || (sets && /^\w+[:+?]?=/.test(text)))
}
