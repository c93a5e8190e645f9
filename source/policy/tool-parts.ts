/** The parts of a request: of a shell command, of a tool that works on files, of any other. */
import { toolKind, toolPaths } from '../risk/tools.ts'
import { inspect } from '../text/inspect.ts'
import { asInput, commandOf } from '../text/tool-input.ts'
import { commandParts } from './command-parts.ts'
import type { Part, Parts, PathUse, PolicyRequest, Surroundings } from './part.ts'
import { absolutePath, isWithin, realPath } from './real-path.ts'

/** Files looked at in one request. */
const most = 500

/** What a shell's input may hold besides its command without asking for more than that. */
const ofShell: ReadonlySet<string> = new Set([
	...['command', 'cmd', 'description', 'timeout', 'timeout_ms', 'yield_time_ms', 'justification'],
	...['run_in_background', 'is_background', 'max_output_tokens', 'cwd', 'workdir', 'directory'],
	...['dir_path'],
])
const startNames = ['cwd', 'workdir', 'directory', 'dir_path'] as const

/** Inputs by which a tool is given more than this one call. */
const wideKey = /sandbox|permission|grant|escalat|approv/i

const understoodShells = /(?:^|\/)(?:ba|z|da|k|mk|a)?sh$/

/** Never throws. */
export function partsOf({ ask }: PolicyRequest, around: Surroundings): Parts {
	const input = asInput(ask.input)
	const against = new Set<string>()
	const realFolder = realPath(around.folder)
	const cwd =
		ask.cwd === null ? around.folder : absolutePath(ask.cwd, around.folder, around.userHome)
	const realCwd = cwd === null ? null : realPath(cwd)
	if (realFolder === null || realCwd === null || !isWithin(realCwd, realFolder)) {
		against.add('works outside of the folder of the session')
	}
	const home = realPath(around.userHome)
	// Else everything on the machine would lie inside of it.
	if (realFolder !== null && home !== null && isWithin(home, realFolder) && home !== realFolder) {
		against.add('is of a session that was started in a folder above the home')
	}
	const wide = Object.entries(input).find(([key, value]) => wideKey.test(key) && isSet(value))
	if (wide) against.add(`asks for more than this one call: ${wide[0]}`)
	if (ask.questions !== null) against.add('is a question')
	// A permission for later is none for this call.
	if (wideKey.test(ask.tool)) against.add(`asks for more than this one call: ${ask.tool}`)
	const command = commandOf(ask.input)
	const base = cwd ?? around.folder
	const parts =
		command === null ? toolCallParts(ask, base, around) : shellParts(ask, command, base, around)
	for (const one of parts.obstacles) against.add(one)
	for (const { real } of parts.paths) {
		if (real !== null && around.own.some((folder) => isWithin(real, realPath(folder) ?? folder))) {
			against.add('touches files of styrby-tui itself')
		}
	}
	return { ...parts, obstacles: [...against] }
}

function shellParts(
	ask: PolicyRequest['ask'],
	command: string,
	cwd: string,
	around: Surroundings,
): Parts {
	const input = asInput(ask.input)
	const against = new Set<string>()
	const folder = startNames.map((name) => input[name]).find((value) => typeof value === 'string')
	const start = typeof folder === 'string' ? absolutePath(folder, cwd, around.userHome) : cwd
	if (toolKind(ask.tool) !== 'shell')
		against.add(`is a command for a tool that is not known here: ${ask.tool}`)
	if (around.platform === 'win32' && ask.tool !== 'Bash') {
		against.add('is a command for a shell that is not known here')
	}
	if (around.shell !== null && !understoodShells.test(around.shell)) {
		against.add(`is a command for a shell whose language is not understood: ${around.shell}`)
	}
	const more = Object.entries(input).find(([key, value]) => !ofShell.has(key) && isSet(value))
	if (more) against.add(`asks for more than its command: ${more[0]}`)
	if (isSet(input.command) && isSet(input.cmd)) against.add('names two commands')
	const files = ask.changes.map(({ path }) => use(path, cwd, 'write', around))
	const inner = commandParts(command, { ...around, start: start ?? cwd })
	return {
		parts: [...inner.parts, ...files.map(pathPart)],
		calls: inner.calls,
		paths: [...inner.paths, ...files],
		unclear: inner.unclear,
		obstacles: [...against, ...inner.obstacles, ...files.flatMap(pathObstacles)],
	}
}

function toolCallParts(ask: PolicyRequest['ask'], cwd: string, around: Surroundings): Parts {
	const input = asInput(ask.input)
	const kind = toolKind(ask.tool)
	const against = new Set<string>()
	if (kind === 'shell') against.add('asks for a shell command that can not be read')
	const access = kind === 'read' ? 'read' : 'write'
	const named = [...new Set([...toolPaths(input), ...ask.changes.map(({ path }) => path)])]
	if (named.length > most) against.add('names too many files')
	const known = kind === 'read' || kind === 'write'
	if (named.length === 0 && kind === 'write') against.add('names no file that it changes')
	// A search without a folder is one in the folder that the agent works in.
	if (named.length === 0 && kind === 'read') named.push(cwd)
	const files = named.slice(0, most).map((path) => use(path, cwd, access, around))
	const seen = inspect([ask.tool, ...named].join('\n'))
	if (seen.hidden.length > 0) against.add('holds hidden characters')
	if (seen.mixedScripts.length > 0) against.add('mixes letters of several alphabets')
	const patterns = ['pattern', 'glob', 'include'].map((name) => input[name])
	if (
		kind === 'read' &&
		patterns.some((one) => typeof one === 'string' && /^[/~]|\.\./.test(one))
	) {
		against.add('looks for files by a pattern that leads elsewhere')
	}
	const parts: Part[] = files.map(pathPart)
	if (!known || files.length === 0) parts.push({ kind: 'tool', text: ask.tool })
	return {
		parts,
		calls: [],
		paths: files,
		unclear: kind !== 'write',
		obstacles: [...against, ...files.flatMap(pathObstacles)],
	}
}

function use(
	path: string,
	cwd: string,
	access: PathUse['access'],
	{ userHome }: Surroundings,
): PathUse {
	const written = absolutePath(path, cwd, userHome)
	return { written: written ?? path, real: written === null ? null : realPath(written), access }
}

const isSet = (value: unknown) => value !== false && value !== null && value !== undefined

const pathPart = (path: PathUse): Part => ({ kind: 'path', text: path.written, path })

function pathObstacles({ written, real }: PathUse): string[] {
	if (/\p{Cc}/u.test(written)) return ['names a file with control characters in its name']
	return real === null ? [`names a file that can't be told where it lies: ${written}`] : []
}
