/** The raw view: a message as the server holds it. */
import { StyrbyError } from '../../protocol/errors.ts'
import { oneLine } from '../../text/one-line.ts'
import { safeText } from '../../text/safe-text.ts'
import type { ShownMessage } from '../../viewer/viewer.ts'
import type { App } from '../app.ts'
import { rawCard } from '../present/raw-lines.ts'
import { type RawState, topScreen } from '../state.ts'
import { itemChosen, itemsOnScreen } from './here.ts'
import { seqOf, sessionOnScreen } from './place.ts'

export function openRaw(app: App): void {
	const session = sessionOnScreen(app)
	const seq = seqOf(itemChosen(app) ?? undefined) ?? firstSeq(app)
	if (session === null || seq === null) {
		app.toast(safeText`There is no message here yet.`, 'warn')
		return
	}
	app.update((ui) => ({
		...ui,
		raw: null,
		screens: [...ui.screens, { name: 'raw', session }],
	}))
	app.loading.run(show(app, session, (pages) => pages.after(seq - 1, 1), 0))
}

/** The message after the one shown, or before it. */
export function nextRaw(app: App, by: 1 | -1): void {
	const { raw } = app.ui
	if (!raw) return
	const { session, message } = raw
	const end = message.seq + message.rows - 1
	if (by > 0) app.loading.run(show(app, session, (pages) => pages.after(end, 1), 0))
	else app.loading.run(show(app, session, (pages) => pages.before(message.seq, 1), -1))
}

type Pages = ReturnType<App['options']['viewer']['pages']>

async function show(
	app: App,
	session: string,
	read: (pages: Pages) => Promise<{ messages: readonly ShownMessage[] }>,
	/** Which of them. */
	at: 0 | -1,
): Promise<void> {
	const pages = app.options.viewer.pages(session)
	try {
		const message = (await read(pages)).messages.at(at)
		if (!message) {
			app.toast(safeText`There is no message beyond this one.`, 'warn')
			return
		}
		const rows = await pages.rows(message.seq, message.rows)
		const top = topScreen(app.ui)
		if (top.name !== 'raw' || top.session !== session) return
		const raw: RawState = { session, message, rows }
		app.update((ui) => ({ ...ui, raw, cardTops: new Map(ui.cardTops).set(rawCard, 0) }))
	} catch (error) {
		if (!(error instanceof StyrbyError)) throw error
		app.options.notifier.log(error)
		app.toast(oneLine(error.message), 'error')
	}
}

function firstSeq(app: App): number | null {
	for (const item of itemsOnScreen(app)) {
		const seq = seqOf(item)
		if (seq !== null) return seq
	}
	return null
}
