/** The shape of a command: help, completion and parsing are made from it. */
import type { ExitCode } from '../protocol/errors.ts'
import type { Io } from './io.ts'

export interface FlagSpec {
	type: 'boolean' | 'string' | 'number'
	/** What stands for the value in the help. */
	value?: string
	choices?: readonly string[]
	/** Of a number: the least and the most it may be, and whether it has to be whole. */
	min?: number
	max?: number
	whole?: boolean
	/** It may be given more than once. */
	many?: true
	summary: string
}

export interface Invocation {
	args: readonly string[]
	/** What came after `--`, untouched. */
	rest: readonly string[]
	flags: Flags
	io: Io
}

/** Flags as they were given; one that was not given is absent. */
export class Flags {
	readonly #values: Readonly<Record<string, unknown>>

	constructor(values: Readonly<Record<string, unknown>>) {
		this.#values = values
	}

	has(name: string): boolean {
		return this.#values[name] === true
	}

	text(name: string): string | undefined {
		const value = this.#values[name]
		return typeof value === 'string' ? value : undefined
	}

	/** Of an option that may be given more than once, in order. */
	texts(name: string): string[] {
		const value = this.#values[name]
		return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
	}

	number(name: string): number | undefined {
		const value = this.#values[name]
		return typeof value === 'number' ? value : undefined
	}
}

export interface CommandSpec {
	/** One word, or two for a command of a family: `devices`, `devices add`. */
	name: string
	/** The arguments, as the help shows them. */
	usage: string
	summary: string
	/** How many arguments it takes, and which ones where they are of a known few. */
	args: { min: number; max: number; choices?: readonly string[] }
	flags: Readonly<Record<string, FlagSpec>>
}

/** What the file of a command exports. */
export interface Command {
	/** The exit code; `run` passes on the one of its agent. */
	run(invocation: Invocation): Promise<ExitCode | number>
}
