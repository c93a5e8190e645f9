export function parseNorthpost(answer) {
	const events = answer.history.map((event) => {
		let status = 'unknown'
		if (event.state === 'accepted') status = 'collected'
		if (event.state === 'transit') status = 'moving'
		if (event.state === 'done') status = 'delivered'
		return { at: new Date(event.when * 1000).toISOString(), status, place: event.office ?? null }
	})
	events.sort((a, b) => a.at.localeCompare(b.at))
	return {
		carrier: 'northpost',
		number: answer.parcel,
		events,
		delivered: events.some((e) => e.status === 'delivered'),
	}
}
