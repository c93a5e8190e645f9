/**
 * A Gemini CLI that a person started without us, with our hooks in its settings. Its hooks can tell of a
 * request, not answer it: that it waits is said, and that it is answered where it runs.
 */
import { dirname, isAbsolute, join } from 'node:path'
import * as v from 'valibot'
import type { AgentAnswer } from '../agent.ts'
import {
	type AdoptOptions,
	aboutCall,
	type HookedAdapter,
	type HookedCall,
	type InstalledHook,
} from '../hooked.ts'
import { HookedSession } from '../hooked-session.ts'
import { maybeText } from '../lenient.ts'
import { ChatEvents } from './chat-events.ts'
import { ChatFile, geminiFolder } from './chat-file.ts'

const told = ['SessionStart', 'BeforeAgent', 'AfterAgent', 'Notification', 'SessionEnd']
const tellTimeoutMs = 3000
/** How often to look into the chat file, ms. */
const pollMs = { running: 200, idle: 2000 }

export const hookedGemini: HookedAdapter = {
	name: 'gemini',
	afterInstall: null,
	settingsFile: (env) => join(geminiFolder(env), 'settings.json'),
	holdMs: ({ request }) => request,
	hooks: () =>
		told.map(
			(event): InstalledHook => ({
				event,
				kind: 'tell',
				timeout: tellTimeoutMs,
				more: { name: 'styrby-tui' },
			}),
		),
	adopt: (options) => new HookedGemini(options),
}

const pathSchema = v.pipe(v.string(), v.parseJson(), v.object({ transcript_path: v.string() }))
const notificationSchema = v.pipe(
	v.string(),
	v.parseJson(),
	v.object({
		notification_type: v.literal('ToolPermission'),
		message: maybeText,
		details: v.optional(
			v.fallback(v.object({ title: maybeText, command: maybeText, filePath: maybeText }), {
				title: null,
				command: null,
				filePath: null,
			}),
			{},
		),
	}),
)

class HookedGemini extends HookedSession {
	readonly name = 'gemini'
	readonly #chat: ChatFile
	readonly #events = new ChatEvents()
	readonly #since: string
	#running = false
	#timer: NodeJS.Timeout | undefined
	#reading: Promise<void> = Promise.resolve()

	constructor({ first, cwd, since }: AdoptOptions) {
		super(first.pid)
		const session = aboutCall(first.body)?.session ?? ''
		this.#since = since
		this.#chat = new ChatFile(folderOf(first.body), session)
		const takes = { prompt: false, interrupt: false, modes: [] }
		this.queue.push({ type: 'about', session, cwd, takes })
		this.#look()
	}

	hook(call: HookedCall): void {
		void call.respond('')
		const event = aboutCall(call.body)?.event
		if (event === 'BeforeAgent') this.#setRunning(true)
		if (event === 'Notification') this.#asks(call)
		if (event === 'SessionEnd') this.life.ends()
		if (event === 'AfterAgent') void this.#read().then(() => this.#setRunning(false))
		else void this.#read()
	}

	async answer(_id: string, _answer: AgentAnswer): Promise<boolean> {
		return false
	}

	protected async last(): Promise<void> {
		clearTimeout(this.#timer)
		await this.#read()
	}

	#asks({ body, at }: HookedCall): void {
		const parsed = v.safeParse(notificationSchema, body)
		if (!parsed.success) return
		const { message, details } = parsed.output
		const what = details.command ?? details.filePath ?? details.title ?? message ?? 'something'
		const text = `Gemini CLI asks for a permission, which can be given only where it runs: ${what}`
		const data = { title: details.title ?? null, message }
		this.queue.push({
			type: 'event',
			at: new Date(at).toISOString(),
			event: { kind: 'system', body: { type: 'notice', text, data } },
		})
	}

	#setRunning(running: boolean): void {
		this.#running = running
		this.queue.push({ type: 'status', status: running ? 'running' : 'idle' })
	}

	/** Calls queue up, so that messages keep their order. */
	#read(): Promise<void> {
		const next = async () => {
			// What is in the chat file can wait there while the host is held up.
			if (this.queue.crowded) return
			for (const message of await this.#chat.read()) {
				for (const { at, event } of this.#events.read(message)) {
					const time = at ?? new Date().toISOString()
					if (time >= this.#since) this.queue.push({ type: 'event', at: time, event })
				}
			}
		}
		// Not readable just now: the next look will tell.
		this.#reading = this.#reading.then(next).catch(() => undefined)
		return this.#reading
	}

	#look(): void {
		const ms = this.#running ? pollMs.running : pollMs.idle
		this.#timer = setTimeout(() => void this.#read().finally(() => this.#look()), ms)
	}
}

/** `<folder>/tmp/<project>/chats/<file>` is where the session lies. */
function folderOf(body: string): string {
	const parsed = v.safeParse(pathSchema, body)
	const path = parsed.success ? parsed.output.transcript_path : ''
	return isAbsolute(path) ? dirname(dirname(dirname(dirname(path)))) : geminiFolder(process.env)
}
