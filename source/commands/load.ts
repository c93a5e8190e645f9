/** Where each command is; loaded only when it is run, since start-up time is for what was asked for. */
import type { Command } from './command.ts'

export const loaders: Readonly<Record<string, () => Promise<Command>>> = {
	'': () => import('./view.ts'),
	demo: () => import('./demo.ts'),
	run: () => import('./run.ts'),
	sessions: () => import('./sessions.ts'),
	show: () => import('./show.ts'),
	permissions: () => import('./permissions.ts'),
	approve: () => import('./approve.ts'),
	deny: () => import('./deny.ts'),
	import: () => import('./import.ts'),
	login: () => import('./login.ts'),
	logout: () => import('./logout.ts'),
	status: () => import('./status.ts'),
	verify: () => import('./verify.ts'),
	doctor: () => import('./doctor.ts'),
	serve: () => import('./serve.ts'),
	completion: () => import('./completion.ts'),
}
