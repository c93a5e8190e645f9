import type { HookTimes } from '../../agents/hooked.ts'
import type { Settings } from '../../config/settings.ts'

export function hookTimes({ requestTimeoutMinutes, hookHoldSeconds }: Settings): HookTimes {
	const request = requestTimeoutMinutes * 60_000
	return { request, hold: Math.min(request, hookHoldSeconds * 1000) }
}
