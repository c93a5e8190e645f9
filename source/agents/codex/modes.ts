/**
 * What Codex calls its approval policy and its sandbox, in one name. Where the person is asked, the name is
 * the sandbox's alone (`read-only`, `workspace-write`).
 */
import * as v from 'valibot'

/** Those that it can be put in from elsewhere: in all of them the person is asked for what they don't allow. */
const sandboxes: ReadonlyMap<string, object> = new Map([
	['read-only', { type: 'readOnly', networkAccess: false }],
	[
		'workspace-write',
		{
			type: 'workspaceWrite',
			writableRoots: [],
			networkAccess: false,
			excludeTmpdirEnvVar: false,
			excludeSlashTmp: false,
		},
	],
])

export const modes: readonly string[] = [...sandboxes.keys()]

/** The settings of a mode for `thread/settings/update`, or `null` for one that is not among them. */
export function settingsOf(mode: string): object | null {
	const sandboxPolicy = sandboxes.get(mode)
	if (sandboxPolicy === undefined) return null
	return { approvalPolicy: 'on-request', approvalsReviewer: 'user', sandboxPolicy }
}

const granularSchema = v.object({ granular: v.record(v.string(), v.unknown()) })

/** Requests reach a person only under these policies, and when no reviewer of Codex's own takes them. */
export function modeOf(
	policy: unknown,
	reviewer: string | null,
	sandbox: string | null,
): { mode?: string; asks?: boolean } {
	const granular = v.safeParse(granularSchema, policy)
	const name = granular.success ? 'granular' : typeof policy === 'string' ? policy : null
	if (name === null) return {}
	const some = granular.success && Object.values(granular.output.granular).includes(true)
	const person = reviewer === null || reviewer === 'user'
	const asks = (name === 'on-request' || name === 'untrusted' || some) && person
	const where = sandbox?.replace(/[A-Z]/g, (sign) => `-${sign.toLowerCase()}`) ?? null
	if (name === 'on-request' && person && where !== null) return { mode: where, asks }
	const parts = [name, person ? null : reviewer, where].filter((part) => part !== null)
	return { mode: parts.join(', '), asks }
}
