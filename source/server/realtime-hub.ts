import type { Broadcast, Vsn } from './realtime-frames.ts'
import { encodeBroadcast } from './realtime-frames.ts'

/** Topics on the wire carry this before their name. */
export const topicPrefix = 'realtime:'

/** One channel that one connection has joined. */
export interface Subscription {
	/** Name of the topic, without the prefix. */
	readonly topic: string
	readonly vsn: Vsn
	/** Hands over an encoded frame. */
	deliver(frame: string | Uint8Array): void
}

/** Who listens to what. */
export class Hub {
	readonly #topics = new Map<string, Set<Subscription>>()

	get size(): number {
		return this.#topics.size
	}

	add(subscription: Subscription): void {
		const listeners = this.#topics.get(subscription.topic) ?? new Set()
		listeners.add(subscription)
		this.#topics.set(subscription.topic, listeners)
	}

	remove(subscription: Subscription): void {
		const listeners = this.#topics.get(subscription.topic)
		listeners?.delete(subscription)
		if (listeners?.size === 0) this.#topics.delete(subscription.topic)
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
