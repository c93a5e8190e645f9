export const berths = [
	{ id: 'A1', length: 12 },
	{ id: 'A2', length: 18 },
]
