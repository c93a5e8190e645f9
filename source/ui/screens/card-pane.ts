import { oneLine } from '../../text/one-line.ts'
import { safeText } from '../../text/safe-text.ts'
import { emptyLine, type StyledLine, span } from '../../text/styled.ts'
import type { RequestView } from '../../viewer/viewer.ts'
import { type ShownRequest, shownDigest } from '../attention.ts'
import type { CardFrame, Model, Pane } from '../frame.ts'
import { type Card, requestCard } from '../present/request-card.ts'
import { joined } from '../present/sides.ts'
import { scrollPane } from './scroll-pane.ts'

/** One request in a pane of its own, scrolled where it is too long. */
export function cardPane(
	model: Model,
	request: RequestView,
	options: { width: number; height: number; active: boolean },
): { pane: Pane; card: CardFrame; shown: ShownRequest } {
	const card = cardOf(model, request, options.width, true)
	const wanted = model.ui.cardTops.get(request.id) ?? 0
	const { rows, top, total, shown } = scrollPane(card.lines, wanted, options)
	return {
		pane: { ...options, title: cardTitle(request), rows },
		card: { id: request.id, top, height: options.height, total },
		shown: shownOf(request, card, options.width, top, top + shown),
	}
}

export function cardOf(model: Model, request: RequestView, width: number, focused: boolean): Card {
	const decision = model.data.decisions.get(request.id) ?? null
	const of = model.data.sessions.find(({ id }) => id === request.session)
	const silent = of?.stale === true
	const options = { decision, width, now: model.now, focused, silent, keymap: model.keymap }
	// How much is unread is said in the card itself, so it is drawn once to know how much there is.
	const { matter } = requestCard(request, { ...options, unread: 0 })
	const unread = model.attention.unread(request.id, shownDigest(request), matter.to - matter.from)
	return requestCard(request, { ...options, unread })
}

/** Which of the lines that matter are among the lines `from` to `to` of the card. */
export function shownOf(
	request: RequestView,
	{ matter }: Card,
	width: number,
	from: number,
	to: number,
): ShownRequest {
	const clip = (line: number) => Math.min(Math.max(line, matter.from), matter.to) - matter.from
	return {
		id: request.id,
		digest: shownDigest(request),
		width,
		total: matter.to - matter.from,
		from: clip(from),
		to: clip(to),
	}
}

function cardTitle({ project, agent, session }: RequestView): StyledLine {
	const name: StyledLine = [span(oneLine(project ?? session.slice(0, 8)), 'strong')]
	return joined([name, [span(oneLine(agent))], emptyLine], [span(safeText` · `, 'dim')])
}
