/** The present of every screen test. */
export const now = Date.parse('2026-03-04T12:00:00.000Z')
export const at = (secondsAgo: number) => new Date(now - secondsAgo * 1000).toISOString()
/** A UUID that reads well in a failure. */
export const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
