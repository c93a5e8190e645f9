/** What is known before anything was read. */
import type { CostState } from './cost.ts'
import type { DevicesState } from './devices.ts'
import type { GrantsState, SearchState, SessionFacts, SessionState } from './viewer.ts'

export const noFacts: SessionFacts = { takes: null, mode: null, asks: null }

export const unreadSession: SessionState = {
	summary: null,
	messages: [],
	hasOlder: false,
	hasNewer: false,
	live: [],
	verifiedTo: null,
	problems: 0,
	readers: null,
	lastHeartbeat: null,
	facts: noFacts,
	senders: new Map(),
	loading: true,
	error: null,
}

export const unreadDevices: DevicesState = {
	devices: [],
	intruders: [],
	single: false,
	log: { entries: 0, head: null, problem: null },
	behind: [],
	loading: false,
	known: false,
	error: null,
}

export const unreadSearch: SearchState = {
	query: '',
	problem: null,
	hits: [],
	total: 0,
	searching: false,
	words: [],
	index: { messages: 0, sessionsDone: 0, sessions: 0, upToDate: false, problem: null },
}

export const noGrants: GrantsState = { grants: [], looking: true }
export const unreadCost: CostState = {
	spent: [],
	rows: 0,
	reached: null,
	reading: false,
	problems: 0,
	problem: null,
	error: null,
}
