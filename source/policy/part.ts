/** What a request consists of, as far as rules look at it: every part has to be allowed. */
import type { Body } from '../protocol/events.ts'
import type { AgentName } from '../protocol/names.ts'
import type { Called } from './command-pattern.ts'

/** A request as an agent makes it. */
export interface PolicyRequest {
	agent: AgentName
	ask: Pick<Body<'permission_request'>, 'tool' | 'input' | 'cwd' | 'changes' | 'questions'>
}

/** Where it is judged. */
export interface Surroundings {
	/** That the session was started in: absolute. */
	folder: string
	userHome: string
	/** Folders of ours, which no agent is let into unseen. */
	own: readonly string[]
	/** The person's shell, which some agents run commands with. */
	shell: string | null
	platform: NodeJS.Platform
}

export interface PathUse {
	written: string
	/** Links followed; `null` where that can't be told. */
	real: string | null
	/** `either`: a word of a command, of which that is not known. */
	access: 'read' | 'write' | 'either'
}

export type Part =
	/** `code`: an argument is a program in itself, as `-e` of an interpreter is. */
	| { kind: 'command'; text: string; call: Called; code: boolean }
	| { kind: 'path'; text: string; path: PathUse }
	| { kind: 'tool'; text: string }

export interface Parts {
	/** Each of these has to be allowed. */
	parts: readonly Part[]
	/** Every program that is named anywhere in it: rules that deny or ask look at all of them. */
	calls: readonly Called[]
	/** Every file that is named anywhere in it, likewise. */
	paths: readonly PathUse[]
	/** A file could be meant that no word names: by a pattern, or by what is filled in later. */
	unclear: boolean
	/** Why it is never allowed without a person, in short sentences without a subject. */
	obstacles: readonly string[]
}
