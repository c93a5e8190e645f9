/**
 * What the contract of all agents (agent-contract.ts) has to know of one agent: how it is started with a
 * scripted model, how that is told what to say, and what is seen and typed in the agent's own interface.
 */
import type { AgentAdapter } from '../../source/agents/agent.ts'

/** What the model says in one response. */
export type Say =
	| { text: string }
	/** Runs a command in the shell. */
	| { run: string }
	/** Replaces a text in a file of the project. The driver may have it read first, in a response before. */
	| { edit: { file: string; from: string; to: string } }
	/** Nothing more comes, and the response does not end. */
	| { hang: true }
	/** The API answers with this error, which the agent does not try again. */
	| { error: string }

/** Tokens as `usage` events count them: `input` without those that came from a cache. */
export interface Tokens {
	input: number
	output: number
	cache_read: number
	cache_write: number
}

export interface Response {
	say: readonly Say[]
	/** What the API says it took; the driver's own figures where it is not given. */
	tokens?: Partial<Tokens>
}

/** What the model does for a prompt that begins with `word`, response by response. */
export interface Plan {
	word: string
	responses: readonly Response[]
}

export interface Place {
	/** An empty folder that is the agent's home. */
	home: string
	/** The project. */
	cwd: string
	/** Path of the agent's program. */
	program: string
}

/** A home of the agent's and its scripted model, running. */
export interface World extends AsyncDisposable {
	/** The environment the agent is started in. */
	env: NodeJS.ProcessEnv
	/** Arguments that every start gets. */
	args?: readonly string[]
	/** Bodies of all requests to the model so far, as they came. */
	bodies(): readonly string[]
}

/** In the agent's own interface. */
export interface NativeDriver {
	/** The screen takes a prompt. */
	ready: string | RegExp
	/** Something is asked on the screen. */
	asked: RegExp
	/** Keys that answer what is asked there, once each. */
	approve: readonly string[]
	deny: readonly string[]
	/** Keys that end it where it waits for a prompt. */
	quit: readonly string[]
	/** Keys that interrupt it while it works, where that can not be done from elsewhere. */
	interrupt?: readonly string[]
}

export interface AgentDriver {
	adapter: AgentAdapter
	/** Path of the program at its pinned version, installed first where it is missing. */
	find(): Promise<string>
	open(place: Place, plans: readonly Plan[]): Promise<World>
	/** Arguments that go on with a session of the agent's. */
	resume(session: string): readonly string[]
	/** Command line of the agent's process, the one that works. */
	process: RegExp
	/** The tool calls of a `run` say which exit code it had. */
	exitCodes: boolean
	/** Cost of responses with these tokens, USD; `null` where nothing says it. */
	cost(tokens: Tokens): number | null
	native: NativeDriver
	/** What it truly can not do, in a sentence each; the contract tests what happens instead. */
	cannot?: {
		/** A headless session does not stay open: every turn is a session. */
		stay?: string
		/** The agent does not go on after a denial: its turn is over. */
		goOn?: string
		/** The reason of a denial does not reach the model. */
		reason?: string
		/** The text is not streamed while it is written, on this route. */
		stream?: string
	}
}
