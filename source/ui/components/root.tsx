import { useApp, useInput, usePaste } from 'ink'
import { useEffect, useInsertionEffect, useSyncExternalStore } from 'react'
import type { DrawnFrame } from '../frame.ts'
import { type KeyPress, keyPress } from '../keys.ts'
import type { Painted } from '../painted.ts'
import type { Terminal } from '../terminal.ts'
import type { Theme } from '../theme.ts'
import { FrameView } from './frame-view.tsx'

/** What is shown on a terminal: an app with its frames. */
export interface Drawn<F extends DrawnFrame> {
	subscribe(listener: () => void): () => void
	/** The same object until something changes. */
	frame(): F
	/** `frame` was written to the terminal. */
	drawn(frame: F): void
	press(key: KeyPress): void
	paste(text: string): void
}

/** Ties an app to Ink: keys in, frames out. */
export function Root<F extends DrawnFrame>({
	app,
	theme,
	terminal,
	painted,
}: {
	app: Drawn<F>
	theme: Theme
	terminal: Terminal
	painted: Painted<F>
}) {
	const frame = useSyncExternalStore(app.subscribe, app.frame)
	const { suspendTerminal } = useApp()
	useEffect(() => terminal.attach(suspendTerminal), [terminal, suspendTerminal])
	// Output is made before effects of layout run.
	useInsertionEffect(() => painted.committed(frame), [painted, frame])
	useInput((input, key) => app.press(keyPress(input, key)))
	usePaste((text) => app.paste(text))
	return <FrameView frame={frame} theme={theme} />
}
