/** Programs that only run another one: it is the other one that rules are about. */
import type { Word } from '../risk/word.ts'
import type { Called } from './command-pattern.ts'

/** Variables that change how a program speaks, not what it runs or where. */
const harmlessVariables =
	/^(?:CI|NODE_ENV|LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|CLICOLOR(?:_FORCE)?|DEBUG|RUST_BACKTRACE|RUST_LOG|PYTHONUNBUFFERED|PYTHONDONTWRITEBYTECODE|GIT_OPTIONAL_LOCKS)$/

export const isHarmlessVariable = (name: string) => harmlessVariables.test(name)

const shapes: Readonly<Record<string, RegExp>> = {
	timeout: /^(?:(?:--foreground|--preserve-status|-v|--verbose|-[ks] \S+) )*[\d.]+[smhd]? $/,
	nice: /^(?:-n -?\d+ )?$/,
	nohup: /^$/,
	time: /^(?:-p )?$/,
	stdbuf: /^(?:-[ioe](?:0|L|\d+[KM]?) )+$/,
	env: /^(?:[A-Za-z_]\w*=\S* )*$/,
	command: /^$/,
}

const shells = /^(?:ba|da|z|k)?sh$/

/**
 * Whether a call does nothing but run what it is given, in a form that was read for sure. What it runs is a
 * call of its own then.
 */
export function isTransparent({ name, program, args }: Called): boolean {
	if (name === null || program !== name || !args.every(plain)) return false
	if (shells.test(name)) {
		return args.length === 2 && /^-l?c$/.test(args[0]?.text ?? '') && args[1]?.text !== ''
	}
	const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined
	if (!shape) return false
	for (let count = 0; count < args.length; count++) {
		const before = args.slice(0, count).map(({ text }) => text)
		const next = args[count]?.text ?? ''
		if (before.some((text) => /\s/.test(text)) || /^-|=|^[\d.]+[smhd]?$/.test(next)) continue
		if (!shape.test(before.map((text) => `${text} `).join(''))) continue
		return before.every(
			(text) => !text.includes('=') || isHarmlessVariable(text.split('=')[0] ?? ''),
		)
	}
	return false
}

const plain = ({ known, loose, pattern }: Word) => known && !loose && !pattern
