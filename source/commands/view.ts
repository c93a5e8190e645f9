import { setTimeout as sleep } from 'node:timers/promises'
import { keepHeapSmall } from '../config/small-heap.ts'
import { type ExitCode, exit } from '../protocol/errors.ts'
import type { Vault } from '../vault/vault.ts'
import type { LastList } from '../viewer/last-list.ts'
import { archiveOf } from './archive-of.ts'
import type { Invocation } from './command.ts'
import { openPlace, type Place, signIn, vaultOf } from './context.ts'
import { hasScreen, isInteractive, wantsLines } from './io.ts'
import { forgetLastList, readLastList } from './last-list.ts'
import { loadScreens, type ShowOptions, showViewer } from './show-viewer.ts'

/** How long the first frame may wait for the list of sessions, ms. */
const listMs = 200

export async function run(invocation: Invocation): Promise<ExitCode> {
	const { io, flags } = invocation
	const lines = isInteractive(io) && wantsLines(io, flags.has('screen-reader'))
	if (!(hasScreen(io) || lines) || flags.has('json')) {
		const sessions = await import('./sessions.ts')
		await sessions.run(invocation)
		return exit.done
	}
	const place = await openPlace(io)
	const [vault] = await Promise.all([vaultOf(place), loadScreens(io)])
	const last = await readLastList(place, vault)
	const options = optionsOf(place, flags)
	const shown = last === null ? null : await showLast(place, vault, { last, ...options })
	return shown ?? (await showConnected(place, vault, options))
}

/** First the list as it was, then the connection: `null` where this home is no device of the account any more. */
async function showLast(
	place: Place,
	vault: Vault,
	{ last, ...options }: ShowOptions & { last: LastList },
): Promise<ExitCode | null> {
	const { LateViewer } = await import('../viewer/late-viewer.ts')
	const { connectLate } = await import('./connect-late.ts')
	const viewer = new LateViewer(last)
	await using connecting = connectLate(viewer, place, vault)
	try {
		return await showViewer(place.io, viewer, {
			...options,
			archive: await archiveOf(place, last.info.account),
			shown: () => {
				keepHeapSmall()
				connecting.start()
			},
			failed: connecting.failed,
		})
	} catch (error) {
		const { isJoinable } = await import('./open-or-join.ts')
		if (!isJoinable(error)) throw error
		await forgetLastList(place)
		return null
	}
}

async function showConnected(place: Place, vault: Vault, options: ShowOptions): Promise<ExitCode> {
	await using stack = new AsyncDisposableStack()
	const { openOrJoin } = await import('./open-or-join.ts')
	const context = await openOrJoin(stack.use(await signIn(place, vault)), options)
	if (typeof context === 'number') return context
	const viewer = stack.use(context.viewer())
	// The first frame has the list, unless that takes long.
	await Promise.race([
		viewer.ready.catch(() => undefined),
		sleep(listMs, undefined, { ref: false }),
	])
	const { keepViewing } = await import('./keep-viewing.ts')
	stack.use(keepViewing(context, viewer))
	keepHeapSmall()
	const archive = await archiveOf(place, context.account.id)
	return await showViewer(place.io, viewer, { ...options, archive })
}

function optionsOf({ io, settings }: Place, flags: Invocation['flags']): ShowOptions {
	const { notifications, keys, mouse, screenReader } = settings
	return {
		notifications,
		keys,
		mouse: flags.has('mouse') || mouse,
		screenReader: wantsLines(io, flags.has('screen-reader')) || screenReader,
	}
}
