/** Questions that rules ask about a call. */
import { type Place, type Where, whereIs } from './paths.ts'
import type { Call } from './shell.ts'
import { hasOption, operands, type Word } from './word.ts'
import { findStarts, optionValue, shells } from './wrappers.ts'

export const is = (call: Call, ...names: readonly string[]) =>
	call.name !== null && names.includes(call.name)
export const first = (call: Call) => operands(call.args)[0]?.text ?? ''
export const second = (call: Call) => operands(call.args)[1]?.text ?? ''
export const given = (yes: boolean, reason: string) => (yes ? reason : null)
export const written = (call: Call) => call.args.map(({ text }) => text).join(' ')

/** The first of some paths that lies where it should not. */
export function astray(
	paths: readonly Word[],
	place: Place,
	where: readonly Where[],
): { path: string; where: Where } | null {
	for (const { text, known } of paths) {
		const at = whereIs(text, place)
		// A path that is filled in later is unknown, but for the few variables that are looked up.
		const found = known || at === 'inside' ? at : at === 'outside' ? 'outside' : 'unknown'
		if (where.includes(found)) return { path: text, where: found }
	}
	return null
}

export const git = (call: Call): string => {
	if (call.name !== 'git') return ''
	const index = call.args.findIndex(
		({ text }, at) =>
			!text.startsWith('-') &&
			!/^(?:-c|-C|--git-dir|--work-tree)$/.test(call.args[at - 1]?.text ?? ''),
	)
	return call.args[index]?.text ?? ''
}

export const interpreters: ReadonlySet<string> = new Set([
	...shells,
	...[
		'python',
		'python2',
		'python3',
		'node',
		'deno',
		'bun',
		'perl',
		'ruby',
		'php',
		'lua',
		'osascript',
	],
	...['pwsh', 'powershell', 'tclsh', 'Rscript', 'source', '.'],
])

export const downloaders: ReadonlySet<string> = new Set([
	'curl',
	'wget',
	'fetch',
	'aria2c',
	'http',
	'xh',
	'nc',
])

/** Whether an interpreter has no script of its own, so that its input is the script. */
export function readsScript(call: Call): boolean {
	if (call.name === null || !interpreters.has(call.name)) return false
	if (call.args.some(({ fed }) => fed.length > 0)) return true
	const plain = call.args.filter(({ text }) => !/^-(?!$)/.test(text))
	const inline = call.args.some(({ text }) =>
		/^(?:-c|-e|-r|--eval|-p|--print|-m|-pe|-ne)$/.test(text),
	)
	const script = plain.find(({ text }) => text !== '-' && text !== '/dev/stdin')
	return !inline && (script === undefined || hasOption(call.args, null, 's'))
}

export const feeds = (call: Call) => [...call.input, ...call.args.flatMap(({ fed }) => fed)]

/** Paths that a call writes to, besides redirections. */
export function writtenPaths(call: Call): Word[] {
	const { args } = call
	const plain = operands(args)
	const option = (pattern: RegExp) => optionValue(args, pattern)
	const listed = (...words: (Word | null | undefined)[]) => words.filter((word) => word != null)
	switch (call.name) {
		case 'tee':
		case 'touch':
		case 'mkdir':
		case 'truncate':
		case 'mktemp':
		case 'mkfifo':
			return plain
		case 'cp':
		case 'install':
		case 'ln':
		case 'rsync':
		case 'scp':
			return listed(option(/^(?:-t|--target-directory)$/) ?? plain.at(-1))
		case 'mv':
			return plain
		case 'dd':
			return args.filter(({ text }) => text.startsWith('of=')).map((word) => after(word, 'of='))
		case 'sed':
		case 'perl':
			return hasOption(args, /^--in-place/, 'i') ? plain.slice(1) : []
		case 'tar':
			return listed(option(/^(?:-C|--directory)$/), ...tarFile(args))
		case 'unzip':
			return listed(option(/^-d$/))
		case 'curl':
			return listed(option(/^(?:-o|--output|--output-dir|-D|--dump-header|-c|--cookie-jar)$/))
		case 'wget':
			return listed(option(/^(?:-O|--output-document|-P|--directory-prefix|-o|-a)$/))
		case 'sort':
		case 'tree':
		case 'iconv':
		case 'base64':
		case 'time':
			return listed(option(/^(?:-o|--output)$/), attached(args, 'o'))
		case 'less':
			return listed(option(/^(?:-[oO]|--log-file|--LOG-FILE)$/), attached(args, 'o'))
		case 'uniq':
		case 'xxd':
			return plain.slice(1)
		case 'dos2unix':
		case 'unix2dos':
			return plain
		case 'split':
		case 'csplit':
			return [plain[1] ?? { text: 'xaa', known: true, fed: [] }]
		case 'awk':
		case 'gawk':
			return /(?:^| )(?:-i|--include)[ =]?inplace\b/.test(args.map(({ text }) => text).join(' '))
				? plain.filter(({ text }) => text !== 'inplace').slice(1)
				: []
		case 'git':
			return listed(option(/^(?:-o|--output|--output-directory)$/))
		case 'yq':
			return hasOption(args, /^--inplace/, 'i') ? plain.slice(1) : []
		case 'find':
			return args.filter((_, at) => /^-f(?:print|printf|print0|ls)$/.test(args[at - 1]?.text ?? ''))
		case 'patch':
			return listed(option(/^(?:-d|--directory|-o|--output)$/), plain[0])
		default:
			return []
	}
}

/** The value of a short option that is written without a space. */
function attached(args: readonly Word[], short: string): Word | null {
	const word = args.find(({ text }) => text.startsWith(`-${short}`) && text.length > 2)
	return word ? { ...word, text: word.text.slice(2) } : null
}

const after = (word: Word, prefix: string): Word => ({
	...word,
	text: word.text.slice(prefix.length),
})

/** The archive, where one is made. */
function tarFile(args: readonly Word[]): Word[] {
	const [mode] = args
	if (!mode || !/^-?[a-zA-Z]*[cru]/.test(mode.text)) return []
	const file = /f$/.test(mode.text) ? args[1] : optionValue(args, /^(?:-f|--file)$/)
	return file ? [file] : []
}

/** Paths that a call deletes. */
export function deletedPaths(call: Call): Word[] {
	if (is(call, 'rm', 'rmdir', 'unlink', 'shred', 'srm', 'trash', 'rimraf', 'del'))
		return operands(call.args)
	if (is(call, 'find') && call.args.some(({ text }) => text === '-delete'))
		return findStarts(call.args)
	if (is(call, 'mv')) return operands(call.args).slice(0, -1)
	return []
}
