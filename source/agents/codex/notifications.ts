/** Notifications of the app-server that make no event of their own, and the plan. */
import type { RawParams } from './schema.ts'

/** Bookkeeping, and what comes again in another message. */
const quiet = new Set([
	'account/login/completed',
	'account/rateLimits/updated',
	'account/updated',
	'app/list/updated',
	'autoApprovalReview/strictReviewRequired',
	'command/exec/outputDelta',
	'fs/changed',
	'hook/completed',
	'hook/started',
	'item/commandExecution/outputDelta',
	'item/commandExecution/terminalInteraction',
	'item/fileChange/outputDelta',
	'item/mcpToolCall/progress',
	'item/reasoning/summaryPartAdded',
	'mcpServer/oauthLogin/completed',
	'mcpServer/startupStatus/updated',
	'model/verification',
	'process/exited',
	'process/outputDelta',
	'project/changed',
	'rawResponse/completed',
	'rawResponseItem/completed',
	'remoteControl/status/changed',
	'skills/changed',
	'thread/archived',
	'thread/attachment/updated',
	'thread/closed',
	'thread/compacted',
	'thread/environment/connected',
	'thread/environment/disconnected',
	'thread/name/updated',
	'thread/prediction/updated',
	'thread/project/updated',
	'thread/queue/changed',
	'thread/readState/changed',
	'thread/section/changed',
	'thread/started',
	'thread/status/changed',
	'thread/unarchived',
	'turn/diff/updated',
	'turn/moderationMetadata',
])

export function isQuiet(method: string): boolean {
	return quiet.has(method) || method.startsWith('fuzzyFileSearch/')
}

const marks: Readonly<Record<string, string>> = { completed: 'x', inProgress: '~' }

/** The agent's plan as a list, or `null` where there is none. */
export function planText({ plan, explanation }: RawParams): string | null {
	if (plan === null || plan.length === 0) return explanation
	const steps = plan.map(({ step, status }) => `[${marks[status ?? ''] ?? ' '}] ${step}`)
	return [...(explanation === null ? [] : [explanation]), ...steps].join('\n')
}
