/** The screens over plain data, which break in the way that the command line names, once they were drawn. */
import { runApp } from '../../source/ui/run-app.tsx'
import { ScriptedViewer, summary } from '../ui/_viewer.ts'

const viewer = new ScriptedViewer()
viewer.sessions.set([summary()])

/** What draws a session reads its agent. */
function breakComponent(): void {
	const broken = summary()
	Object.defineProperty(broken, 'agent', {
		get: () => {
			throw new Error('broken while drawing')
		},
	})
	viewer.sessions.set([broken])
}

const ways: Readonly<Record<string, () => void>> = {
	component: breakComponent,
	timer: () => {
		throw new Error('broken by the clock')
	},
	promise: () => void Promise.reject(new Error('broken promise')),
	nothing: () => undefined,
}

setTimeout(() => ways[process.argv[2] ?? '']?.(), 700)
const { stdin, stdout, env } = process
const { exitCode } = await runApp(viewer, { stdin, stdout, env })
process.exit(exitCode)
