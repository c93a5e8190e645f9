import { oneLine } from '../../text/one-line.ts'
import { joinText, type SafeText, safeText } from '../../text/safe-text.ts'
import { type StyledLine, spaces, span, truncateLine } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { GrantsState, SentState, SessionGrant } from '../../viewer/viewer.ts'
import { deviceName } from './device-name.ts'
import { sentLines } from './sent-lines.ts'
import type { ListRow } from './session-list.ts'
import { keepRight } from './sides.ts'
import { clockTime } from './times.ts'

/** `Bash(npm install:*)`, or several of them. */
export function rulesText({ rules }: Pick<SessionGrant, 'rules'>): SafeText {
	const texts = rules.map(({ tool, rule }) =>
		rule === null ? oneLine(tool) : safeText`${oneLine(tool)}(${oneLine(rule)})`,
	)
	return joinText(texts, safeText`, `)
}

/** How often requests were allowed by it. */
export function usesText({ uses, keeper }: Pick<SessionGrant, 'uses' | 'keeper'>): SafeText {
	if (keeper === 'agent') return safeText`the agent keeps it`
	if (uses === 0) return safeText`not used`
	return uses === 1 ? safeText`used once` : safeText`used ${uses} times`
}

/** Rules as they are listed, the newest first. */
/** Below that, what a rule is about stands under it, columns. */
const roomy = 60

/** Rules as they are listed, the newest first. */
export function grantRows({ grants, looking }: GrantsState, width: number): ListRow[] {
	if (grants.length === 0) {
		const text = looking
			? safeText`… reading what hosts allow`
			: safeText`nothing is allowed for a session`
		return [{ id: null, line: truncateLine([span(text, 'dim')], width) }]
	}
	return grants.flatMap((grant): ListRow[] => {
		const { id } = grant
		const sign = span(safeText`✓ `, 'ok')
		const name = oneLine(grant.project ?? grant.agent)
		const uses = usesText(grant)
		if (width < roomy) {
			const about = [span(safeText`  ${name} · ${uses}`, 'dim')]
			return [
				{ id, line: truncateLine([sign, span(rulesText(grant), 'strong')], width) },
				{ id: null, line: truncateLine(about, width) },
			]
		}
		const left = [sign, span(name, 'strong'), span(safeText`  ${rulesText(grant)}`)]
		return [{ id, line: keepRight(left, [span(uses, 'dim'), span(safeText` `)], width) }]
	})
}

/** One rule in full: nothing of it is cut. */
export function grantCard(
	grant: SessionGrant,
	{
		sent,
		width,
		now,
		key,
	}: { sent: readonly SentState[]; width: number; now: number; key: SafeText },
): StyledLine[] {
	const { device, at, usedAt, verified, keeper, rules } = grant
	const line = (label: SafeText, text: SafeText, style: 'plain' | 'strong' | 'error' = 'plain') =>
		wrapLine([span(text, style)], width, {
			mode: 'columns',
			first: [span(safeText`  ${label}`, 'dim')],
			rest: [spaces(2 + 10)],
		})
	const signed = verified ? safeText` ✓ signature checked` : safeText` ✗ NOT signed by it`
	const by = safeText`${deviceName(device.id, device.name)}${signed}`
	const used =
		usedAt === null ? usesText(grant) : safeText`${usesText(grant)}, last at ${clockTime(usedAt)}`
	const takeBacks = sent.filter(({ what }) => what.kind === 'take_back').slice(-1)
	return [
		...rules.flatMap((rule, index) =>
			line(
				index === 0 ? safeText`allows    ` : safeText`          `,
				rulesText({ rules: [rule] }),
				'strong',
			),
		),
		...line(safeText`given by  `, by, verified ? 'plain' : 'error'),
		...line(safeText`at        `, clockTime(at)),
		...line(safeText`used      `, used),
		...line(
			safeText`until     `,
			keeper === 'host'
				? safeText`the session ends, or it is taken back`
				: safeText`the session ends`,
		),
		...wrapLine(
			[span(keeper === 'host' ? hostsWord(key) : agentsWord, keeper === 'host' ? 'dim' : 'warn')],
			width,
			{
				first: [spaces(2)],
				rest: [spaces(2)],
			},
		),
		...sentLines(takeBacks, { width, now, over: false }),
	]
}

const hostsWord = (key: SafeText) =>
	safeText`Its host answers by this rule, for each part of a command; what is of high risk is asked all the same. [${key}] takes it back.`
const agentsWord = safeText`The agent was handed this rule, keeps it until the session ends, and asks nobody by it: it is not counted, and can not be taken back. Interrupt it or end the session.`
