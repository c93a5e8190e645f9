import { safeText } from '../../text/safe-text.ts'
import { span } from '../../text/styled.ts'
import { emptyScreen, type Model, type ScreenFrame } from '../frame.ts'
import { revokedLines } from '../present/revoked.ts'
import type { Size } from '../state.ts'
import { onlyCard } from './list-and-card.ts'

/** All that a revoked device shows. */
export function revokedScreen({ data, now }: Model, size: Size): ScreenFrame {
	const { revoked } = data.info
	if (!revoked) return emptyScreen
	const title = [span(safeText`revoked`, 'error')]
	return onlyCard(
		{ id: 'revoked', title, lines: revokedLines(revoked, size.columns, now), top: 0 },
		size,
	)
}
