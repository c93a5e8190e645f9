import type { Readable } from '../../source/viewer/viewer.ts'

/** Waits until a value is as it should be; throws with the value when it never is. */
export async function reaches<T, S extends T = T>(
	readable: Readable<T>,
	holds: ((value: T) => value is S) | ((value: T) => boolean),
	ms = 20_000,
): Promise<T> {
	const { promise, resolve, reject } = Promise.withResolvers<T>()
	const timer = setTimeout(
		() => reject(new Error(`never reached; it is ${JSON.stringify(readable.get())}`)),
		ms,
	)
	const look = () => {
		const value = readable.get()
		if (holds(value)) resolve(value)
	}
	const stop = readable.subscribe(look)
	look()
	return promise.finally(() => {
		clearTimeout(timer)
		stop()
	})
}
