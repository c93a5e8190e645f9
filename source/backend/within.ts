/** Waits for `work`, but no longer than `ms`. Throws what `work` throws in that time. */
export async function within(work: Promise<unknown>, ms: number): Promise<void> {
	let timer: NodeJS.Timeout | undefined
	const limit = new Promise<void>((resolve) => {
		timer = setTimeout(resolve, ms)
	})
	try {
		await Promise.race([work, limit])
	} finally {
		clearTimeout(timer)
	}
}
