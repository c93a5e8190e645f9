/**
 * What live hosts know of the device log, by the heads of their heartbeats (docs/protocol.md, section 5.7): a
 * host that has not learned of a revocation yet still seals for the revoked device.
 */
import { isActive, type LogState, lastRevocation } from '../protocol/device-log.ts'
import { type Heartbeat, staleAfter } from '../protocol/live.ts'

export interface HostBehind {
	/** Device id. */
	host: string
	/** The newest entry that all of its live sessions follow. */
	seq: number
	/** Those of its sessions that do not follow the newest revocation. */
	sessions: string[]
}

interface Heard {
	host: string
	seq: number
	/** By this device's clock, ms: a host's own clock may be wrong. */
	at: number
}

export class HostHeads {
	readonly #now: () => Date
	/** By session: two processes of a host know of each other nothing. */
	readonly #heard = new Map<string, Heard>()

	constructor(now: () => Date) {
		this.#now = now
	}

	/** A heartbeat of this host was verified just now, and the log reaches its head. */
	saw(host: string, { session, log }: Pick<Heartbeat, 'session' | 'log'>): void {
		this.#heard.set(session, { host, seq: log.seq, at: this.#now().getTime() })
	}

	/** Live hosts that have not learned of the newest revocation in `log`; none where there is no revocation. */
	hostsBehind(log: LogState): HostBehind[] {
		const entry = lastRevocation(log)
		const now = this.#now().getTime()
		const behind = new Map<string, HostBehind>()
		for (const [session, { host, seq, at }] of this.#heard) {
			if (now - at > staleAfter) this.#heard.delete(session)
			else if (seq < entry && isActive(log, host)) {
				const known = behind.get(host) ?? { host, seq, sessions: [] }
				behind.set(host, {
					host,
					seq: Math.min(seq, known.seq),
					sessions: [...known.sessions, session],
				})
			}
		}
		return [...behind.values()]
	}
}
