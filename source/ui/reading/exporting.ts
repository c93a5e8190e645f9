/** Writing a session to a file, from the screens. */
import { StyrbyError } from '../../protocol/errors.ts'
import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { exportName, exportParts, formatOf } from '../../viewer/export-session.ts'
import type { SessionSummary } from '../../viewer/viewer.ts'
import type { App } from '../app.ts'
import { selectedSession } from '../arranged-sessions.ts'
import { editText, emptyEdit, insertText } from '../line-edit.ts'
import { baseScreen, topScreen } from '../state.ts'

/** ms between two reports of how far it is. */
const reportMs = 150

/** Asks for the file; a name is there already. */
export function askExport(app: App): void {
	const summary = summaryHere(app)
	if (!summary) return
	typeExport(app, summary.id, exportName(summary), null)
}

function typeExport(app: App, session: string, path: string, problem: SafeText | null): void {
	const edit = insertText(emptyEdit, path)
	app.update((ui) => ({
		...ui,
		screens: [...ui.screens, { name: 'export', session, edit, problem }],
	}))
}

export function startExport(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'export') return
	const path = editText(top.edit).trim()
	if (path === '') return
	if (app.ui.exporting) {
		app.toast(safeText`Another session is still being written.`, 'warn')
		return
	}
	app.update((ui) => ({ ...ui, screens: ui.screens.slice(0, -1) }))
	void write(app, top.session, path)
}

async function write(app: App, session: string, path: string): Promise<void> {
	const { viewer, save, notifier } = app.options
	const summary = summaryOf(app, session)
	if (!summary) return
	const names = new Map(app.data.devices.devices.map(({ id, name }) => [id, name]))
	let messages = 0
	let problems = 0
	async function* texts(known: SessionSummary): AsyncGenerator<string> {
		let reported = Number.NEGATIVE_INFINITY
		const parts = exportParts({
			pages: viewer.pages(session),
			session: known,
			format: formatOf(path),
			nameOf: (device) => names.get(device) ?? null,
		})
		for await (const part of parts) {
			messages += part.messages
			problems += part.problems
			if (app.options.now() - reported > reportMs) {
				reported = app.options.now()
				const { done, through } = part
				app.update((ui) => ({ ...ui, exporting: { done, through } }))
			}
			yield part.text
		}
	}
	try {
		const at = await save(path, texts(summary))
		const wrong = problems === 0 ? safeText`` : safeText` ✗ ${problems} did not verify.`
		app.toast(
			safeText`${messages} messages written to ${oneLine(at)}.${wrong}`,
			problems === 0 ? 'ok' : 'error',
		)
	} catch (error) {
		if (!(error instanceof StyrbyError)) throw error
		notifier.log(error)
		const problem =
			error.code === 'file_exists'
				? safeText`There is such a file already: choose another name.`
				: oneLine(error.message)
		// The person may be doing something else by now.
		const free = topScreen(app.ui).name === 'session' || topScreen(app.ui).name === 'sessions'
		if (free) typeExport(app, session, path, problem)
		else app.toast(problem, 'error')
	} finally {
		app.update((ui) => ({ ...ui, exporting: null }))
	}
}

function summaryHere(app: App): SessionSummary | null {
	const screen = baseScreen(app.ui)
	if (screen.name === 'session') return summaryOf(app, screen.session)
	return screen.name === 'sessions'
		? selectedSession({ ui: app.ui, data: app.data, now: app.options.now() })
		: null
}

function summaryOf({ data }: App, session: string): SessionSummary | null {
	const listed = data.sessions.find(({ id }) => id === session)
	return listed ?? (data.open?.session === session ? data.open.state.summary : null)
}
