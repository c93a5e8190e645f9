import { lineWidth, padLine, type StyledLine, spaces, truncateLine } from '../../text/styled.ts'

/** `left` at the left and `right` at the right of exactly `width` columns. Where both do not fit, `right` goes first. */
export function sides(left: StyledLine, right: StyledLine, width: number): StyledLine {
	const room = width - lineWidth(left) - lineWidth(right)
	if (lineWidth(right) > 0 && room >= 1) return [...left, spaces(room), ...right]
	return padLine(truncateLine(left, width), width)
}

/** As `sides`, but it is `left` that is cut where both do not fit. */
export function keepRight(left: StyledLine, right: StyledLine, width: number): StyledLine {
	const room = width - lineWidth(right) - (right.length > 0 ? 1 : 0)
	return sides(truncateLine(left, Math.max(4, room)), right, width)
}

/** Parts with a separator between them; empty parts are left out. */
export function joined(parts: readonly StyledLine[], separator: StyledLine): StyledLine {
	return parts
		.filter((part) => part.length > 0)
		.flatMap((part, index) => (index === 0 ? part : [...separator, ...part]))
}
