/** The parts of a shell command, and what stands against allowing it unseen. */
import { deletedPaths, readsScript, writtenPaths } from '../risk/call.ts'
import { harmless } from '../risk/harmless.ts'
import { whereIs } from '../risk/paths.ts'
import { rules } from '../risk/rules.ts'
import { type Call, walkShell } from '../risk/shell.ts'
import type { Word } from '../risk/word.ts'
import { inspect } from '../text/inspect.ts'
import { hasCodeOption } from './code-options.ts'
import { expandPattern } from './expand.ts'
import type { Part, Parts, PathUse, Surroundings } from './part.ts'
import { absolutePath, isWithin, realPath } from './real-path.ts'
import { isHarmlessVariable, isTransparent } from './transparent.ts'

/** Programs looked at in one command. */
const most = 100
/** Words looked at in one command. */
const mostWords = 1000

/** Builtins after which names and words of a shell mean something else, and those that run text. */
const altering: ReadonlySet<string> = new Set([
	...['eval', 'source', '.', 'alias', 'unalias', 'trap', 'enable', 'hash', 'bind', 'complete'],
	...['export', 'declare', 'typeset', 'local', 'readonly', 'unset', 'set', 'shopt', 'setopt'],
	...['unsetopt', 'emulate', 'exec', 'builtin', 'read', 'mapfile', 'readarray', 'getopts', 'let'],
	...['fc', 'history', 'ulimit', 'umask', 'coproc', 'autoload', 'zmodload', 'functions', 'compopt'],
	...['pushd', 'popd', 'dirs', 'noglob', 'nocorrect', '-', 'repeat', 'foreach', 'fg', 'bg', 'kill'],
])

/** Builtins that take some of their words for sums or names of variables, and run what is in their `[…]`. */
const evaluating: ReadonlySet<string> = new Set([
	...['test', '[', 'printf', 'print', 'wait', 'exit', 'return', 'break', 'continue', 'shift'],
	...['logout', 'integer', 'float', 'private', 'nameref', 'vared', 'sched'],
])
const runsWhenEvaluated = /\[[\s\S]*[$`]/

/** Programs that only put out what they are given: for them it does not matter what that is. */
const inert: ReadonlySet<string> = new Set(['echo', 'true', 'false', ':', 'test', '['])

export interface CommandOptions extends Surroundings {
	/** Where the shell starts: absolute. */
	start: string
}

/** Never throws. */
export function commandParts(command: string, options: CommandOptions): Parts {
	const { folder, start } = options
	const walk = walkShell(command, { project: folder, folder: start })
	const against = new Set<string>(walk.problems.map((problem) => `the command ${problem}`))
	const realFolder = realPath(folder)
	const realStart = realPath(start)
	if (walk.involved.length > 0) {
		against.add(
			`has parts that are not looked into, or that shells read in different ways (${[...new Set(walk.involved)].join(', ')})`,
		)
	}
	if (/[^\P{Cc}\t\n]/u.test(command)) against.add('holds control characters')
	const seen = inspect(command)
	if (seen.hidden.length > 0) against.add('holds hidden characters')
	if (seen.mixedScripts.length > 0) against.add('mixes letters of several alphabets')
	if (walk.calls.length > most || walk.words.length > mostWords) against.add('is too long')
	if (walk.calls.length === 0) against.add('runs nothing')

	const parts: Part[] = []
	const paths: PathUse[] = []
	let unclear = walk.problems.length > 0
	const resolve = (word: Word, at: Call['place'], access: PathUse['access']): PathUse | null => {
		const written = at.folder === null ? null : absolutePath(word.text, at.folder, options.userHome)
		return written === null ? null : { written, real: realPath(written), access }
	}

	for (const call of walk.calls.slice(0, most)) {
		const text = [call.program, ...call.args.map((arg) => arg.text)].join(' ')
		for (const problem of callObstacles(call)) against.add(problem)
		if (call.place.folder === null) against.add('goes to a folder that is only known when it runs')
		else {
			const at = realPath(call.place.folder)
			if (at === null || realFolder === null || !isWithin(at, realFolder)) {
				against.add('works outside of the folder of the session')
			}
		}
		const moved = call.place.folder !== start
		const mention = mentions(call)
		for (const { word, access } of mention) {
			const use = resolve(word, call.place, access)
			if (word.pattern && use !== null && !word.loose) {
				const files = expandPattern(use.written)
				if (files === null) unclear = true
				else paths.push(...files.map((file) => ({ written: file, real: realPath(file), access })))
			} else if (!word.known || word.loose || use === null) {
				// What is only put out is no file that is opened.
				unclear ||= call.name === null || !inert.has(call.name)
			}
			if (use === null || !word.known) continue
			paths.push(use)
			if (moved && /(?:^|\/)\.\.(?:\/|$)/.test(word.text)) {
				against.add(`leads back with ".." after a change of the folder: ${word.text}`)
			}
			const looksInside = word.text.length < 4096 && whereIs(word.text, call.place) === 'inside'
			const leavesIt = use.real === null || realFolder === null || !isWithin(use.real, realFolder)
			if (looksInside && leavesIt && !word.text.startsWith('-')) {
				against.add(`leads out of the folder of the session by a link: ${word.text}`)
			}
		}
		if (isTransparent(call) || entersFolder(call)) continue
		// Variables by themselves run nothing; whether they may be set was looked at above.
		if (call.name === '') continue
		parts.push({ kind: 'command', text, call, code: holdsCode(call) })
	}

	// What a link leads to is looked at before it is made.
	if (parts.length > 1 && walk.calls.some(({ name }) => name === 'ln' || name === 'link')) {
		against.add('makes a link, and does more than that')
	}

	for (const { path, place } of walk.reads) {
		const use = resolve(path, place, 'read')
		if (!path.known || path.loose || path.pattern || use === null) unclear = true
		if (!path.known) against.add('reads a file that is only known when it runs')
		if (use !== null) paths.push(use)
	}
	for (const { path, place } of walk.writes) {
		if (path.known && whereIs(path.text, place) === 'nowhere') continue
		const use = resolve(path, place, 'write')
		const away = place.folder !== start && !path.text.startsWith('/')
		if (!path.known || path.loose || path.pattern || use === null || away) {
			against.add('writes to a file that is only known when it runs')
			unclear = true
		} else {
			paths.push(use)
			if (use.real === null || realFolder === null || !isWithin(use.real, realFolder)) {
				against.add(`writes outside of the folder of the session: ${path.text}`)
			}
			parts.push({ kind: 'path', text: `> ${path.text}`, path: use })
		}
	}
	if (realStart === null) against.add('works in a folder that is not there')
	return { parts, calls: walk.calls, paths, unclear, obstacles: [...against] }
}

/** Whether an argument is a program in itself, such as a script of sed that runs commands. */
function holdsCode(call: Call): boolean {
	return hasCodeOption(call) || codeInArguments.some((rule) => rule.check(call) !== null)
}

const codeInArguments = rules.filter(({ id }) => id === 'inline-code' || id === 'tools-with-code')

function callObstacles(call: Call): string[] {
	const { name, args, environment } = call
	if (name === null) return [`runs a program that is only known when it runs: ${call.program}`]
	const found: string[] = []
	if (altering.has(name)) found.push(`changes the shell that the rest runs in: ${name}`)
	if (name === 'fish' || name === 'pwsh' || name === 'powershell' || name === 'cmd') {
		found.push(`runs text of another language: ${name}`)
	}
	if (name === 'cd' && !entersFolder(call)) found.push('goes to a folder that is not known')
	const set = environment.find(([variable]) => !isHarmlessVariable(variable))
	if (set) found.push(`sets a variable: ${set[0]}`)
	// It would be run where the variable's name is evaluated.
	const loaded = environment.find(([, value]) => /[$`[]/.test(value))
	if (loaded) found.push(`sets a variable to what a shell may look into: ${loaded[0]}`)
	const evaluated = args.find(({ text }) => runsWhenEvaluated.test(text))
	if (evaluating.has(name) && evaluated) {
		found.push(`has a part that the shell evaluates: ${evaluated.text}`)
	}
	if (readsScript(call)) found.push(`runs what it is fed: ${name}`)
	const open = args.find((arg) => arg.loose || (!arg.known && !inert.has(name)))
	if (open) found.push(`has a part that is only known when it runs: ${open.text}`)
	if (args.some(({ fed }) => fed.length > 0)) found.push('is given the output of another command')
	return found
}

/** `cd` runs nothing; where it leads is looked at with what runs there. */
function entersFolder({ name, program, args }: Call): boolean {
	const [to] = args
	return (
		name === 'cd' &&
		program === 'cd' &&
		args.length === 1 &&
		to !== undefined &&
		isPlain(to) &&
		!/^[-+]/.test(to.text)
	)
}

const isPlain = ({ known, loose, pattern }: Word) => known && !loose && !pattern

/** Words of a call that may name a file, in every way that options are written. */
function mentions(call: Call): { word: Word; access: PathUse['access'] }[] {
	const { name, program, args } = call
	const reads = name !== null && harmless(call) === 'reads'
	const written = new Set([...writtenPaths(call), ...deletedPaths(call)].map(({ text }) => text))
	const found: { word: Word; access: PathUse['access'] }[] = []
	for (const word of args) {
		for (const text of candidates(word.text)) {
			const access = written.has(text) ? 'write' : reads ? 'read' : 'either'
			found.push({ word: { ...word, text }, access })
		}
	}
	if (program.includes('/'))
		found.push({ word: { text: program, known: name !== null, fed: [] }, access: 'read' })
	return found
}

function candidates(text: string): string[] {
	const found = [text]
	for (const separator of ['=', '@', ':', ',']) {
		const at = text.indexOf(separator)
		if (at !== -1 && at < text.length - 1) found.push(text.slice(at + 1))
	}
	if (/^-[A-Za-z]./.test(text)) found.push(text.slice(2))
	return found
}
