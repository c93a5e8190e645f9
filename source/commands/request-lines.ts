/** Permission requests as plain text and as JSON. */

import { oneLine } from '../text/one-line.ts'
import { requestSummary } from '../text/request-summary.ts'
import { relativeTime } from '../text/time.ts'
import { eventToPlainLines } from '../text/transcript.ts'
import type { RequestView } from '../viewer/viewer.ts'

/** What `--json` prints of a request; a shape that scripts depend on. */
export function requestJson(request: RequestView) {
	const { body } = request
	const decided = decisionOf(request)
	return {
		id: request.id,
		session: request.session,
		agent: request.agent,
		status: request.status,
		tool: body?.tool ?? null,
		summary: body ? requestSummary(body) : null,
		input: body?.input ?? null,
		cwd: body?.cwd ?? null,
		risk: request.risk,
		digest: request.digest,
		problem: request.problem,
		created_at: request.createdAt,
		expires_at: request.expiresAt,
		decided: decided && {
			device: decided.device,
			name: decided.name,
			by: decided.by,
			decision: decided.result === 'approved' ? 'allow' : 'deny',
			scope: decided.scope,
			reason: decided.reason,
			input: decided.input,
			at: decided.at,
			verified: decided.verified,
		},
	}
}

/** Nobody decided what expired or was taken back: its status says all. */
function decisionOf({ decided }: RequestView): RequestView['decided'] {
	return decided?.result === 'approved' || decided?.result === 'denied' ? decided : null
}

function decidedLine({ decided }: RequestView): string | null {
	if (!decided) return null
	const who =
		decided.by === 'device'
			? (decided.name ?? decided.device ?? 'a device')
			: decided.by === 'agent'
				? 'the agent’s own prompt'
				: decided.by === 'policy'
					? 'a policy of the host'
					: 'the host'
	const proof = decided.verified ? 'signature verified' : 'NOT VERIFIED'
	const reason = decided.reason ? `: ${oneLine(decided.reason)}` : ''
	return `  ${decided.result} by ${oneLine(who)} (${proof})${reason}`
}

/** A request in full: what would be done, where, how risky, and what became of it. */
export function requestLines(request: RequestView, now: Date, width: number): string {
	const age = relativeTime(Date.parse(request.createdAt), now.getTime())
	const head = `${request.id.slice(0, 8)}  ${request.status}  ${oneLine(request.agent)}  ${oneLine(request.project ?? '–')}  ${age}`
	const lines = [head]
	if (request.body && request.problem === null) {
		const event = { kind: 'permission_request', body: request.body } as const
		lines.push(...eventToPlainLines(event, width - 2).map((line) => `  ${line}`))
	} else {
		lines.push(
			`  ✗ ${oneLine(request.problem ?? 'can not be read')}: it can be denied, not approved`,
		)
	}
	if (request.risk) {
		const reasons = request.risk.reasons.map((reason) => oneLine(reason)).join('; ')
		lines.push(`  risk ${request.risk.level}${reasons ? `: ${reasons}` : ''}`)
	}
	const decided = decidedLine(request)
	if (decided) lines.push(decided)
	return `${lines.join('\n')}\n`
}
