import * as v from 'valibot'

/** What a command gives the daemon that it starts, as the first and only argument. */
export const daemonInput = v.object({
	data: v.string(),
	run: v.string(),
	idleMs: v.nullable(v.number()),
})

/** What the daemon tells the command that started it, once. */
export const daemonReport = v.variant('type', [
	v.object({ type: v.literal('ready'), port: v.number() }),
	v.object({
		type: v.literal('failed'),
		code: v.string(),
		message: v.string(),
		exitCode: v.picklist([0, 1, 2, 3, 4, 5, 130]),
	}),
])

export type DaemonReport = v.InferOutput<typeof daemonReport>
