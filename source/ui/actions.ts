/** What each command of the key table does. */
import { answer, askReason, sendReason } from './answering.ts'
import type { App } from './app.ts'
import { archiveAll, archiveOne, askArchiveAll, takeBack } from './archiving.ts'
import {
	beginAnswering,
	nextQuestion,
	pickHighlighted,
	pickNumber,
	questionBefore,
	sendAnswers,
	takeWords,
	writeAnswer,
} from './asking.ts'
import { allowChanged, beginChange, changeAgain, showChange } from './changing.ts'
import {
	askCostFile,
	nextGroup,
	nextRange,
	openCost,
	otherMeasure,
	writeCostFile,
} from './cost-actions.ts'
import {
	approveDevice,
	askWords,
	confirmRevocation,
	leaveDevices,
	makeRecovery,
	openAccess,
	openDetails,
	openDevices,
	openHistory,
	planRevocation,
	sendLine,
	showAct,
	typeCode,
	typeName,
	verifyDevices,
} from './device-actions.ts'
import { clearFilter, keepFilter, typeFilter } from './filtering.ts'
import { foldAll, foldSelected, selectNext } from './folding.ts'
import { askPanic, endGrant, openGrants, panic, panicDevices } from './granting.ts'
import { keepHelpFilter, openHelp, typeHelpFilter, widerHelp } from './helping.ts'
import type { CommandId } from './keymap/keymap.ts'
import type { KeyName } from './keys.ts'
import { moveUp, page, step, toEnd, toTop } from './moving.ts'
import { nextWaiting } from './next-waiting.ts'
import { copy } from './reading/copying.ts'
import { askExport, startExport } from './reading/exporting.ts'
import { startFind, typeFind } from './reading/finding.ts'
import { nextRaw, openRaw } from './reading/raw.ts'
import { leaveReplay, startReplay } from './replay/replaying.ts'
import { leaveSearch, openHit, openSearch, toggleSearchHelp } from './searching.ts'
import {
	askInterrupt,
	chooseMode,
	confirmInterrupt,
	keepDraft,
	newLine,
	sendPrompt,
	setMode,
	writePrompt,
} from './sending.ts'
import { type Screen, topScreen, transcriptOf, withTranscript } from './state.ts'

export function run(app: App, command: CommandId, key: KeyName): void {
	actions[command](app, key)
}

const actions: Readonly<Record<CommandId, (app: App, key: KeyName) => void>> = {
	devices: openDevices,
	'approve-code': typeCode,
	'approve-device': approveDevice,
	'rename-device': typeName,
	'revoke-device': planRevocation,
	'confirm-revoke': confirmRevocation,
	'recovery-key': makeRecovery,
	'words-written': askWords,
	'verify-devices': verifyDevices,
	'device-log': openHistory,
	access: openAccess,
	'device-details': openDetails,
	'show-act': showAct,
	'send-line': sendLine,
	// These belong to a home without a device, which has a program of its own.
	'enter-words': () => undefined,
	'new-code': () => undefined,
	'send-words': () => undefined,
	'hide-words': () => undefined,
	allow: (app) => answer(app, { decision: 'allow', scope: 'once' }),
	'allow-session': (app) => answer(app, { decision: 'allow', scope: 'session' }),
	deny: (app) => answer(app, { decision: 'deny', scope: 'once' }),
	'deny-with-reason': askReason,
	'send-reason': sendReason,
	change: beginChange,
	'show-change': showChange,
	'allow-changed': allowChanged,
	answer: beginAnswering,
	'pick-number': pickNumber,
	pick: pickHighlighted,
	'write-answer': writeAnswer,
	'next-question': nextQuestion,
	'take-words': takeWords,
	'send-answers': sendAnswers,
	grants: openGrants,
	'end-grant': endGrant,
	panic: askPanic,
	'confirm-panic': panic,
	'panic-devices': panicDevices,
	'write-prompt': writePrompt,
	'send-prompt': sendPrompt,
	'new-line': newLine,
	'interrupt-agent': askInterrupt,
	'confirm-interrupt': confirmInterrupt,
	'choose-mode': chooseMode,
	'set-mode': setMode,
	filter: typeFilter,
	'list-these': keepFilter,
	'list-all': clearFilter,
	archive: archiveOne,
	'take-back': takeBack,
	'archive-all': askArchiveAll,
	'confirm-archive': archiveAll,
	cancel: back,
	up: moveUp,
	down: (app) => step(app, 1),
	'page-up': (app) => page(app, -1),
	'page-down': (app) => page(app, 1),
	'page-on': (app) => page(app, 1),
	top: toTop,
	end: toEnd,
	follow: toEnd,
	open: (app) => {
		const selected = app.frame().list?.selected
		if (selected != null) openSession(app, selected)
	},
	'see-all': (app) => {
		const request = app.seen.focusRequest
		if (request) push(app, { name: 'request', request: request.id })
	},
	fold: foldSelected,
	'fold-all': foldAll,
	'next-item': (app) => selectNext(app, 1),
	'previous-item': (app) => selectNext(app, -1),
	'next-waiting': nextWaiting,
	find: typeFind,
	'start-find': startFind,
	'next-match': (app) => app.finder.next(1),
	'previous-match': (app) => app.finder.next(-1),
	copy,
	export: askExport,
	'start-export': startExport,
	raw: openRaw,
	'raw-before': (app) => nextRaw(app, -1),
	'raw-next': (app) => nextRaw(app, 1),
	replay: startReplay,
	'replay-pause': (app) => app.player?.toggle(),
	'replay-faster': (app) => app.player?.faster(1),
	'replay-slower': (app) => app.player?.faster(-1),
	'replay-step': (app) => app.player?.step(),
	'replay-step-back': (app) => app.player?.stepBack(),
	'replay-back': (app) => app.player?.skip(-1),
	'replay-on': (app) => app.player?.skip(1),
	'replay-prompt-before': (app) => app.player?.toPrompt(-1),
	'replay-next-prompt': (app) => app.player?.toPrompt(1),
	'replay-start': (app) => app.player?.seek(0),
	'replay-end': (app) => app.player?.seek(Number.POSITIVE_INFINITY),
	'leave-replay': leaveReplay,
	'previous-prompt': (app) => app.jumps.go('prompt', -1),
	'next-prompt': (app) => app.jumps.go('prompt', 1),
	'previous-request': (app) => app.jumps.go('request', -1),
	'next-request': (app) => app.jumps.go('request', 1),
	'previous-error': (app) => app.jumps.go('error', -1),
	'next-error': (app) => app.jumps.go('error', 1),
	permissions: openPermissions,
	search: openSearch,
	'open-hit': openHit,
	'search-help': toggleSearchHelp,
	cost: openCost,
	'cost-group': (app) => nextGroup(app, 1),
	'cost-group-before': (app) => nextGroup(app, -1),
	'cost-range': nextRange,
	'cost-measure': otherMeasure,
	'export-cost': askCostFile,
	'write-cost': writeCostFile,
	back,
	'close-help': back,
	help: openHelp,
	'filter-help': typeHelpFilter,
	'keep-filter': keepHelpFilter,
	quit: (app) => app.options.leave(0),
	redraw: (app) => app.options.redraw(),
	suspend: (app) => app.options.suspend(),
	leave: (app) => app.options.leave(130),
}

function push(app: App, screen: Screen): void {
	app.update((ui) => ({ ...ui, screens: [...ui.screens, screen] }))
}

/** Opens the inbox at the request that is highlighted now, else at the first that waits. */
function openPermissions(app: App): void {
	const selectedRequest = app.seen.focusRequest?.id ?? null
	app.update((ui) => ({ ...ui, selectedRequest }))
	push(app, { name: 'permissions' })
}

/** One rung down: what is selected, then the screen. */
function back(app: App): void {
	const top = topScreen(app.ui)
	if (top.name === 'session' && transcriptOf(app.ui, top.session).find) {
		app.finder.leave(top.session)
		// What the search of all sessions found goes back there at once.
		if (app.ui.screens.at(-2)?.name !== 'search-line') return
	}
	if (top.name === 'session' && transcriptOf(app.ui, top.session).selected !== null) {
		app.update((ui) => withTranscript(ui, top.session, { selected: null, cursor: null }))
		return
	}
	if (leaveSearch(app) || questionBefore(app) || changeAgain(app) || widerHelp(app)) return
	leaveDevices(app)
	app.update((ui) =>
		ui.screens.length > 1 ? { ...ui, screens: ui.screens.slice(0, -1), toast: null } : ui,
	)
	keepDraft(app, top)
}

/** Opens a session at its end; where it was read before, at the place where it was left. */
function openSession(app: App, session: string): void {
	app.update((ui) => ({
		...withTranscript(ui, session, {}),
		selectedSession: session,
		screens: [...ui.screens, { name: 'session', session }],
	}))
}
