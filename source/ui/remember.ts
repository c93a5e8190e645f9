interface Store<K, T> {
	get(key: K): T | undefined
	set(key: K, value: T): unknown
}

/** What is stored under `key`; made and stored when there is nothing yet. */
export function remember<K, T>(store: Store<K, T>, key: K, make: () => T): T {
	const known = store.get(key)
	if (known !== undefined) return known
	const made = make()
	store.set(key, made)
	return made
}
