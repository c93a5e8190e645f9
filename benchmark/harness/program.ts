/** The program as it is installed: its launcher, run by this Node. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onExit } from './on-exit.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const launcher = fileURLToPath(new URL('../../bin/styrby-tui.js', import.meta.url))
export const built = (name: string): URL => new URL(`../../dist/${name}.js`, import.meta.url)

/** Runs Node with `args` to its end. Returns how long that took, ms; throws when it fails. */
export function timeNode(
	args: readonly string[],
	env: NodeJS.ProcessEnv = process.env,
	cwd: string = root,
): number {
	const before = performance.now()
	const { status, stderr } = spawnSync(process.execPath, args, {
		env,
		cwd,
		stdio: ['ignore', 'ignore', 'pipe'],
		encoding: 'utf8',
	})
	const took = performance.now() - before
	if (status !== 0)
		throw new Error(`node ${args.join(' ')} failed (${status}): ${stderr.slice(0, 500)}`)
	return took
}

/** The cost of starting Node at all. */
export const emptyNode = (): number => timeNode(['-e', '0'])

/** Runs a command of the program. Returns what it printed and how long it took, ms. */
export function runProgram(
	args: readonly string[],
	env: NodeJS.ProcessEnv,
): { stdout: string; ms: number } {
	const before = performance.now()
	const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...args], {
		env,
		encoding: 'utf8',
		maxBuffer: 256 * 1024 * 1024,
	})
	const ms = performance.now() - before
	if (status !== 0)
		throw new Error(`styrby-tui ${args[0]} failed (${status}): ${stderr.slice(0, 500)}`)
	return { stdout, ms }
}

/** Starts a command of the program, which goes on running. */
export function startProgram(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
	const child = spawn(process.execPath, [launcher, ...args], {
		env,
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	const kept = onExit(() => child.kill('SIGKILL'))
	child.once('exit', () => kept[Symbol.dispose]())
	return child
}

/** Ends a process that was started here and waits for that. */
export async function endProcess(child: ChildProcess, limitMs = 10_000): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return
	const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
	child.kill('SIGTERM')
	const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
	await ended
	clearTimeout(timer)
}
