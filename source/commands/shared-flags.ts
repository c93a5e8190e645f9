/** Flags that several commands have. */
import type { FlagSpec } from './command.ts'

export const json = { type: 'boolean', summary: 'print JSON' } as const satisfies FlagSpec
export const mouse = {
	type: 'boolean',
	summary:
		'let the mouse wheel scroll and a click highlight; text is then selected with shift held',
} as const satisfies FlagSpec
export const screenReader = {
	type: 'boolean',
	summary: 'for a screen reader: lines of text, each change once, no full screen',
} as const satisfies FlagSpec
export const yes = {
	type: 'boolean',
	summary: 'do not ask for confirmation',
} as const satisfies FlagSpec
