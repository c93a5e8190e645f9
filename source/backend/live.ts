/** The topics that this process listens to: one socket, one channel a topic, any number of listeners. */

import type { SupabaseClient } from './client.ts'
import { Topic, type TopicListener } from './topic.ts'
import { within } from './within.ts'

/** How long to wait for the server's goodbye, ms. */
const goodbye = 500

export class Live implements AsyncDisposable {
	readonly #client: SupabaseClient
	readonly #accessToken: () => Promise<string>
	readonly #topics = new Map<string, Topic>()
	readonly #leaving = new Map<string, Promise<void>>()

	constructor(client: SupabaseClient, accessToken: () => Promise<string>) {
		this.#client = client
		this.#accessToken = accessToken
	}

	/** Joins `name` for this listener too. `stop` ends it. */
	listen(name: string, listener: TopicListener): { topic: Topic; stop: () => Promise<void> } {
		let topic = this.#topics.get(name)
		if (!topic) {
			const free = this.#leaving.get(name) ?? Promise.resolve()
			topic = new Topic({ client: this.#client, name, free, accessToken: this.#accessToken })
			this.#topics.set(name, topic)
		}
		const joined = topic
		joined.add(listener)
		return { topic: joined, stop: () => this.#stop(name, joined, listener) }
	}

	async #stop(name: string, topic: Topic, listener: TopicListener): Promise<void> {
		topic.remove(listener)
		if (!topic.empty || this.#topics.get(name) !== topic) return
		this.#topics.delete(name)
		const leaving = topic.leave().finally(() => {
			if (this.#leaving.get(name) === leaving) this.#leaving.delete(name)
		})
		this.#leaving.set(name, leaving)
		await within(leaving, goodbye)
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const leaving = [...this.#topics.values()].map((topic) => topic.leave())
		this.#topics.clear()
		await within(Promise.all([...leaving, ...this.#leaving.values()]), goodbye)
		await this.#client.realtime.disconnect()
	}
}
