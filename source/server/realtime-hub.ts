import type { Broadcast, Vsn } from './realtime-frames.ts'
import { encodeBroadcast } from './realtime-frames.ts'

/** Topics on the wire carry this before their name. */
export const topicPrefix = 'realtime:'

export const signedOut = 'The sign-in has ended'
const rememberedEnds = 1000

/** One channel that one connection has joined. */
export interface Subscription {
	/** Name of the topic, without the prefix. */
	readonly topic: string
	readonly vsn: Vsn
	/** Id of the sign-in that it was joined with. */
	readonly session: string
	/** Takes it out of the hub, and tells the client why. */
	end(why: string): void
	/** Hands over an encoded frame. */
	deliver(frame: string | Uint8Array): void
}

/** Who listens to what. */
export class Hub {
	readonly #topics = new Map<string, Set<Subscription>>()
	/** Sign-ins that ended lately: one that is joining just then must not slip in. */
	readonly #ended = new Set<string>()

	get size(): number {
		return this.#topics.size
	}

	add(subscription: Subscription): void {
		const listeners = this.#topics.get(subscription.topic) ?? new Set()
		listeners.add(subscription)
		this.#topics.set(subscription.topic, listeners)
		if (this.#ended.has(subscription.session)) subscription.end(signedOut)
	}

	remove(subscription: Subscription): void {
		const listeners = this.#topics.get(subscription.topic)
		listeners?.delete(subscription)
		if (listeners?.size === 0) this.#topics.delete(subscription.topic)
	}

	/** Drops all that was joined with a sign-in that has ended. */
	signOut(session: string): void {
		this.#ended.add(session)
		const [oldest] = this.#ended
		if (this.#ended.size > rememberedEnds && oldest !== undefined) this.#ended.delete(oldest)
		for (const listeners of [...this.#topics.values()]) {
			for (const subscription of [...listeners]) {
				if (subscription.session === session) subscription.end('The sign-in has ended')
			}
		}
	}

	/** Passes a broadcast to all who joined the topic, but for `except`; encodes it once a version. */
	publish(topic: string, broadcast: Broadcast, except: Subscription | null = null): void {
		const frames = new Map<Vsn, string | Uint8Array | null>()
		for (const subscription of this.#topics.get(topic) ?? []) {
			if (subscription === except) continue
			let frame = frames.get(subscription.vsn)
			if (frame === undefined) {
				frame = encodeBroadcast(`${topicPrefix}${topic}`, broadcast, subscription.vsn)
				frames.set(subscription.vsn, frame)
			}
			if (frame !== null) subscription.deliver(frame)
		}
	}
}
