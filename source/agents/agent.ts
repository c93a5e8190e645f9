/**
 * What the host knows of an agent, whichever it is. An adapter (one folder an agent) turns the agent's
 * own lines into these, and these answers into the agent's own.
 */
import type { AgentName, Body, SessionEvent } from '../protocol/events.ts'

/** What came out of a running agent, in order. */
export type AgentOutput =
	/** To be sealed, stored and shown. `at`: the agent's own time (ISO 8601 UTC) or the time it was read. */
	| { type: 'event'; at: string; event: SessionEvent }
	/** Text while it is being produced: never stored; replaced by the event whose `block` is the same. */
	| {
			type: 'text'
			block: string
			kind: 'agent_response' | 'agent_thinking'
			offset: number
			text: string
	  }
	/** The agent asks. `ask` is everything but what only the host knows. */
	| { type: 'request'; id: string; ask: Omit<Body<'permission_request'>, 'request' | 'expires_at'> }
	/** Answered at the agent itself, or dropped by it. `result` is what the agent made of it, where known. */
	| { type: 'withdrawn'; id: string; result: 'approved' | 'denied' | 'cancelled' }
	/** The agent took an answer of ours and went on. */
	| { type: 'applied'; id: string }
	| { type: 'status'; status: 'running' | 'idle' }
	/** Facts about the session, as they become known or change. `session` is the agent's own id of it. */
	| {
			type: 'about'
			session?: string
			model?: string
			cwd?: string
			version?: string
			/** The agent's permission mode, in its own word, and whether requests reach a person in it. */
			mode?: string
			asks?: boolean
			/** What it takes from elsewhere besides answers; said again when that changes. */
			takes?: Takes
	  }

/** What a running agent can be sent, by the route it runs on. What it can't throws `agent_cannot`. */
export interface Takes {
	prompt: boolean
	interrupt: boolean
	/** Names of the permission modes it can be put in, in the agent's own words; empty: none. */
	modes: readonly string[]
}

/** An answer of a person, or a denial of ours, for one request. */
export type AgentAnswer =
	| {
			decision: 'allow'
			scope: 'once' | 'session'
			/** Only when the person edited the input, or answered a question, and saw the result. */
			input?: unknown
	  }
	| { decision: 'deny'; reason: string }

/** A running agent. */
export interface RunningAgent extends AsyncDisposable {
	readonly name: AgentName
	/** Ends when the agent has ended and everything it printed was handed over. */
	readonly output: AsyncIterable<AgentOutput>
	/** Hands an answer over. `false`: the request is gone (answered locally, or the agent ended). */
	answer(id: string, answer: AgentAnswer): Promise<boolean>
	/** Types a prompt for the person. Throws `agent_cannot` where the route has no way. */
	prompt(text: string): Promise<void>
	/** Ends the turn. Throws `agent_cannot` where the route has no way. */
	interrupt(): Promise<void>
	/** Puts the agent in one of the modes that it said it takes. Throws `agent_cannot`, `agent_refused`. */
	setMode(mode: string): Promise<void>
	/** Asks the agent to end; kills it when it does not within a few seconds. */
	stop(): Promise<void>
	/** How it ended. Never rejects; a failed start is `agent_not_installed` or `agent_failed` at start. */
	readonly ended: Promise<{ code: number | null; signal: string | null; stderr: string }>
}

export interface StartOptions {
	cwd: string
	/** Arguments the person gave after `--`, handed to the agent as they are. */
	args: readonly string[]
	/** The first prompt of a headless session; absent: the agent's own interface, in this terminal. */
	headless?: string
	/** A headless session stays open after its turn, for prompts from elsewhere, until it is stopped. */
	stay?: boolean
	/** Environment of the agent: the person's own, without any of ours. */
	env: NodeJS.ProcessEnv
	signal?: AbortSignal
	/** How long a request may wait for a person, in ms: agents that need a time-out get a longer one. */
	requestTimeoutMs: number
}

export interface AgentAdapter {
	readonly name: AgentName
	/** Version range this adapter was tested with, for `doctor`. */
	readonly tested: { from: string; to: string }
	/** Path of the installed agent. Throws `agent_not_installed`, which says how to get it. */
	locate(env: NodeJS.ProcessEnv, cwd: string): Promise<string>
	/** Path and version of the installed agent, or `null`. */
	find(env: NodeJS.ProcessEnv): Promise<{ path: string; version: string | null } | null>
	start(options: StartOptions): Promise<RunningAgent>
}

/** One session read from an agent's own history files. */
export interface ImportedSession {
	agent: AgentName
	/** The agent's own id of the session: importing it again finds it by this. */
	session: string
	/** The file it was read from, where it is one file. */
	file?: string
	cwd: string | null
	startedAt: string
	/** The last line's time. */
	endedAt: string
	events: AsyncIterable<ImportedLine>
}

export type ImportedLine =
	/** `source` names the line it came from, stable across imports: importing again skips it. */
	| { type: 'event'; source: string; at: string; event: SessionEvent }
	/** A line that could not be read: reported, the rest is imported. Line numbers start at 1. */
	| { type: 'problem'; line: number; problem: string }
