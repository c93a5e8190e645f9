import { homeError } from '../config/home-error.ts'
import { StyrbyError } from '../protocol/errors.ts'

/**
 * What a failure of the outbox's disk means: `outbox_full`, `home_not_writable`, else `outbox_failed`.
 */
export function outboxError(cause: unknown): StyrbyError {
	if (cause instanceof StyrbyError) return cause
	switch (homeError(cause, 'The data folder').code) {
		case 'disk_full':
			return new StyrbyError(
				'outbox_full',
				'The disk is full, so nothing more can be kept: free some space, and the session goes on being published.',
				{ cause },
			)
		case 'home_not_writable':
			return homeError(cause, 'The data folder')
		default:
			return new StyrbyError(
				'outbox_failed',
				'The outbox of this session can not be used: see whether its disk is sound, then start the session again.',
				{ cause },
			)
	}
}
