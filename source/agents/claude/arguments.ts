/** Arguments of `claude`: what the person gave, and what we add. */

const modeFlags = [
	'--permission-mode',
	'--dangerously-skip-permissions',
	'--allow-dangerously-skip-permissions',
]

export function hasFlag(args: readonly string[], flag: string): boolean {
	return args.some((arg) => arg === flag || arg.startsWith(`${flag}=`))
}

/**
 * `--permission-mode manual` unless the person chose a mode: in the agent's own default mode a classifier
 * answers, and no request reaches anyone.
 */
export function modeArguments(args: readonly string[]): string[] {
	return modeFlags.some((flag) => hasFlag(args, flag)) ? [] : ['--permission-mode', 'manual']
}

/** Arguments of a headless session; the prompt goes in through stdin. */
export function headlessArguments(args: readonly string[]): string[] {
	return [
		'-p',
		'--input-format',
		'stream-json',
		'--output-format',
		'stream-json',
		'--verbose',
		'--permission-prompt-tool',
		'stdio',
		'--include-partial-messages',
		'--replay-user-messages',
		...modeArguments(args),
		...args,
	]
}

/** Takes a flag with its value out of the arguments; the last one counts, as for the agent. */
export function takeFlag(
	args: readonly string[],
	flag: string,
): { value: string | null; rest: string[] } {
	let value: string | null = null
	const rest: string[] = []
	for (let i = 0; i < args.length; i++) {
		const arg = args[i] ?? ''
		if (arg === '--') {
			rest.push(...args.slice(i))
			break
		}
		if (arg === flag && i + 1 < args.length) {
			i++
			value = args[i] ?? null
		} else if (arg.startsWith(`${flag}=`)) value = arg.slice(flag.length + 1)
		else rest.push(arg)
	}
	return { value, rest }
}
