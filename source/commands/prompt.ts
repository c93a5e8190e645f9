import type { Invocation } from './command.ts'
import { promptText, sendTo } from './send.ts'

export async function run(invocation: Invocation) {
	const text = await promptText(invocation)
	return sendTo(invocation, async () => ({ kind: 'prompt', text }))
}
