/** Whether version `one` came before `other` (`1.2.3`; what follows a hyphen comes before the bare one). */
export function isOlder(one: string, other: string): boolean {
	const [a, b] = [parts(one), parts(other)]
	for (let place = 0; place < 3; place += 1) {
		const difference = (a.numbers[place] ?? 0) - (b.numbers[place] ?? 0)
		if (difference !== 0) return difference < 0
	}
	if (a.suffix === '' || b.suffix === '') return a.suffix !== '' && b.suffix === ''
	return a.suffix < b.suffix
}

function parts(version: string): { numbers: number[]; suffix: string } {
	const [core = '', ...rest] = version.split('-')
	return {
		numbers: core.split('.').map((number) => Number.parseInt(number, 10) || 0),
		suffix: rest.join('-'),
	}
}
