/** What a row of the key table is made of. */
import type { SafeText } from '../../text/safe-text.ts'
import type { DeviceAct } from '../../viewer/devices.ts'
import type { JoinState } from '../../viewer/joining.ts'
import type { DecisionState, RequestView, SessionFacts } from '../../viewer/viewer.ts'
import type { KeyName } from '../keys.ts'
import type { Screen, ScreenName } from '../state.ts'

/** What can be sent to a session. */
export interface SessionRoute {
	session: string
	facts: SessionFacts
	/** Why nothing can be sent to it at all, or `null`. */
	closed: SafeText | null
	/** The agent works, or waits for an answer: there is something to interrupt. */
	busy: boolean
}

/** What the table looks at to say whether a key has a meaning just now. */
export interface KeyContext {
	screen: Screen
	/** A session is highlighted. */
	session: boolean
	/** The list of sessions, and the highlighted one in it: `archived` is `null` where there is none. */
	listed: {
		any: boolean
		filtered: boolean
		archived: boolean | null
		waiting: boolean
		/** Something is listed that is over and not archived. */
		over: boolean
	}
	/** Requests that wait, in all sessions. */
	waiting: number
	/** The request that an answer would go to. */
	focus: { request: RequestView; decision: DecisionState | null; unread: number } | null
	/** There is something to fold or unfold on the screen. */
	foldable: boolean
	/** An item of the transcript is selected. */
	selected: boolean
	/** Something is looked for in the session on the screen. */
	find: boolean
	/** Something that a search has found is highlighted. */
	hit: boolean
	/** The transcript is at its live end. */
	following: boolean
	/** The device, or key of the server's, that is highlighted or shown. */
	device: {
		id: string
		own: boolean
		active: boolean
		kind: 'device' | 'recovery' | 'intruder'
	} | null
	/** The session on the screen, as something may be sent to it; `null`: none is. */
	route: SessionRoute | null
	/** The highlighted rule that is allowed for a session; `leaving`: it is being taken back. */
	grant: { keeper: 'host' | 'agent'; leaving: boolean } | null
	act: DeviceAct | null
	/** How far a home is that is no device yet; `null`: it is one. */
	joining: JoinState['step'] | null
}

/** `true`: it works; a text: it does not, and why; `null`: it means nothing here and is not shown. */
export type Enabled = true | SafeText | null

/** Headings of the help and of the readme's table, in order. */
export const groups = [
	'Answer a request',
	'Send to the agent',
	'Devices',
	'Move',
	'Look',
	'Replay',
	'Program',
] as const
export type Group = (typeof groups)[number]

export interface Command {
	id: string
	keys: readonly KeyName[]
	screens: readonly ScreenName[]
	/** For the footer: a word or two. */
	label: string
	/** For the help screen: a sentence. */
	description: string
	group: Group
	/** Place in the footer, lowest first; `null`: in the help only. */
	footer: number | null
	/** Named in the footer together with this command's key, its own first: `↑↓`. */
	pair?: string
	/** Not in the footer while it does not work. */
	quiet?: true
	enabled(context: KeyContext): Enabled
}
