/** What the keys of the cost screen do. */
import { costRanges, rangeStart } from '../viewer/cost-since.ts'
import { dimensions } from '../viewer/cost-table.ts'
import type { App } from './app.ts'

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
