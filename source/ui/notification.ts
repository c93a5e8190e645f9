/** Desktop notifications by way of the terminal: which sequence it understands, and how it is told. */
import { passthroughFor } from './passthrough.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * `osc9`: iTerm2, Ghostty, WezTerm, Warp, VS Code, kitty, ConEmu; `osc777`: rxvt, foot, VTE, Ghostty,
 * WezTerm; `osc99`: kitty, foot.
 */
export const notificationWays = ['osc9', 'osc777', 'osc99'] as const
export type NotificationWay = (typeof notificationWays)[number]

/** The way of the terminal that the environment names; `null` where a sequence would be printed as text. */
export function notificationWay(env: Env): NotificationWay | null {
	const term = env.TERM ?? ''
	if (term === '' || term === 'dumb' || term === 'linux') return null
	// Inside of tmux the variables are those of the terminal that its server was started in.
	if (env.TMUX || /^(?:tmux|screen)/.test(term)) return 'osc9'
	if (env.KITTY_WINDOW_ID || term.includes('kitty')) return 'osc99'
	if (env.VTE_VERSION || /^(?:foot|rxvt)/.test(term)) return 'osc777'
	return 'osc9'
}

export interface Desktop {
	notify(text: string): string
	/** Takes the notification away, where the terminal can; else nothing. */
	withdraw(): string
}

/** The sequences of one way. `text` is ours: no control characters, no `;`. */
export function desktopBy(way: NotificationWay, env: Env): Desktop {
	const outermost = passthroughFor(env)
	const osc = (payload: string) => outermost(`\u001B]${payload}\u0007`)
	switch (way) {
		case 'osc9':
			return { notify: (text) => osc(`9;${text}`), withdraw: () => '' }
		case 'osc777':
			return { notify: (text) => osc(`777;notify;styrby;${text}`), withdraw: () => '' }
		case 'osc99':
			// One id: a newer one takes the place of the one before.
			return {
				notify: (text) => osc(`99;i=styrby;${text}`),
				withdraw: () => osc('99;i=styrby:p=close;'),
			}
	}
}
