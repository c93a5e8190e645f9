import { Box, Text } from 'ink'
import { repeatText, safeText } from '../../text/safe-text.ts'
import { lineWidth, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { type Pane, titleFrame } from '../frame.ts'
import type { Theme } from '../theme.ts'
import { Rows } from './rows.tsx'

/** A pane: its title on a rule, then its rows. */
export function PaneView({ pane, theme }: { pane: Pane; theme: Theme }) {
	const { width, height, title, active, rows } = pane
	return (
		<Box flexDirection="column" width={width} height={height + 1} flexShrink={0}>
			<Rows
				rows={[{ line: titleRule(title, width, active) }]}
				width={width}
				height={1}
				theme={theme}
			/>
			<Rows rows={rows} width={width} height={height} theme={theme} />
		</Box>
	)
}

/** The line between two panes that stand side by side. */
export function Divider({ height }: { height: number }) {
	return (
		<Box width={1} height={height} flexShrink={0}>
			<Text dimColor>{safeText`┬\n${repeatText(safeText`│\n`, height - 1)}`.trimEnd()}</Text>
		</Box>
	)
}

function titleRule(title: StyledLine, width: number, active: boolean): StyledLine {
	const style = active ? 'accent' : 'dim'
	const name = truncateLine(title, width - titleFrame)
	if (name.length === 0) return [span(repeatText(safeText`─`, width), style)]
	const rest = Math.max(0, width - lineWidth(name) - 3)
	return [
		span(active ? safeText`━ ` : safeText`─ `, style),
		...name,
		span(safeText` `),
		span(repeatText(active ? safeText`━` : safeText`─`, rest), style),
	]
}
