import { Box, Text, useCursor } from 'ink'
import { Fragment } from 'react'
import type { DrawnFrame } from '../frame.ts'
import { smallest } from '../layout.ts'
import type { Theme } from '../theme.ts'
import { Divider, PaneView } from './pane-view.tsx'
import { Rows } from './rows.tsx'

/** A whole frame, in a box of exactly the terminal's size: never higher, or all of it would flicker. */
export function FrameView({ frame, theme }: { frame: DrawnFrame; theme: Theme }) {
	const { size, header, notices, panes, direction, input, keys, footer, tooSmall } = frame
	const { columns, rows } = size
	const { setCursorPosition } = useCursor()
	const cursor = tooSmall ? null : (input?.cursor ?? null)
	const typed = rows - 1 - keys.length - (input?.text.length ?? 0)
	setCursorPosition(cursor ? { x: cursor.column, y: typed + cursor.row } : undefined)
	if (tooSmall) return <TooSmall frame={frame} />
	const above = [header, ...notices].map((line) => ({ line }))
	const below = [...(input ? [...input.label, ...input.text] : []), ...keys, footer].map(
		(line) => ({
			line,
		}),
	)
	const body = rows - above.length - below.length
	return (
		<Box flexDirection="column" width={columns} height={rows}>
			<Rows rows={above} width={columns} height={above.length} theme={theme} />
			<Box flexDirection={direction} width={columns} height={body} flexShrink={0}>
				{panes.map((pane, index) => (
					// biome-ignore lint/suspicious/noArrayIndexKey: a pane is its place on the screen
					<Fragment key={index}>
						{index > 0 && direction === 'row' && <Divider height={body} />}
						<PaneView pane={pane} theme={theme} />
					</Fragment>
				))}
			</Box>
			<Rows rows={below} width={columns} height={below.length} theme={theme} />
		</Box>
	)
}

/** Says what is missing; what waits is still counted, and the keys that leave still work. */
function TooSmall({ frame }: { frame: DrawnFrame }) {
	const { columns, rows } = frame.size
	const { waiting } = frame.context
	const texts = [
		`Too small: needs ${smallest.columns}×${smallest.rows}`,
		waiting > 0 ? `⚠ ${waiting} waiting` : '',
		'^c leaves',
	].filter((text) => text !== '')
	return (
		<Box flexDirection="column" width={columns} height={rows}>
			{texts.slice(0, Math.max(1, rows)).map((text) => (
				<Text key={text} wrap="truncate">
					{text}
				</Text>
			))}
		</Box>
	)
}
