import type { Archive } from '../viewer/archive.ts'
import type { CostState } from '../viewer/cost.ts'
import type { AccessState, DeviceAct, DevicesState, HistoryState } from '../viewer/devices.ts'
import type {
	Connection,
	DecisionState,
	GrantsState,
	Listing,
	RequestView,
	SearchState,
	SentState,
	SessionState,
	SessionSummary,
	Viewer,
	ViewerInfo,
} from '../viewer/viewer.ts'

/** What the viewer knew at one moment: everything on one frame is from the same one. */
export interface Snapshot {
	info: ViewerInfo
	connection: Connection
	sessions: readonly SessionSummary[]
	listing: Listing
	/** Ids of the sessions that are archived. */
	archived: ReadonlySet<string>
	requests: readonly RequestView[]
	decisions: ReadonlyMap<string, DecisionState>
	/** What was sent, by session. */
	sent: ReadonlyMap<string, readonly SentState[]>
	grants: GrantsState
	devices: DevicesState
	history: HistoryState
	access: AccessState
	act: DeviceAct | null
	cost: CostState
	search: SearchState
	/** The one transcript that is open. */
	open: { session: string; state: SessionState } | null
}

export function takeSnapshot(viewer: Viewer, archive: Archive, open: Snapshot['open']): Snapshot {
	return {
		info: viewer.info.get(),
		connection: viewer.connection.get(),
		sessions: viewer.sessions.get(),
		listing: viewer.listing.get(),
		archived: archive.archived.get(),
		requests: viewer.requests.get(),
		decisions: viewer.decisions.get(),
		sent: viewer.sent.get(),
		grants: viewer.grants.get(),
		devices: viewer.devices.state.get(),
		history: viewer.devices.history.get(),
		access: viewer.devices.access.get(),
		act: viewer.devices.act.get(),
		cost: viewer.cost.state.get(),
		search: viewer.search.state.get(),
		open,
	}
}

export function pendingRequests({ requests }: Snapshot): readonly RequestView[] {
	return requests.filter(({ status }) => status === 'pending')
}
