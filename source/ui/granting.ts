/** Taking back what is allowed for sessions, one rule or all of it, and denying everything at once. */
import { StyrbyError } from '../protocol/errors.ts'
import { safeText } from '../text/safe-text.ts'
import type { SessionGrant } from '../viewer/viewer.ts'
import type { App } from './app.ts'
import { isFinal } from './present/ladder.ts'
import type { Snapshot } from './snapshot.ts'
import { type Screen, topScreen } from './state.ts'

export function openGrants(app: App): void {
	app.options.viewer.lookAtSessions()
	push(app, { name: 'grants' })
}

/** The highlighted grant: the one chosen, or the first until one is. */
export function selectedGrant({ ui, data }: Pick<App, 'ui' | 'data'>): SessionGrant | null {
	const { grants } = data.grants
	return grants.find(({ id }) => id === ui.selectedGrant) ?? grants[0] ?? null
}

/** Whether the word that takes a grant back is on its way to its host. */
export function isLeaving(
	{ sent }: Pick<Snapshot, 'sent'>,
	{ id, session }: SessionGrant,
): boolean {
	return (sent.get(session) ?? []).some(
		({ what, stage }) =>
			what.kind === 'take_back' &&
			(what.grant === null || what.grant === id) &&
			(stage === 'sent' || stage === 'stored'),
	)
}

export function endGrant(app: App): void {
	const grant = selectedGrant(app)
	if (!grant) return
	const took = attempt(app, () =>
		app.options.viewer.send(grant.session, { kind: 'take_back', grant: grant.id }),
	)
	if (!took) return
	app.update((ui) => ({ ...ui, selectedGrant: grant.id }))
}

export function askPanic(app: App): void {
	app.options.viewer.lookAtSessions()
	push(app, { name: 'panic', step: 'ask', denied: 0, ended: 0 })
}

/** What stopping everything would do, as far as is known. */
export function panicPlan({ requests, decisions, grants, sessions }: Snapshot): {
	deny: Snapshot['requests']
	/** Sessions whose host is told to take back what it keeps. */
	end: readonly string[]
	rules: number
	/** Rules that stay, as the agents keep them. */
	stay: number
} {
	const deny = requests.filter(({ id, status }) => {
		const given = decisions.get(id)
		const denying = given?.choice.decision === 'deny' && !isFinal(given.stage)
		return status === 'pending' && !denying
	})
	const kept = grants.grants.filter(({ keeper }) => keeper === 'host')
	const live = sessions.filter(({ endedAt }) => endedAt === null).map(({ id }) => id)
	// What is not read yet may be there all the same.
	const end = grants.looking ? live : [...new Set(kept.map(({ session }) => session))]
	return { deny, end, rules: kept.length, stay: grants.grants.length - kept.length }
}

/** Denies everything that waits and takes back all that hosts keep, by what is known now. */
export function panic(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'panic' || top.step !== 'ask') return
	const { viewer } = app.options
	const { deny, end } = panicPlan(app.data)
	const choice = {
		decision: 'deny',
		scope: 'once',
		reason: 'Everything was denied at once.',
	} as const
	const denied = deny.filter((request) => attempt(app, () => viewer.decide(request, choice)))
	const ended = end.filter((session) =>
		attempt(app, () => viewer.send(session, { kind: 'take_back', grant: null })),
	)
	const done: Screen = { name: 'panic', step: 'done', denied: denied.length, ended: ended.length }
	app.update((ui) => ({ ...ui, screens: [...ui.screens.slice(0, -1), done] }))
}

export function panicDevices(app: App): void {
	app.update((ui) => ({ ...ui, screens: [...ui.screens.slice(0, -1), { name: 'devices' }] }))
}

function attempt(app: App, work: () => unknown): boolean {
	try {
		work()
		return true
	} catch (error) {
		if (!(error instanceof StyrbyError)) throw error
		app.options.notifier.log(error)
		app.toast(
			safeText`Not all of it could be sent: this device is not connected, or not in use.`,
			'error',
		)
		return false
	}
}

function push(app: App, screen: Screen): void {
	app.update((ui) => ({ ...ui, screens: [...ui.screens, screen] }))
}
