import { useApp, useInput, usePaste } from 'ink'
import { useEffect, useLayoutEffect, useSyncExternalStore } from 'react'
import type { App } from '../app.ts'
import { keyPress } from '../keys.ts'
import type { Terminal } from '../terminal.ts'
import type { Theme } from '../theme.ts'
import { FrameView } from './frame-view.tsx'

/** Ties the app to Ink: keys in, frames out. */
export function Root({ app, theme, terminal }: { app: App; theme: Theme; terminal: Terminal }) {
	const frame = useSyncExternalStore(app.subscribe, app.frame)
	const { suspendTerminal } = useApp()
	useEffect(() => terminal.attach(suspendTerminal), [terminal, suspendTerminal])
	useLayoutEffect(() => app.drawn(frame), [app, frame])
	useInput((input, key) => app.press(keyPress(input, key)))
	usePaste((text) => app.paste(text))
	return <FrameView frame={frame} theme={theme} />
}
