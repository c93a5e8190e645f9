/** What the person did with the screens: all that the viewer itself does not know. Plain data. */
import type { Risk } from '../risk/risk.ts'
import type { Wanted } from '../text/match.ts'
import type { SafeText } from '../text/safe-text.ts'
import type { Picked } from '../viewer/answers.ts'
import type { CostRange } from '../viewer/cost-since.ts'
import type { Dimension } from '../viewer/cost-table.ts'
import type { ShownMessage, StoredRow } from '../viewer/viewer.ts'
import type { KeyContext } from './keymap/command.ts'
import type { LineEdit } from './line-edit.ts'
import type { ReplayState } from './replay/replay-state.ts'
import type { Fold } from './transcript/folds.ts'
import type { Anchor } from './viewport.ts'

export interface Size {
	columns: number
	rows: number
}

export type Screen =
	| { name: 'sessions' }
	| { name: 'session'; session: string }
	| { name: 'permissions' }
	/** What is allowed for sessions. */
	| { name: 'grants' }
	/** Whether everything is to be stopped; then how much was denied, and how many hosts were told to end what they allow. */
	| { name: 'panic'; step: 'ask' | 'done'; denied: number; ended: number }
	| { name: 'request'; request: string }
	/** A reason for a denial is being typed. Bound to the request that was highlighted when it began. */
	| { name: 'reason'; request: string; digest: string | null; edit: LineEdit }
	| { name: 'devices' }
	| { name: 'device'; device: string }
	/** The device log, entry by entry. */
	| { name: 'history' }
	/** Which device was given the keys of which session. */
	| { name: 'access' }
	/** What is being done with devices. */
	| { name: 'act' }
	/** A line about devices is being typed; `problem` is what was wrong with it when it was last sent. */
	| { name: 'typing'; what: Typing; edit: LineEdit; problem: SafeText | null }
	/** A prompt for a session is being written, in as many lines as it takes. */
	| { name: 'prompt'; session: string; edit: LineEdit }
	/** What to look for in a session is being typed. */
	| { name: 'find'; session: string; edit: LineEdit }
	/** The path of a file to write a session to is being typed. */
	| { name: 'export'; session: string; edit: LineEdit; problem: SafeText | null }
	/** A message as the server holds it. */
	| { name: 'raw'; session: string }
	/** The session played again. */
	| { name: 'replay'; session: string }
	/** Whether the agent is to be interrupted. */
	| { name: 'interrupt'; session: string }
	/** Which mode the agent is to be put in; `selected`: the highlighted one, by its name. */
	| { name: 'modes'; session: string; selected: string }
	/** What a request would do is being changed. */
	| { name: 'change'; request: string; digest: string | null; edit: LineEdit }
	/** The change, before it is allowed. */
	| {
			name: 'changed'
			request: string
			digest: string | null
			edited: LineEdit
			input: Readonly<Record<string, unknown>>
			risk: Risk
	  }
	| QuestionScreen
	/** An answer to the question on the screen is written, instead of chosen. */
	| { name: 'words-of-answer'; asking: QuestionScreen; edit: LineEdit }
	| { name: 'cost' }
	/** The path of a file to write the cost to is being typed. */
	| { name: 'export-cost'; edit: LineEdit; problem: SafeText | null }
	/** What a search over all sessions has found; under the line that is typed for it. */
	| { name: 'search' }
	| { name: 'search-line'; edit: LineEdit }
	/** This device was revoked: there is nothing else to be seen. */
	| { name: 'revoked' }
	/** A home without a device: its code, or the recovery words being typed. */
	| { name: 'join' }
	| { name: 'words'; edit: LineEdit; problem: SafeText | null; hidden: boolean }
	/** Every key; `context`: how things stood where it was called from. */
	| { name: 'help'; of: ScreenName; line: number; filter: string; context: KeyContext }
	/** What to look for among the keys is being typed. */
	| { name: 'help-filter'; edit: LineEdit }
	/** What the list of sessions is narrowed to is being typed. */
	| { name: 'filter'; edit: LineEdit }
	/** Whether these sessions are to be archived. */
	| { name: 'archive'; sessions: readonly string[] }

/** Questions of an agent being answered; bound to the request that was highlighted when it began. */
export interface QuestionScreen {
	name: 'question'
	request: string
	digest: string | null
	/** Which question; their number: all answers are looked at once more. */
	at: number
	/** Which option; their number: an answer in one's own words. Of the look at all answers, its first line. */
	highlighted: number
	/** By question. */
	picked: readonly Picked[]
}

/** How the cost is looked at. */
export interface CostView {
	range: CostRange
	by: Dimension
	/** What the bars show. */
	measure: 'cost' | 'tokens'
}

/** What is typed, bound to what it was begun for. */
export type Typing =
	| { what: 'code' }
	| { what: 'rename'; device: string }
	| { what: 'revoke'; device: string }
	| { what: 'word'; index: 0 | 1 }

export type ScreenName = Screen['name']
export type TypingScreen = Extract<Screen, { edit: LineEdit }>
/** What stands above the footer, and leaves the screen below it in view. */
export type Overlay =
	| TypingScreen
	| Extract<Screen, { name: 'interrupt' | 'modes' | 'question' | 'changed' | 'archive' | 'panic' }>

/** What is looked for in a session. */
export interface FindState {
	/** As it was typed. */
	text: SafeText
	wanted: Wanted
	/** Numbers of the messages that have it, ascending. */
	hits: readonly number[]
	/** The one gone to, and which of its lines. */
	at: { seq: number; line: number } | null
	/** Rows looked through, of how many. */
	looked: number
	through: number
	done: boolean
	/** Why it was given up before all was looked through. */
	problem: SafeText | null
}

/** A message as it is stored, and as this device opens it. */
export interface RawState {
	session: string
	message: ShownMessage
	rows: readonly StoredRow[]
}

/** Where the reader of one transcript is. */
export interface TranscriptState {
	/** `null`: at the live end, and following it. */
	anchor: Anchor | null
	/** With jump scroll, where the window stands while what follows still fits under it. */
	jump: Anchor | null
	/** How much is shown of every item, and of those where that was chosen one by one. */
	fold: Fold
	folds: ReadonlyMap<string, Fold>
	/** The item that fold and see-all act on. */
	selected: string | null
	/** The item jumped to, by its key: the next jump goes on from it. `null` once one has moved otherwise. */
	cursor: string | null
	find: FindState | null
}

export interface UiState {
	size: Size
	/** The screens, the one on top last; never empty. */
	screens: readonly Screen[]
	/** `null`: the first one, whichever that is just now. */
	selectedSession: string | null
	/** What the list of sessions is narrowed to; empty: nothing. */
	filter: string
	selectedRequest: string | null
	selectedDevice: string | null
	selectedEvent: string | null
	selectedGrant: string | null
	selectedAccess: string | null
	selectedCost: string | null
	selectedHit: string | null
	/** What can be typed is shown, in the place of what was found. */
	searchHelp: boolean
	/** What was searched for and found before, the last first. */
	queries: readonly string[]
	cost: CostView
	transcripts: ReadonlyMap<string, TranscriptState>
	/** First line shown of what is longer than its pane, by the id of its card. */
	cardTops: ReadonlyMap<string, number>
	/** Prompts that were begun and not sent, by session. */
	drafts: ReadonlyMap<string, LineEdit>
	/** A reason that could not be sent, for the next denial; empty: none. */
	keptReason: string
	/** What a jump is looking for beyond what is loaded, and how far it is: rows. */
	seeking: { session: string; what: SafeText; looked: number; through: number } | null
	/** What is played again, while it is. */
	replay: ReplayState | null
	/** `null`: it is being read. */
	raw: RawState | null
	/** A session is being written to a file: rows. */
	exporting: { done: number; through: number } | null
	/** What was looked for last. */
	lastFind: SafeText | null
	toast: { text: SafeText; role: 'warn' | 'ok' | 'error'; until: number } | null
}

export const startOfTranscript: TranscriptState = {
	anchor: null,
	jump: null,
	fold: 'folded',
	folds: new Map(),
	selected: null,
	cursor: null,
	find: null,
}

export function initialState(size: Size): UiState {
	return {
		size,
		screens: [{ name: 'sessions' }],
		selectedSession: null,
		filter: '',
		selectedRequest: null,
		selectedDevice: null,
		selectedEvent: null,
		selectedGrant: null,
		selectedAccess: null,
		selectedCost: null,
		selectedHit: null,
		searchHelp: false,
		queries: [],
		cost: { range: 'week', by: 'day', measure: 'cost' },
		transcripts: new Map(),
		cardTops: new Map(),
		drafts: new Map(),
		keptReason: '',
		seeking: null,
		replay: null,
		raw: null,
		exporting: null,
		lastFind: null,
		toast: null,
	}
}

export function topScreen(state: UiState): Screen {
	return state.screens.at(-1) ?? { name: 'sessions' }
}

export function isTyping(screen: Screen): screen is TypingScreen {
	return 'edit' in screen
}

const overlays: ReadonlySet<ScreenName> = new Set([
	'interrupt',
	'modes',
	'question',
	'changed',
	'archive',
	'panic',
])

export function isOverlay(screen: Screen): screen is Overlay {
	return isTyping(screen) || overlays.has(screen.name)
}

/** The screen that fills the terminal: what lies under a line of text being typed. */
export function baseScreen(state: UiState): Exclude<Screen, Overlay> {
	for (const screen of state.screens.toReversed()) if (!isOverlay(screen)) return screen
	return { name: 'sessions' }
}

export function transcriptOf(state: UiState, session: string): TranscriptState {
	return state.transcripts.get(session) ?? startOfTranscript
}

/** How much of an item is shown. */
export function foldOf({ fold, folds }: TranscriptState, key: string): Fold {
	return folds.get(key) ?? fold
}

export function withTranscript(
	state: UiState,
	session: string,
	change: Partial<TranscriptState>,
): UiState {
	const transcripts = new Map(state.transcripts)
	transcripts.set(session, { ...transcriptOf(state, session), ...change })
	return { ...state, transcripts }
}
