/**
 * One topic of the live channel, joined once for all who listen to it in this process. The library
 * rejoins after a cut; what it gives up on (a channel that the server closed) is opened anew here.
 */
import type { RealtimeChannel, SupabaseClient } from './client.ts'

export interface TopicListener {
	event(name: string, payload: unknown): void
	joined(): void
	lost(why: string): void
}

export interface TopicOptions {
	client: SupabaseClient
	name: string
	/** Resolves when a channel of this name that is being left is gone. */
	free: Promise<void>
	/** Throws when there is no valid sign-in. */
	accessToken(): Promise<string>
}

/** Waits before a closed channel is opened again, ms, each ± 50 %; then always the last. */
const reopenWaits = [200, 1000, 3000, 10_000]

export class Topic {
	readonly #options: TopicOptions
	readonly #listeners = new Set<TopicListener>()
	#channel: RealtimeChannel | null = null
	#state: 'joining' | 'joined' | 'lost' = 'joining'
	#left = false
	#tries = 0
	#timer: NodeJS.Timeout | null = null

	constructor(options: TopicOptions) {
		this.#options = options
		void options.free.then(() => this.#open())
	}

	get empty(): boolean {
		return this.#listeners.size === 0
	}

	add(listener: TopicListener): void {
		this.#listeners.add(listener)
		if (this.#state !== 'joined') return
		queueMicrotask(() => {
			if (this.#state === 'joined' && this.#listeners.has(listener)) listener.joined()
		})
	}

	remove(listener: TopicListener): void {
		this.#listeners.delete(listener)
	}

	/** Sends to all others who joined; drops it when not joined. */
	send(event: string, payload: Record<string, unknown>, from: TopicListener): void {
		if (this.#state !== 'joined' || !this.#channel) return
		void this.#channel.send({ type: 'broadcast', event, payload })
		// The server sends nothing back to this process, which may have other listeners.
		for (const listener of this.#listeners) {
			if (listener === from) continue
			queueMicrotask(() => {
				if (this.#listeners.has(listener)) listener.event(event, payload)
			})
		}
	}

	/** Leaves the channel. Never rejects. */
	async leave(): Promise<void> {
		this.#left = true
		if (this.#timer) clearTimeout(this.#timer)
		const channel = this.#channel
		this.#channel = null
		if (channel) await this.#options.client.removeChannel(channel)
	}

	async #open(): Promise<void> {
		if (this.#left) return
		const { client, name } = this.#options
		try {
			await this.#options.accessToken()
		} catch (error) {
			this.#lost(error instanceof Error ? error.message : String(error))
			this.#openLater()
			return
		}
		// The join carries the token that the socket knows of then.
		await client.realtime.setAuth()
		if (this.#left) return
		const channel = client.channel(name, {
			config: { private: true, broadcast: { self: false, ack: false } },
		})
		this.#channel = channel
		channel.on('broadcast', { event: '*' }, (message) => {
			if (this.#channel !== channel) return
			for (const listener of [...this.#listeners]) {
				listener.event(String(message.event), message.payload)
			}
		})
		channel.subscribe((status, error) => {
			if (this.#channel !== channel) return
			if (status === 'SUBSCRIBED') this.#joined()
			else if (status === 'CLOSED') this.#closed(channel)
			else this.#lost(error?.message ?? 'no answer from the live channel')
		})
	}

	#joined(): void {
		this.#state = 'joined'
		this.#tries = 0
		for (const listener of [...this.#listeners]) listener.joined()
	}

	#lost(why: string): void {
		if (this.#state === 'lost') return
		this.#state = 'lost'
		for (const listener of [...this.#listeners]) listener.lost(why.slice(0, 200))
	}

	/** The server closed it, as it does with an expired token: the library leaves it at that. */
	#closed(channel: RealtimeChannel): void {
		this.#lost('the server closed the live channel')
		this.#channel = null
		channel.teardown()
		this.#openLater()
	}

	#openLater(): void {
		if (this.#left) return
		const wait = reopenWaits[Math.min(this.#tries++, reopenWaits.length - 1)] ?? 10_000
		this.#timer = setTimeout(() => void this.#open(), wait * (0.5 + Math.random()))
	}
}
