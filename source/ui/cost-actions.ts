/** What the keys of the cost screen do. */
import { StyrbyError } from '../protocol/errors.ts'
import { oneLine } from '../text/one-line.ts'
import { displayText, type SafeText, safeText } from '../text/safe-text.ts'
import { costCsv } from '../viewer/cost-csv.ts'
import { costRanges, rangeStart } from '../viewer/cost-since.ts'
import { dimensions } from '../viewer/cost-table.ts'
import type { App } from './app.ts'
import { editText, emptyEdit, insertText } from './line-edit.ts'
import { groupsOf, inRange } from './screens/cost-screen.ts'
import { topScreen } from './state.ts'

export function openCost(app: App): void {
	app.options.viewer.cost.readAgain(rangeStart(app.ui.cost.range, app.options.now()))
	app.update((ui) => ({ ...ui, screens: [...ui.screens, { name: 'cost' }] }))
}

export function nextRange(app: App): void {
	const { range } = app.ui.cost
	const next = costRanges[(costRanges.indexOf(range) + 1) % costRanges.length] ?? range
	app.update((ui) => ({ ...ui, cost: { ...ui.cost, range: next } }))
	app.options.viewer.cost.read(rangeStart(next, app.options.now()))
}

export function nextGroup(app: App, by: 1 | -1): void {
	app.update((ui) => {
		const at = dimensions.indexOf(ui.cost.by) + by + dimensions.length
		const next = dimensions[at % dimensions.length] ?? ui.cost.by
		return { ...ui, selectedCost: null, cost: { ...ui.cost, by: next } }
	})
}

export function otherMeasure(app: App): void {
	app.update((ui) => {
		const measure = ui.cost.measure === 'cost' ? 'tokens' : 'cost'
		return { ...ui, cost: { ...ui.cost, measure } }
	})
}

/** Asks for the file; a name is there already. */
export function askCostFile(app: App): void {
	typeFile(app, `styrby-cost-by-${app.ui.cost.by}.csv`, null)
}

function typeFile(app: App, path: string, problem: SafeText | null): void {
	const edit = insertText(emptyEdit, path)
	app.update((ui) => ({
		...ui,
		screens: [...ui.screens, { name: 'export-cost', edit, problem }],
	}))
}

/** Writes the groups on the screen; what is still being read is not in it, which is said. */
export function writeCostFile(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'export-cost') return
	const path = editText(top.edit).trim()
	if (path === '') return
	const { cost } = app.ui
	const groups = groupsOf(inRange(app.data.cost.spent, cost, app.options.now()), cost)
	const { reading } = app.data.cost
	app.update((ui) => ({ ...ui, screens: ui.screens.slice(0, -1) }))
	app.options.save(path, only(costCsv([cost.by], groups))).then(
		(at) => {
			const part = reading ? safeText` Not all was read yet.` : safeText``
			const written = safeText`${groups.length} rows written to ${oneLine(at)}.${part}`
			app.toast(written, reading ? 'warn' : 'ok')
		},
		(error: unknown) => {
			if (!(error instanceof StyrbyError)) throw error
			app.options.notifier.log(error)
			const problem =
				error.code === 'file_exists'
					? safeText`There is such a file already: choose another name.`
					: displayText(error.message)
			if (topScreen(app.ui).name === 'cost') typeFile(app, path, problem)
			else app.toast(problem, 'error')
		},
	)
}

async function* only(text: string): AsyncGenerator<string> {
	yield text
}
