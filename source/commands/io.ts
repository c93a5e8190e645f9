/** What a command may touch of the outside world. */
export interface Io {
	stdin: NodeJS.ReadStream
	stdout: NodeJS.WriteStream
	stderr: NodeJS.WriteStream
	env: NodeJS.ProcessEnv
	cwd: string
	platform: NodeJS.Platform
	now(): Date
}

/** The outside world of this process. */
export function processIo(): Io {
	const { stdin, stdout, stderr, env, platform } = process
	return { stdin, stdout, stderr, env, cwd: process.cwd(), platform, now: () => new Date() }
}

/** Whether a person sits at both ends: nothing is asked otherwise. */
export function isInteractive({ stdin, stdout }: Io): boolean {
	return stdin.isTTY === true && stdout.isTTY === true
}

/** Whether lines for a screen reader are asked for, by flag or environment. */
export function wantsLines({ env }: Io, flag: boolean): boolean {
	return flag || env.INK_SCREEN_READER === 'true'
}

/** Whether a full screen can be shown: on a terminal that can move its cursor. */
export function hasScreen(io: Io): boolean {
	return isInteractive(io) && io.env.TERM !== 'dumb'
}
