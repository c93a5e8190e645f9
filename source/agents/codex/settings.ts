/** Facts about a thread: its model, its folder, and whether its requests reach a person. */
import * as v from 'valibot'
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
		...mode(approvalPolicy, approvalsReviewer, sandbox?.type ?? null),
	}
}

export function factsOfSettings(settings: unknown): Facts {
	const parsed = v.safeParse(settingsSchema, settings)
	if (!parsed.success) return {}
	const { model, cwd, approvalPolicy, approvalsReviewer, sandboxPolicy } = parsed.output
	return {
		...(model === null ? {} : { model }),
		...(cwd === null ? {} : { cwd }),
		...mode(approvalPolicy, approvalsReviewer, sandboxPolicy?.type ?? null),
	}
}

const granularSchema = v.object({ granular: v.record(v.string(), v.unknown()) })

/** Requests reach a person only under these policies, and when no reviewer of Codex's own takes them. */
function mode(policy: unknown, reviewer: string | null, sandbox: string | null): Facts {
	const granular = v.safeParse(granularSchema, policy)
	const name = granular.success ? 'granular' : typeof policy === 'string' ? policy : null
	if (name === null) return {}
	const some = granular.success && Object.values(granular.output.granular).includes(true)
	const asked = name === 'on-request' || name === 'untrusted' || some
	const person = reviewer === null || reviewer === 'user'
	const parts = [name, ...(person ? [] : [reviewer]), ...(sandbox === null ? [] : [sandbox])]
	return { mode: parts.join(', '), asks: asked && person }
}
