import { safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import type { DeviceAct } from '../../viewer/devices.ts'
import type { Model, ScreenFrame } from '../frame.ts'
import { approveLines } from '../present/act-approve.ts'
import { recoveryLines } from '../present/act-recovery.ts'
import { revokeLines } from '../present/act-revoke.ts'
import { actTitle } from '../present/act-title.ts'
import { verifyLines } from '../present/act-verify.ts'
import type { Size } from '../state.ts'
import { nameOf } from './access-screen.ts'
import { onlyCard } from './list-and-card.ts'

/** What is being done with devices, or was done last. */
export function actScreen(model: Model, size: Size): ScreenFrame {
	const { act } = model.data
	const top = model.ui.cardTops.get('act') ?? 0
	if (!act) {
		const nothing: StyledLine = [span(safeText`  Nothing is being done.`, 'dim')]
		return onlyCard({ id: 'act', title: [], lines: [nothing], top: 0 }, size)
	}
	const title = [span(actTitle(act), act.step === 'failed' ? 'error' : 'strong')]
	const lines = linesOf(model, act, size.columns)
	const screen = onlyCard({ id: 'act', title, lines, top }, size)
	if (act.type !== 'approve' || act.step !== 'found' || !act.request) return screen
	// What is asked has to have been on the screen for a moment before a key answers it.
	const guard = { id: 'pairing', digest: act.request.fingerprint, order: '' }
	return { ...screen, guard }
}

function linesOf(model: Model, act: DeviceAct, width: number): readonly StyledLine[] {
	switch (act.type) {
		case 'approve':
			return approveLines(act, width, model.now)
		case 'revoke':
			return revokeLines(act, width, {
				now: model.now,
				nameOf: nameOf(model),
				email: model.data.info.backend.email ?? null,
			})
		case 'recovery':
			return recoveryLines(act, width)
		case 'verify':
			return verifyLines(act, width)
	}
}
