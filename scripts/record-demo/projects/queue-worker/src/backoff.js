/** Milliseconds before the next attempt: 2, 4, 8 … seconds, at most a minute, with up to 20 % on top. */
export function delayFor(attempts, random = Math.random) {
	const base = Math.min(60_000, 1000 * 2 ** attempts)
	return Math.round(base * (1 + random() * 0.2))
}
