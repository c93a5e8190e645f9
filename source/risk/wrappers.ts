/** Programs that run other programs: what they would run. */
import type { Word } from './word.ts'

export interface Inner {
	/** Shell scripts, as text. */
	scripts: readonly string[]
	/** Programs with their arguments. */
	commands: readonly (readonly Word[])[]
	environment: readonly [string, string][]
	/** The folder it changes to before. */
	folder: Word | null
	/** Why what it runs can't be known. */
	problem: string | null
}

const nothing: Inner = { scripts: [], commands: [], environment: [], folder: null, problem: null }

/** Stands for arguments that come from elsewhere when the command runs. */
const unknownWord: Word = { text: '$given', known: false, fed: [] }

export const shells: ReadonlySet<string> = new Set([
	...['sh', 'bash', 'zsh', 'dash', 'ksh', 'mksh', 'ash', 'fish', 'rbash'],
])

/** Options of a wrapper that take the next word as their value. */
const withValue: Readonly<Record<string, RegExp>> = {
	sudo: /^(?:-[ugphCTrtDR]|--(?:user|group|prompt|host|chdir|chroot|close-from|command-timeout|role|type))$/,
	doas: /^-[uC]$/,
	env: /^(?:-[uCS]|--(?:unset|chdir|split-string))$/,
	nice: /^(?:-n|--adjustment)$/,
	ionice: /^(?:-[cnpPu]|--(?:class|classdata))$/,
	timeout: /^(?:-[ks]|--(?:kill-after|signal))$/,
	stdbuf: /^(?:-[ioe]|--(?:input|output|error))$/,
	xargs: /^(?:-[IEdnLPsa]|--(?:replace|max-args|max-procs|max-lines|delimiter|arg-file))$/,
	time: /^(?:-[fo]|--(?:format|output))$/,
	flock: /^(?:-[wEc]|--(?:timeout|wait|command))$/,
	watch: /^(?:-[nq]|--(?:interval|equexit))$/,
	strace: /^-[eopsPuEabIOSUX]$/,
	ltrace: /^-[eopsuFnla]$/,
	exec: /^-a$/,
	chroot: /^(?:--userspec|--groups)$/,
	'systemd-run': /^(?:-[pEMHut]|--(?:property|setenv|unit|uid|gid|slice))$/,
	parallel: /^(?:-[jNnLISC]|--(?:jobs|max-args|colsep|arg-file))$/,
	unshare: /^(?:-[RwSG]|--(?:root|wd|setuid|setgid))$/,
	nsenter: /^(?:-[tSGwr]|--(?:target|setuid|setgid))$/,
	runuser: /^(?:-[ugGs]|--(?:user|group|shell))$/,
	setpriv: /^--(?:reuid|regid|groups)$/,
	taskset: /^$/,
	caffeinate: /^-[tw]$/,
	arch: /^$/,
}

/** Wrappers whose first plain argument is not yet the program. */
const skipFirst: ReadonlySet<string> = new Set(['timeout', 'chroot', 'flock', 'taskset'])

const plainWrappers: ReadonlySet<string> = new Set([
	...Object.keys(withValue),
	...['nohup', 'setsid', 'command', 'builtin', 'busybox', 'pkexec', 'run0', 'unbuffer', 'dtrace'],
	...['winpty', 'chronic', 'dbus-run-session', 'proxychains', 'torsocks', 'firejail', 'bwrap'],
])

/** What `name` with these arguments would run. `text`: its here-document. */
export function unwrap(name: string, args: readonly Word[], text: string | null): Inner {
	if (shells.has(name)) return shell(args, text)
	if ((name === '.' || name === 'source') && text !== null) return textScript(text)
	if (name === 'eval') return evaluate(args)
	if (name === 'find' || name === 'fd' || name === 'fdfind') return find(name, args)
	if (name === 'su' || name === 'runuser' || name === 'script') {
		const script = optionValue(args, /^(?:-c|--command)$/)
		if (script) return scriptOf(script)
	}
	if (name === 'trap') return args[0] && args.length > 1 ? scriptOf(args[0]) : nothing
	if (name === 'env') return environment(args)
	if (name === 'git') return gitAliases(args)
	if (name === 'alias') return aliases(args)
	if (name === 'command' && args.some(({ text: flag }) => /^-[vV]$/.test(flag))) return nothing
	if (!plainWrappers.has(name)) return nothing
	return wrapped(name, args)
}

function wrapped(name: string, args: readonly Word[]): Inner {
	let rest = afterOptions(name, args)
	if (skipFirst.has(name)) rest = rest.slice(1)
	if (name === 'watch' || name === 'parallel') {
		// Both hand their words to a shell as one text.
		return rest.length === 0 ? nothing : scriptOf(joined(rest))
	}
	if (name === 'flock' && rest[0]?.text === '-c' && rest[1]) return scriptOf(rest[1])
	const environment: [string, string][] = []
	while (name !== 'xargs' && rest[0] && isAssignment(rest[0].text)) {
		environment.push(assignment(rest[0].text))
		rest = rest.slice(1)
	}
	if (rest.length === 0) return nothing
	const command = name === 'xargs' ? withGiven(args, rest) : rest
	return { ...nothing, commands: [command], environment }
}

/** What `xargs` runs: its input goes where its mark stands, or to the end. */
function withGiven(args: readonly Word[], command: readonly Word[]): Word[] {
	const option = args.find(({ text }) => /^(?:-[Ii]|--replace)/.test(text))
	if (!option || command.includes(option)) return [...command, unknownWord]
	const given = option.text === '-I' ? args[args.indexOf(option) + 1]?.text : option.text.slice(2)
	const mark = given === undefined || given === '' || option.text.startsWith('--') ? '{}' : given
	return command.map((word) =>
		word.text.includes(mark)
			? { ...word, text: word.text.replaceAll(mark, '$given'), known: false }
			: word,
	)
}

function afterOptions(name: string, args: readonly Word[]): readonly Word[] {
	const takesValue = withValue[name]
	let index = 0
	for (; index < args.length; index++) {
		const flag = args[index]?.text ?? ''
		if (flag === '--') return args.slice(index + 1)
		if (!flag.startsWith('-') || flag === '-') break
		if (takesValue?.test(flag)) index++
	}
	return args.slice(index)
}

function shell(args: readonly Word[], text: string | null): Inner {
	const at = args.findIndex(({ text: flag }) => /^-[a-zA-Z]*c[a-zA-Z]*$/.test(flag))
	const firstPlain = args.findIndex(({ text: flag }) => !/^[-+]/.test(flag))
	if (at !== -1 && (firstPlain === -1 || at < firstPlain)) {
		const script = args.slice(at + 1).find(({ text: word }) => !/^[-+]/.test(word))
		return script ? scriptOf(script) : nothing
	}
	const fed = args.flatMap((word) => word.fed)
	if (fed.length > 0) return { ...nothing, problem: 'runs what another command puts out' }
	return firstPlain === -1 && text !== null ? textScript(text) : nothing
}

/** A here-document is a script like any other, but what is filled in there is not known. */
function textScript(text: string): Inner {
	return { ...nothing, scripts: [text] }
}

function evaluate(args: readonly Word[]): Inner {
	return args.length === 0 ? nothing : scriptOf(joined(args))
}

function joined(words: readonly Word[]): Word {
	return {
		text: words.map(({ text }) => text).join(' '),
		known: words.every(({ known }) => known),
		fed: words.flatMap(({ fed }) => fed),
	}
}

function scriptOf(word: Word): Inner {
	if (word.known) return { ...nothing, scripts: [word.text] }
	// What is filled in may be harmless in an argument; what it is filled into is still looked at.
	return {
		...nothing,
		scripts: [word.text],
		problem: 'runs a script that is only known in full when it runs',
	}
}

function find(name: string, args: readonly Word[]): Inner {
	const commands: Word[][] = []
	const starts = findStarts(args)
	for (let index = 0; index < args.length; index++) {
		const flag = args[index]?.text ?? ''
		const runs =
			name === 'find' ? /^-(?:exec|execdir|ok|okdir)$/ : /^(?:-[xX]|--exec|--exec-batch)$/
		if (!runs.test(flag)) continue
		const end = args.findIndex(({ text }, at) => at > index && (text === ';' || text === '+'))
		const words = args.slice(index + 1, end === -1 ? undefined : end)
		// What is found lies below where the search starts.
		commands.push(words.flatMap((word) => (word.text === '{}' ? starts : [word])))
		index = end === -1 ? args.length : end
	}
	return { ...nothing, commands }
}

/** Where `find` starts: its arguments before the first option. */
export function findStarts(args: readonly Word[]): Word[] {
	const first = args.findIndex(({ text }) => /^[-(!]/.test(text) && !/^-[HLPOD]/.test(text))
	const starts = args
		.slice(0, first === -1 ? undefined : first)
		.filter(({ text }) => !text.startsWith('-'))
	return starts.length > 0 ? starts.map(below) : [below({ text: '.', known: true, fed: [] })]
}

function below(start: Word): Word {
	return { ...start, text: `${start.text.replace(/\/$/, '')}/found` }
}

function environment(args: readonly Word[]): Inner {
	const split = optionValue(args, /^(?:-S|--split-string)$/)
	if (split) return scriptOf(split)
	const folder = optionValue(args, /^(?:-C|--chdir)$/)
	return { ...wrapped('env', args), folder }
}

function gitAliases(args: readonly Word[]): Inner {
	// Aliases that start with "!" are shell scripts.
	const scripts = args
		.map(({ text }, index) => (args[index - 1]?.text === '-c' ? text : ''))
		.flatMap((setting) => setting.match(/^alias\.[^=]+=!(?<script>.*)$/s)?.groups?.script ?? [])
	return { ...nothing, scripts, folder: null }
}

function aliases(args: readonly Word[]): Inner {
	const scripts = args.map(({ text }) => text.slice(text.indexOf('=') + 1))
	return { ...nothing, scripts }
}

/** The value of an option, given as the next word or after `=`. */
export function optionValue(args: readonly Word[], option: RegExp): Word | null {
	for (const [index, { text }] of args.entries()) {
		if (option.test(text)) return args[index + 1] ?? null
		const equals = text.indexOf('=')
		if (equals > 0 && option.test(text.slice(0, equals))) {
			return { text: text.slice(equals + 1), known: args[index]?.known ?? false, fed: [] }
		}
	}
	return null
}

function isAssignment(text: string): boolean {
	return /^[A-Za-z_]\w*=/.test(text)
}

function assignment(text: string): [string, string] {
	const equals = text.indexOf('=')
	return [text.slice(0, equals), text.slice(equals + 1)]
}
