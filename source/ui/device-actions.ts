/** What the keys about devices do. Nothing is changed but by one of these. */

import { StyrbyError } from '../protocol/errors.ts'
import { oneLine } from '../text/one-line.ts'
import { type SafeText, safeText } from '../text/safe-text.ts'
import type { DeviceAct } from '../viewer/devices.ts'
import type { App } from './app.ts'
import { editText, emptyEdit } from './line-edit.ts'
import { deviceName } from './present/device-name.ts'
import { type Screen, type Typing, topScreen } from './state.ts'

export function openDevices(app: App): void {
	void app.devices.refresh()
	push(app, { name: 'devices' })
}

export function openHistory(app: App): void {
	app.devices.readHistory()
	push(app, { name: 'history' })
}

export function openAccess(app: App): void {
	app.devices.readAccess()
	push(app, { name: 'access' })
}

export function openDetails(app: App): void {
	const device = app.seen.context.device?.id
	if (device !== undefined) push(app, { name: 'device', device })
}

export function showAct(app: App): void {
	app.update((ui) => ({ ...ui, cardTops: new Map(ui.cardTops).set('act', 0) }))
	push(app, { name: 'act' })
}

export function typeCode(app: App): void {
	type(app, { what: 'code' })
}

export function typeName(app: App): void {
	const device = app.seen.context.device?.id
	if (device !== undefined) type(app, { what: 'rename', device })
}

/** Adds the device that was found: it has to have been on the screen for a moment. */
export function approveDevice(app: App): void {
	const may = app.mayAnswer('pairing', 'deny')
	const fingerprint = app.seen.focus?.digest
	if (may.ok && fingerprint != null) app.devices.approve(fingerprint)
	else app.toast(safeText`That came too soon: look at the fingerprint, and press it again.`, 'warn')
}

/** Shows what revoking the highlighted device would do. */
export function planRevocation(app: App): void {
	const device = app.seen.context.device?.id
	if (device === undefined) return
	app.devices.plan(device)
	showAct(app)
}

export function confirmRevocation(app: App): void {
	const { act } = app.data
	if (act?.type === 'revoke') type(app, { what: 'revoke', device: act.device.id })
}

export function makeRecovery(app: App): void {
	app.devices.makeRecovery()
	showAct(app)
}

export function askWords(app: App): void {
	app.devices.showWords(false)
	type(app, { what: 'word', index: 0 })
}

export function verifyDevices(app: App): void {
	app.devices.verify()
	showAct(app)
}

/** Leaves a line that is being typed, or the screen of an act that waits for the person. */
export function leaveDevices(app: App): void {
	const top = topScreen(app.ui)
	if (top.name === 'typing' && top.what.what === 'word') app.devices.showWords(true)
	if (top.name === 'act') app.devices.dismiss()
}

/** Goes on with the line that was typed, for what it was begun for. */
export function sendLine(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'typing') return
	const text = editText(top.edit).trim()
	const { what } = top
	switch (what.what) {
		case 'code':
			sendCode(app, text)
			break
		case 'rename':
			sendName(app, what.device, text)
			break
		case 'revoke':
			sendRevocation(app, what.device, text)
			break
		case 'word':
			sendWord(app, what.index, text)
	}
}

function sendCode(app: App, code: string): void {
	const problem = app.devices.codeProblem(code)
	if (problem !== null) {
		complain(app, oneLine(problem))
		return
	}
	pop(app)
	app.devices.look(code)
	showAct(app)
}

function sendName(app: App, device: string, name: string): void {
	if (name === '') {
		complain(app, safeText`A name has at least one character.`)
		return
	}
	pop(app)
	app.toast(safeText`… renaming`, 'ok')
	app.devices.rename(device, name).then(
		() => app.toast(safeText`It is called ${oneLine(name)} now.`, 'ok'),
		(error: unknown) => {
			app.options.notifier.log(error)
			const why = error instanceof StyrbyError ? oneLine(error.message) : safeText`Try again.`
			app.toast(safeText`It was not renamed: ${why}`, 'error')
		},
	)
}

function sendRevocation(app: App, device: string, typed: string): void {
	const name = app.data.devices.devices.find(({ id }) => id === device)?.name ?? null
	// As it is shown, where a character of it can't be typed.
	const shown = deviceName(device, name)
	if (typed !== name?.trim() && typed !== shown) {
		complain(app, safeText`That is not its name, ${shown}: nothing was revoked.`)
		return
	}
	pop(app)
	if (app.devices.revoke(device, null)) return
	app.toast(safeText`The plan is out of date: nothing was revoked.`, 'warn')
}

function sendWord(app: App, index: 0 | 1, typed: string): void {
	const { act } = app.data
	const place = act?.type === 'recovery' && act.step === 'asked' ? act.asked[index] : null
	if (place !== null && act?.type === 'recovery' && typed.toLowerCase() !== act.words[place]) {
		complain(app, safeText`That is not word ${place + 1}: look at what you wrote down.`)
		return
	}
	pop(app)
	if (place === null) return
	if (index === 0) type(app, { what: 'word', index: 1 })
	else app.devices.registerRecovery()
}

/** What an act has come to, for who is on another screen by then; `null` while it is not over. */
export function actOutcome(act: DeviceAct): { text: SafeText; role: 'ok' | 'error' } | null {
	if (act.step === 'failed') return { text: oneLine(act.problem ?? ''), role: 'error' }
	if (act.step !== 'done') return null
	return { text: doneText(act), role: 'ok' }
}

function doneText(act: DeviceAct): SafeText {
	switch (act.type) {
		case 'approve':
			return safeText`✓ The device is added and has its keys: D, s shows it.`
		case 'revoke':
			return safeText`✓ ${deviceName(act.device.id, act.device.name)} is revoked: D, s shows the proof.`
		case 'recovery':
			return safeText`✓ The recovery key is made.`
		case 'verify':
			return safeText`✓ The log was checked: D, s shows what was found.`
	}
}

function type(app: App, what: Typing): void {
	push(app, { name: 'typing', what, edit: emptyEdit, problem: null })
}

function push(app: App, screen: Screen): void {
	app.update((ui) => ({ ...ui, screens: [...ui.screens, screen] }))
}

function pop(app: App): void {
	app.update((ui) => ({ ...ui, screens: ui.screens.slice(0, -1) }))
}

function complain(app: App, problem: SafeText): void {
	app.update((ui) => {
		const top = topScreen(ui)
		if (top.name !== 'typing') return ui
		return { ...ui, screens: [...ui.screens.slice(0, -1), { ...top, problem }] }
	})
}
