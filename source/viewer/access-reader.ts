/** Reads who was given the keys of which session, a part at a time: there may be ten thousand sessions. */
import { type Access, readAccess } from '../account/access.ts'
import type { Account } from '../account/account.ts'
import { StyrbyError } from '../protocol/errors.ts'
import type { AccessCell, AccessRow, AccessState } from './devices.ts'
import { Value } from './readable.ts'

/** Sessions read in one go. */
const part = 200

export class AccessReader {
	readonly state = new Value<AccessState>({
		rows: [],
		complete: false,
		loading: false,
		error: null,
	})
	readonly #account: Account
	readonly #crashed: (error: unknown) => void
	#grants: AsyncGenerator<Access> | null = null
	/** The first key of a session whose others are still to come. */
	#next: Access | null = null

	constructor(account: Account, crashed: (error: unknown) => void) {
		this.#account = account
		this.#crashed = crashed
	}

	/** From the beginning. */
	begin(): void {
		this.#end()
		this.state.set({ rows: [], complete: false, loading: false, error: null })
		this.#grants = readAccess(this.#account)
		this.more()
	}

	/** The next part, unless one is being read or there is none. */
	more(): void {
		const { loading, complete } = this.state.get()
		const grants = this.#grants
		if (!grants || loading || complete) return
		this.state.update((state) => ({ ...state, loading: true, error: null }))
		this.#part(grants).then(
			({ rows, complete: all }) => {
				if (this.#grants !== grants) return
				this.state.update((state) => ({
					rows: [...state.rows, ...rows],
					complete: all,
					loading: false,
					error: null,
				}))
			},
			(error: unknown) => {
				if (this.#grants !== grants) return
				if (!(error instanceof StyrbyError)) this.#crashed(error)
				const message = error instanceof StyrbyError ? error.message : 'It could not be read.'
				this.state.update((state) => ({ ...state, loading: false, error: message }))
			},
		)
	}

	[Symbol.dispose](): void {
		this.#end()
	}

	#end(): void {
		const grants = this.#grants
		this.#grants = null
		this.#next = null
		grants?.return(undefined).catch(() => undefined)
	}

	async #part(grants: AsyncGenerator<Access>): Promise<{ rows: AccessRow[]; complete: boolean }> {
		const rows: AccessRow[] = []
		let open: Access[] = this.#next ? [this.#next] : []
		this.#next = null
		for (;;) {
			const { value, done } = await grants.next()
			const [first] = open
			if (first && (done || value.scope !== first.scope)) {
				rows.push(...rowOf(open))
				open = []
			}
			if (done) return { rows, complete: true }
			if (rows.length >= part) {
				this.#next = value
				return { rows, complete: false }
			}
			open.push(value)
		}
	}
}

/** The keys of one session; nothing for the account's own. */
function rowOf(grants: readonly Access[]): AccessRow[] {
	const [first] = grants
	if (!first || first.session === null) return []
	const cells = new Map<string, AccessCell>()
	const epochs = new Map<string, Set<number>>()
	for (const { device, by, at, epoch, opens, known } of grants) {
		const given = epochs.get(device) ?? new Set()
		epochs.set(device, given.add(epoch))
		const before = cells.get(device)
		const newest = !before || at >= before.at ? { by, at } : { by: before.by, at: before.at }
		const fails = opens === false || !known || before?.opens === false
		cells.set(device, { epochs: given.size, ...newest, opens: fails ? false : opens })
	}
	return [{ session: first.session, epochs: first.newest + 1, cells }]
}
