import type { Invocation } from './command.ts'
import { sendTo } from './send.ts'

export const run = (invocation: Invocation) =>
	sendTo(invocation, async () => ({ kind: 'interrupt' }))
