/** The same stream, one function of which is another one. */
export function replacing<S extends object, K extends keyof S>(stream: S, name: K, by: S[K]): S {
	return new Proxy(stream, {
		get(target, property) {
			if (property === name) return by
			const value: unknown = Reflect.get(target, property, target)
			return typeof value === 'function' ? value.bind(target) : value
		},
	})
}
