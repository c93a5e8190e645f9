import { useApp, useInput, usePaste } from 'ink'
import { useEffect, useLayoutEffect, useSyncExternalStore } from 'react'
import type { DrawnFrame } from '../frame.ts'
import { keyPress } from '../keys.ts'
import type { Terminal } from '../terminal.ts'
import type { Drawn } from './root.tsx'

/** Ties an app to Ink for its keys alone; each frame is told, and counts as seen when it was. */
export function SpokenRoot<F extends DrawnFrame>({
	app,
	terminal,
	tell,
}: {
	app: Drawn<F>
	terminal: Terminal
	tell: (frame: F) => void
}) {
	const frame = useSyncExternalStore(app.subscribe, app.frame)
	const { suspendTerminal } = useApp()
	useEffect(() => terminal.attach(suspendTerminal), [terminal, suspendTerminal])
	useLayoutEffect(() => {
		tell(frame)
		app.drawn(frame)
	}, [app, frame, tell])
	useInput((input, key) => app.press(keyPress(input, key)))
	usePaste((text) => app.paste(text))
	return null
}
