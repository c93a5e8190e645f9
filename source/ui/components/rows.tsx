import { Box, Text } from 'ink'
import { memo } from 'react'
import { compactLine, isSameLine, type StyledLine } from '../../text/styled.ts'
import type { Theme } from '../theme.ts'

/** One row of the screen, wrapped and cut to its width already. */
export interface Row {
	line: StyledLine
	/** Highlighted: drawn inverse, over its whole width, in one colour. */
	selected?: boolean
	/** The entry or item that it is of. */
	id?: string
}

interface RowProps {
	line: StyledLine
	selected: boolean
	theme: Theme
}

/** Frames are made anew each time, most of their rows as they were: what is the same is not drawn again. */
function isSame(before: RowProps, after: RowProps): boolean {
	return (
		before.selected === after.selected &&
		before.theme === after.theme &&
		isSameLine(before.line, after.line)
	)
}

const RowText = memo(function RowText({ line, selected, theme }: RowProps) {
	if (line.length === 0) return <Text> </Text>
	return (
		<Text wrap="truncate" inverse={selected}>
			{compactLine(line).map(({ text, style }, index) => (
				// biome-ignore lint/suspicious/noArrayIndexKey: spans have no identity but their place
				<Text key={index} {...(selected ? { bold: theme[style].bold ?? false } : theme[style])}>
					{text}
				</Text>
			))}
		</Text>
	)
}, isSame)

/** Rows in a box of exactly `width` by `height`. */
export function Rows({
	rows,
	width,
	height,
	theme,
}: {
	rows: readonly Row[]
	width: number
	height: number
	theme: Theme
}) {
	return (
		<Box width={width} height={height} flexDirection="column" flexShrink={0}>
			{rows.slice(0, height).map((row, index) => (
				<RowText
					// biome-ignore lint/suspicious/noArrayIndexKey: a row is its place on the screen
					key={index}
					line={row.line}
					selected={row.selected ?? false}
					theme={theme}
				/>
			))}
		</Box>
	)
}
