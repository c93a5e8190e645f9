export function parseSwift(answer) {
	const events = answer.events.map((event) => {
		let status = 'unknown'
		if (event.code === 'PU') status = 'collected'
		if (event.code === 'IT') status = 'moving'
		if (event.code === 'DL') status = 'delivered'
		return { at: new Date(event.time).toISOString(), status, place: event.city ?? null }
	})
	events.sort((a, b) => a.at.localeCompare(b.at))
	return {
		carrier: 'swift',
		number: answer.id,
		events,
		delivered: events.some((e) => e.status === 'delivered'),
	}
}
