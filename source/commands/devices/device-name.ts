import { exit, StyrbyError } from '../../protocol/errors.ts'
import type { Flags } from '../command.ts'

const longest = 100

/** What `--name` says, else `fallback`. Throws `bad_device_name` (exit 2). */
export function deviceName(flags: Flags, fallback: string): string {
	const name = flags.text('name')?.trim()
	if (name === undefined) return fallback
	if (name !== '' && name.length <= longest) return name
	throw new StyrbyError(
		'bad_device_name',
		`A device's name has 1 to ${longest} characters: choose another.`,
		{ exitCode: exit.usage },
	)
}
