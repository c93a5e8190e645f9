export function totalsByMonth(expenses) {
	const totals = new Map()
	for (const { date, cents } of expenses) {
		const month = date.slice(0, 7)
		totals.set(month, (totals.get(month) ?? 0) + cents)
	}
	return [...totals]
		.map(([month, cents]) => ({ month, cents }))
		.sort((a, b) => a.month.localeCompare(b.month))
}
