/** Permission requests in one line, for a status bar or a shell prompt. */
import type { Connection, RequestView } from '../../viewer/viewer.ts'

export interface Waiting {
	waiting: number
	/** Those of them that are of high risk, or whose risk is not known. */
	high: number
	connected: boolean
}

/** What the server says was decided, and no host has signed, may well be waiting. */
export function waits({ status, body, decided }: RequestView): boolean {
	return status === 'pending' || (body !== null && decided === null)
}

export function countWaiting(
	requests: readonly RequestView[],
	{ state }: Pick<Connection, 'state'>,
): Waiting {
	const waiting = requests.filter(waits)
	const high = waiting.filter(({ risk }) => risk === null || risk.level === 'high')
	return { waiting: waiting.length, high: high.length, connected: state !== 'lost' }
}

/**
 * `⚠ 2 waiting, 1 high risk`; nothing waits: an empty line. Numbers and words of ours only: a status bar
 * may take what stands in a name for a command of its own.
 */
export function waitingLine({ waiting, high, connected }: Waiting): string {
	const parts = [
		...(waiting === 0 ? [] : [`⚠ ${waiting} waiting${high === 0 ? '' : `, ${high} high risk`}`]),
		...(connected ? [] : ['no connection']),
	]
	return parts.join(', ')
}
