import type { RequestView } from '../../source/viewer/viewer.ts'
import { type Screen, type ScreenOptions, show } from './_screen.ts'
import {
	at,
	type Decided,
	message,
	request,
	requestBody,
	ScriptedViewer,
	say,
	summary,
	transcript,
	uuid,
} from './_viewer.ts'

/** A viewer and the screens that show it: a test has its own, so that tests can run side by side. */
export class Stage implements AsyncDisposable {
	readonly viewer = new ScriptedViewer()
	readonly #screens = new AsyncDisposableStack()

	/** Shows the viewer; the screen is left when the test ends. */
	async open(options: ScreenOptions = {}): Promise<Screen> {
		return this.#screens.use(await show(this.viewer, options))
	}

	/** What was answered so far, in order. */
	answers(): ({ id: string } & Decided['choice'])[] {
		return this.viewer.decided.map(({ request: { id }, choice }) => ({ id, ...choice }))
	}

	/** Changes one request. */
	change(id: string, change: Partial<RequestView>): void {
		this.viewer.requests.update((all) =>
			all.map((each) => (each.id === id ? { ...each, ...change } : each)),
		)
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.#screens.disposeAsync()
	}
}

export const [first, second] = [uuid(11), uuid(12)] as const

/** Two sessions, a request waiting in each; the older one's first. */
export function twoWaiting(): Stage {
	const stage = new Stage()
	const { viewer } = stage
	viewer.sessions.set([
		summary({ pending: 1 }),
		summary({ id: uuid(2), project: 'web', pending: 1 }),
	])
	viewer.requests.set([
		request(first, { createdAt: at(60) }),
		request(second, {
			session: uuid(2),
			project: 'web',
			createdAt: at(30),
			digest: 'bb'.repeat(32),
			body: requestBody(second, { input: { command: 'npm publish' } }),
		}),
	])
	for (const [session, id] of [
		[uuid(1), first],
		[uuid(2), second],
	] as const) {
		const body = viewer.requests.get().find((each) => each.id === id)?.body
		if (!body) throw new Error('no body')
		const asked = message(2, 'permission_request', body, { session })
		viewer.transcript(session).set(transcript([say(1, 'Hello.'), asked]))
	}
	return stage
}
