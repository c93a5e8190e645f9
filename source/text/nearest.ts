/** The one of `names` that was most likely meant by `given`, or `null` where none is close. */
export function nearest(given: string, names: readonly string[]): string | null {
	const begun = names.filter((name) => given.length >= 2 && name.startsWith(given))
	if (begun.length === 1) return begun[0] ?? null
	const limit = given.length <= 4 ? 1 : 2
	const near = names
		.map((name) => ({ name, distance: editDistance(given, name) }))
		.filter(({ distance }) => distance <= limit)
		.sort((a, b) => a.distance - b.distance)
	return near[0]?.name ?? null
}

/** Insertions, deletions and replacements that turn one word into the other. */
function editDistance(from: string, to: string): number {
	let row = Array.from({ length: to.length + 1 }, (_, index) => index)
	for (let i = 1; i <= from.length; i++) {
		const next = [i]
		for (let j = 1; j <= to.length; j++) {
			const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
			next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
		}
		row = next
	}
	return row[to.length] ?? 0
}
