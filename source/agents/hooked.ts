/**
 * Agents that a person started by themselves, without us: they call by the hooks that `hooks install` put
 * into their settings (docs/agents.md).
 */
import * as v from 'valibot'
import type { AgentName } from '../protocol/events.ts'
import type { RunningAgent } from './agent.ts'
import type { HookCall } from './hook-call.ts'
import { maybeText } from './lenient.ts'

/** One hook in the settings of an agent. */
export interface InstalledHook {
	/** The agent's own name of the event. */
	event: string
	/** `ask` waits for an answer, `tell` is let go at once. */
	kind: 'ask' | 'tell'
	/** In the unit of the agent's settings. */
	timeout: number
	matcher?: string
	/** Further keys of the hook's entry. */
	more?: Readonly<Record<string, unknown>>
}

/** A call of a session that we did not start. */
export interface HookedCall extends HookCall {
	/** The process of the agent that calls. */
	pid: number
	/** When it called, ms since 1970. */
	at: number
}

/** An agent that runs by itself: it can't be stopped by us, only let go. */
export interface HookedAgent extends RunningAgent {
	hook(call: HookedCall): void
}

/** In ms. */
export interface HookTimes {
	/** How long any request may wait. */
	request: number
	/** How long it may keep the agent's own prompt from the screen, where it does that. */
	hold: number
}

export interface AdoptOptions {
	/** The call that made the session known; it is given to `hook` too. */
	first: HookedCall
	cwd: string
	/** What is older than this (ISO 8601 UTC) is known already, or not ours to publish. */
	since: string
	/** After that, requests are left to the agent's own prompt. */
	times: HookTimes
}

export interface HookedAdapter {
	readonly name: AgentName
	/** The settings file of this user that hooks are put into. */
	settingsFile(env: NodeJS.ProcessEnv): string
	hooks(times: HookTimes): readonly InstalledHook[]
	/** For how long, in ms, this agent's requests are held for an answer from elsewhere. */
	holdMs(times: HookTimes): number
	/** What a person has to do after an installation, if anything. */
	readonly afterInstall: string | null
	adopt(options: AdoptOptions): HookedAgent
}

const aboutSchema = v.object({
	hook_event_name: v.string(),
	session_id: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
	cwd: maybeText,
})

/** Whose call it is, as all agents with hooks say it; `null` where nothing can be made of it. */
export function aboutCall(
	body: string,
): { event: string; session: string; cwd: string | null } | null {
	try {
		const parsed = v.safeParse(aboutSchema, JSON.parse(body))
		if (!parsed.success) return null
		const { hook_event_name: event, session_id: session, cwd } = parsed.output
		return { event, session, cwd }
	} catch {
		// Not JSON: nothing that we can act on, and the caller lets the hook go.
		return null
	}
}
