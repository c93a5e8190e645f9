/** Facts about a thread: its model, its folder, and whether its requests reach a person. */
import * as v from 'valibot'
import type { AgentOutput } from '../agent.ts'
import { modeOf } from './modes.ts'
import { type Opened, settingsSchema } from './schema.ts'

export interface Facts {
	session?: string
	model?: string
	cwd?: string
	version?: string
	mode?: string
	asks?: boolean
}

export function factsOfOpened(opened: Opened): Facts {
	const { thread, model, cwd, approvalPolicy, approvalsReviewer, sandbox } = opened
	return {
		session: thread.id,
		...(thread.cliVersion === null ? {} : { version: thread.cliVersion }),
		...(model === null ? {} : { model }),
		...(cwd === null ? {} : { cwd }),
		...modeOf(approvalPolicy, approvalsReviewer, sandbox?.type ?? null),
	}
}

export function factsOfSettings(settings: unknown): Facts {
	const parsed = v.safeParse(settingsSchema, settings)
	if (!parsed.success) return {}
	const { model, cwd, approvalPolicy, approvalsReviewer, sandboxPolicy } = parsed.output
	return {
		...(model === null ? {} : { model }),
		...(cwd === null ? {} : { cwd }),
		...modeOf(approvalPolicy, approvalsReviewer, sandboxPolicy?.type ?? null),
	}
}

/** What is not known yet, or `null` when all of it is. */
export function whatIsNew(
	known: Facts,
	facts: Facts,
): Extract<AgentOutput, { type: 'about' }> | null {
	const { session, model, cwd, version, mode, asks } = facts
	const about: Extract<AgentOutput, { type: 'about' }> = { type: 'about' }
	if (session !== undefined && session !== known.session) about.session = session
	if (model !== undefined && model !== known.model) about.model = model
	if (cwd !== undefined && cwd !== known.cwd) about.cwd = cwd
	if (version !== undefined && version !== known.version) about.version = version
	if (mode !== undefined && (mode !== known.mode || asks !== known.asks)) {
		about.mode = mode
		if (asks !== undefined) about.asks = asks
	}
	return Object.keys(about).length > 1 ? about : null
}
