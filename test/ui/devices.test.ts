/** The screens about devices: what they show in each state, and what their keys ask for. */
import { describe, expect, test } from 'vitest'
import { commands } from '../../source/ui/keymap/keymap.ts'
import type { DevicesState } from '../../source/viewer/devices.ts'
import {
	approving,
	buildBox,
	found,
	laptop,
	logEvent,
	phone,
	recovering,
	revoking,
	someState,
	words,
} from './_devices.ts'
import { keys, type Screen, type ScreenOptions } from './_screen.ts'
import { Stage, twoWaiting } from './_stage.ts'
import { at, info, summary, uuid } from './_viewer.ts'

async function opened(
	stage: Stage,
	change: Partial<DevicesState> = {},
	options: ScreenOptions = {},
): Promise<Screen> {
	stage.viewer.devices.state.set({ ...someState, ...change })
	const screen = await stage.open(options)
	await screen.press('D')
	await screen.until('devices: who can read this account')
	return screen
}

/** The screen as one line of words, however it was wrapped. */
const flat = (screen: Screen) => screen.text().replaceAll(/\s+/g, ' ')

describe('the list', () => {
	test.concurrent('name, fingerprint, kind, state, who reads what, and this device first', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage, {}, { columns: 100 })
		const rows = screen.lines().slice(2, 5)
		expect(rows[0]).toMatch(/^▸✓ laptop +this device +A1B2-C3D4-E5F6-G7H8-J9K0 +12 sessions +now/)
		expect(rows[1]).toMatch(/^ ✓ build-box +5N4W-0Q2Z-XK7D-RT9A-PB3C +12 sessions +2m/)
		expect(rows[2]).toMatch(/^ ✗ old-phone +revoked +ZZ19-.* 7 sessions +1h/)
		expect(stage.viewer.devices.asked).toEqual(['refresh'])
	})

	test.concurrent('the highlighted one is told in full below: when, by whom, why', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage)
		await screen.press('j', 'j')
		await screen.until(/state +revoked by laptop, 2026-03-04 11:00 UTC, 1h ago/)
		expect(screen.text()).toMatch(/reason +lost it/)
		expect(flat(screen)).toContain('keys of 7 sessions, which it may have kept')
	})

	test.concurrent.each([
		[80, 24],
		[120, 40],
	])('%d×%d: each key about devices is in the key bar', async (columns, rows) => {
		await using stage = twoWaiting()
		const screen = await opened(stage, {}, { columns, rows })
		const bar = screen.lines().slice(-2).join(' ')
		for (const { group, screens, keys: names, label } of commands) {
			const here = (screens as readonly string[]).includes('devices') && group === 'Devices'
			const there = here && label !== 'show what was done'
			if (there) expect(bar).toContain(`${names[0] === 'enter' ? '⏎' : names[0]} ${label}`)
		}
		expect(bar).toContain('esc back')
		expect(bar).toContain('? all keys')
	})

	test.concurrent('the only device, without a recovery key, is warned of and told what to press', async () => {
		await using stage = new Stage()
		stage.viewer.info.set({ ...info, devices: 1 })
		const [only] = someState.devices
		const screen = await opened(stage, { single: true, devices: only ? [only] : [] })
		expect(screen.lines()[0]).toContain('⚠ only 1 device')
		expect(flat(screen)).toContain('⚠ The only device, and no recovery key')
		expect(flat(screen)).toContain('w makes a recovery key')
		stage.viewer.devices.state.set({ ...someState, single: false })
		await screen.until((text) => !text.includes('The only device'))
	})

	test.concurrent('a key that only the server knows is red, on top, and on every screen', async () => {
		await using stage = twoWaiting()
		const intruder = { device: uuid(666), publicKey: 'c2VjcmV0', what: 'unknown' } as const
		const screen = await opened(stage, { intruders: [intruder] })
		const notice = '✗ The server lists a key that no device of yours added'
		expect(screen.lines()[1]).toContain(notice)
		expect(screen.lines()[3]).toMatch(/^▸✗ intruder 00000000 +no device of yours added it/)
		const cell = screen.term.buffer.active.getLine(1)?.getCell(1)
		expect(cell?.getFgColor()).toBe(1)
		await screen.press(keys.enter)
		expect(flat(screen)).toContain('Nothing is sealed for it, here or on any of your devices')
		expect(screen.text()).toContain('c2VjcmV0')
		await screen.press('x')
		await screen.until('there is nothing to revoke')
		for (const key of ['q', 'q', 'p', '?']) {
			await screen.press(key)
			expect(screen.lines()[1]).toContain(notice)
		}
		expect(stage.viewer.devices.asked.join()).not.toContain('plan')
	})

	test.concurrent('a host that has not learned of a revocation is named', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage, { behind: [{ host: buildBox, name: 'build-box' }] })
		expect(flat(screen)).toContain('⚠ build-box has not learned yet that a device was revoked')
	})

	test.concurrent('until it is there it says so; what fails is said, and what was known stays', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage, { devices: [], known: false, loading: true })
		expect(screen.text()).toContain('… reading the devices')
		stage.viewer.devices.state.set({ ...someState, error: 'The backend does not answer.' })
		await screen.until('✗ The backend does not answer.')
		expect(screen.text()).toContain('build-box')
	})

	test.concurrent('names that would drive the terminal or hide something are written out', async () => {
		await using stage = twoWaiting()
		const evil = 'lap\u202etop\u001B]2;x\u0007'
		const screen = await opened(stage, {
			devices: someState.devices.map((device) => ({ ...device, name: evil })),
		})
		expect(screen.text()).toContain('lap\\u202etop\\x1b]2;x\\x07')
		expect(screen.titles).not.toContain('x')
	})
})

describe('approving a code', () => {
	const code = '7QZK-1M2N-3P4R-5S6T8'

	test.concurrent('typed: looked for, shown, asked, shared with progress, done', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage)
		await screen.press('a')
		await screen.until('The code that the new device shows:')
		await screen.press(...code, keys.enter)
		expect(stage.viewer.devices.asked).toContain(`look ${code}`)
		await screen.until('… looking for the device')
		stage.viewer.devices.act.set({ ...approving, step: 'found', request: found })
		await screen.until('N3W0-N3W1-N3W2-N3W3-N3W4')
		expect(screen.text()).toMatch(/name +new-desk\n +platform +linux/)
		expect(screen.lines().at(-1)).toContain('y yes, add it')
		await screen.look()
		await screen.press('y')
		expect(stage.viewer.devices.asked).toContain(`approve ${found.fingerprint}`)
		await screen.until('… giving it the keys of all sessions')
		const progress = { done: 3400, total: 10_000 }
		stage.viewer.devices.act.set({ ...approving, step: 'sharing', request: found, progress })
		await screen.until('3400 of 10000')
		const result = { by: laptop, byName: 'laptop', own: true, at: at(1) }
		stage.viewer.devices.act.set({
			...approving,
			step: 'done',
			request: found,
			result: { ...result, sessions: 10_000, granted: 10_020, unreadable: 2 },
		})
		await screen.until('✓ Added.')
		expect(flat(screen)).toContain('gave it 10020 keys, of 10000 sessions')
		expect(flat(screen)).toContain('⚠ Some keys of 2 sessions could not be given')
	})

	test.concurrent.each([
		['with brackets', (text: string) => `\u001B[200~${text}\u001B[201~`],
		['without', (text: string) => text],
	])('pasted with a line end, %s: nothing is sent or answered by it', async (_, paste) => {
		await using stage = twoWaiting()
		const screen = await opened(stage)
		await screen.press('a', paste(`${code}\ny\n`))
		await screen.until(`› ${code} y`)
		expect(stage.viewer.devices.asked).toEqual(['refresh'])
		await screen.press(keys.backspace, keys.backspace, keys.backspace, keys.enter)
		expect(stage.viewer.devices.asked.some((asked) => asked.startsWith(`look ${code}`))).toBe(true)
	})

	test.concurrent('a typing error is told where it was typed, and the text stays', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage)
		stage.viewer.devices.codeWrong = 'Character 3 of the code is none that a code has.'
		await screen.press('a', ...'7Q!', keys.enter)
		await screen.until('✗ Character 3 of the code is none that a code has.')
		expect(screen.text()).toContain('› 7Q!')
		expect(stage.viewer.devices.asked).toEqual(['refresh'])
		await screen.press(keys.escape)
		await screen.until((text) => !text.includes('Character 3'))
	})

	test.concurrent('y in the first moment is not an answer; escape is none either', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage)
		await screen.press('a', ...code, keys.enter)
		stage.viewer.devices.act.set({ ...approving, step: 'found', request: found })
		await screen.until('Add it?')
		await screen.press('y')
		await screen.until('That came too soon')
		await screen.wait(5000)
		await screen.press('yy')
		await screen.press(keys.escape)
		await screen.until('devices: who can read this account')
		expect(stage.viewer.devices.asked.join()).not.toContain('approve')
		expect(stage.viewer.devices.asked).toContain('dismiss')
	})

	test.concurrent('another device was faster: who, and when', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage)
		const already = { by: buildBox, byName: 'build-box', own: false, at: at(30) }
		stage.viewer.devices.act.set({ ...approving, step: 'found', request: { ...found, already } })
		await screen.until('s show what was done')
		await screen.press('s')
		await screen.until('build-box was faster and added it, 2026-03-04 11:59 UTC')
		const result = { ...already, sessions: 0, granted: 0, unreadable: 0 }
		stage.viewer.devices.act.set({ ...approving, step: 'done', request: found, result })
		await screen.until('Not by this device: build-box was faster and added it')
	})

	test.concurrent('what fails is said as it is', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage)
		stage.viewer.devices.act.set({
			...approving,
			step: 'failed',
			problem: 'No device waits under this code.',
		})
		await screen.until('s show what was done')
		await screen.press('s')
		await screen.until('✗ No device waits under this code.')
	})
})

describe('renaming', () => {
	test.concurrent('the highlighted device, by what is typed', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage)
		await screen.press('j', 'r')
		await screen.until('Another name for build-box:')
		// The list may change while it is typed: the name is for the device that it was begun for.
		stage.viewer.devices.state.set({ ...someState, devices: someState.devices.toReversed() })
		await screen.press(...'attic', keys.enter)
		expect(stage.viewer.devices.asked).toContain(`rename ${buildBox} attic`)
		await screen.until('It is called attic now.')
	})

	test.concurrent('an empty name is none; a refusal is told', async () => {
		await using stage = twoWaiting()
		stage.viewer.devices.renaming = Promise.reject(new Error('offline'))
		stage.viewer.devices.renaming.catch(() => undefined)
		const screen = await opened(stage)
		await screen.press('r', keys.enter)
		await screen.until('✗ A name has at least one character.')
		await screen.press('x', keys.enter)
		await screen.until('It was not renamed: Try again.')
		expect(screen.log).toHaveLength(1)
	})
})

describe('revoking', () => {
	async function plannedScreen(stage: Stage): Promise<Screen> {
		stage.viewer.sessions.set([summary()])
		const screen = await opened(stage)
		await screen.press('j', 'x')
		expect(stage.viewer.devices.asked).toContain(`plan ${buildBox}`)
		await screen.until('… finding out what that does')
		stage.viewer.devices.act.set(revoking)
		await screen.until('Revoking it does this:')
		return screen
	}

	test.concurrent('the plan first, then its name, then how far, then the proof', async () => {
		await using stage = new Stage()
		const screen = await plannedScreen(stage)
		expect(flat(screen)).toContain('Live sessions get new keys that it is not given: 1.')
		expect(flat(screen)).toContain('api-server on laptop')
		expect(flat(screen)).toContain('What it could already read, it may have kept: 12 sessions.')
		await screen.press(keys.enter)
		await screen.until('Type its name, build-box, to revoke it:')
		await screen.press(...'build-bo', keys.enter)
		await screen.until('✗ That is not its name, build-box: nothing was revoked.')
		expect(stage.viewer.devices.asked.join()).not.toContain('revoke')
		await screen.press('x', keys.enter)
		expect(stage.viewer.devices.asked).toContain(`revoke ${buildBox}`)
		stage.viewer.devices.act.set({
			...revoking,
			step: 'revoking',
			progress: { done: 1, total: 4 },
		})
		await screen.until(/▓▓▓▓▓░+ 1 of 4/)
		stage.viewer.devices.act.set({
			...revoking,
			step: 'done',
			report: {
				by: laptop,
				byName: 'laptop',
				own: true,
				at: at(1),
				accountEpoch: 3,
				sessions: [
					{ session: uuid(1), hostName: 'laptop', own: false, epoch: 2, rekeyed: true },
					{ session: uuid(2), hostName: 'attic', own: false, epoch: 0, rekeyed: false },
				],
				grantsAfter: 0,
				complete: false,
			},
		})
		await screen.until('✓ Revoked: the log says so.')
		expect(flat(screen)).toContain('✓ api-server on laptop has a new key, number 2.')
		expect(flat(screen)).toContain('on attic has no new key yet')
		expect(flat(screen)).toContain('✓ It was given none of the new keys.')
		expect(flat(screen)).not.toContain('password')
		const { info } = stage.viewer
		const backend = { ...info.get().backend, email: 'heron@example.test' }
		info.set({ ...info.get(), backend })
		await screen.until(() => flat(screen).includes('change that of heron@example.test'))
		expect(flat(screen)).toContain('Not complete yet')
	})

	test.concurrent('escape while it runs goes away from it and stops nothing; it is seen everywhere', async () => {
		await using stage = new Stage()
		const screen = await plannedScreen(stage)
		await screen.press(keys.enter, ...'build-box', keys.enter)
		await screen.until('… revoking it')
		await screen.press(keys.escape)
		await screen.until('devices: who can read this account')
		expect(screen.lines()[1]).toContain('… revoke build-box')
		await screen.press('a')
		await screen.until('Wait until what runs is finished.')
		await screen.press('q', 'q')
		await screen.until('Devices are being changed: wait, or leave with ^c.')
		await screen.resize(40, 15)
		await screen.resize(80, 24)
		expect(screen.lines()[1]).toContain('… revoke build-box')
		stage.viewer.devices.act.set({ ...revoking, step: 'failed', problem: 'It went wrong.' })
		await screen.until('It went wrong.')
		await screen.press('q')
		expect(await screen.exited).toEqual({ exitCode: 0 })
	})

	test.concurrent('what was planned for one device does not revoke another', async () => {
		await using stage = new Stage()
		const screen = await plannedScreen(stage)
		await screen.press(keys.enter, ...'build-box')
		const other = { ...revoking.device, id: phone }
		stage.viewer.devices.act.set({ ...revoking, device: other })
		await screen.press(keys.enter)
		await screen.until('The plan is out of date: nothing was revoked.')
		expect(stage.viewer.devices.asked.join()).not.toContain('revoke')
	})

	test.concurrent('the last device can not be revoked, and nothing is asked', async () => {
		await using stage = new Stage()
		const screen = await plannedScreen(stage)
		stage.viewer.devices.act.set({
			...revoking,
			plan: { live: [], last: true, readable: 1 },
		})
		await screen.until('✗ It is the last device')
		expect(screen.lines().at(-1)).not.toContain('type its name')
	})

	test.concurrent('one that was revoked already says so', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage)
		await screen.press('j', 'j', 'x')
		await screen.until('This device was revoked already.')
	})
})

describe('the recovery key', () => {
	test.concurrent.each([
		[40, 15],
		[80, 24],
		[120, 40],
	])('%d×%d: the words once, then two of them, then it is made', async (columns, rows) => {
		await using stage = twoWaiting()
		const screen = await opened(stage, {}, { columns, rows })
		await screen.press('w')
		await screen.until('Write these 24 words down')
		let shown = screen.text()
		for (let page = 0; page < 4; page++) {
			await screen.press(keys.pageDown)
			shown += screen.text()
		}
		for (let place = 1; place <= 24; place++) {
			expect(shown).toMatch(new RegExp(`\\b${place} (abandon|zebra|music)`))
		}
		await screen.press(keys.enter)
		await screen.until('Word 4 of the 24:')
		expect(screen.text()).not.toContain('zebra')
		await screen.press(...'wrong', keys.enter)
		await screen.until('✗ That is not word 4')
		await screen.press(...Array(5).fill(keys.backspace), ...(words[3] ?? ''), keys.enter)
		await screen.until('Word 17 of the 24:')
		expect(stage.viewer.devices.asked).not.toContain('register')
		await screen.press(...(words[16] ?? '').toUpperCase(), keys.enter)
		expect(stage.viewer.devices.asked).toContain('register')
		await screen.until('… giving it all keys')
		stage.viewer.devices.act.set({ ...recovering, step: 'done', words: [] })
		await screen.until('✓ The recovery key is made')
	})

	test.concurrent('escape shows the words again, and once more makes none', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage)
		await screen.press('w', keys.enter)
		await screen.until('Word 4 of the 24:')
		await screen.press(keys.escape)
		await screen.until('Write these 24 words down')
		await screen.press(keys.escape)
		await screen.until('devices: who can read this account')
		expect(screen.text()).not.toContain('abandon')
		expect(stage.viewer.devices.asked).not.toContain('register')
	})

	test.concurrent('one that takes the place of another says so', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage)
		stage.viewer.devices.act.set({ ...recovering, replaces: true })
		await screen.until('s show what was done')
		await screen.press('s')
		await screen.until('which is then revoked')
	})
})

describe('the audit', () => {
	test.concurrent('verify: what was checked, and what does not agree', async () => {
		await using stage = twoWaiting()
		const screen = await opened(stage)
		await screen.press('v')
		await screen.until('… checking the whole log')
		stage.viewer.devices.act.set({
			type: 'verify',
			step: 'done',
			report: { entries: 4, head: 'aGVhZA==', faults: [] },
			problem: null,
		})
		await screen.until('✓ 4 entries, each signed and chained')
		expect(screen.text()).toContain('aGVhZA==')
		stage.viewer.devices.act.set({
			type: 'verify',
			step: 'done',
			report: {
				entries: 4,
				head: 'aGVhZA==',
				faults: [
					{ device: uuid(666), publicKey: 'x', what: 'unknown' },
					{ device: phone, publicKey: 'y', what: 'not_revoked' },
				],
			},
			problem: null,
		})
		await screen.until('✗ The server lists 1 key that no device of yours added')
		expect(flat(screen)).toContain(`${phone} is revoked in the log, and the server does not say so`)
		stage.viewer.devices.act.set({
			type: 'verify',
			step: 'failed',
			report: null,
			problem: 'The server shows an older log.',
		})
		await screen.until('✗ The server shows an older log.')
	})

	test.concurrent('the log: who did what, when, newest first, only what is on the screen laid out', async () => {
		await using stage = twoWaiting()
		let laidOut = 0
		const events = Array.from({ length: 10_000 }, (_, index) => {
			const event = logEvent(9999 - index)
			const { deviceName } = event
			return Object.defineProperty(event, 'deviceName', {
				get: () => {
					laidOut++
					return deviceName
				},
			})
		})
		events[0] = logEvent(9999, { type: 'revoke', label: null, reason: 'lost it' })
		stage.viewer.devices.history.set({ events, loading: false, error: null })
		const screen = await opened(stage)
		expect(laidOut).toBe(0)
		await screen.press('L')
		await screen.until(/▸9999 laptop revoked old-phone: lost it/)
		expect(screen.text()).toMatch(/signed by +laptop +00000000-0000-4000-8000-000000000901/)
		expect(laidOut).toBeLessThan(200)
		await screen.press('G')
		await screen.until(/▸0 laptop added old-phone/)
		expect(laidOut).toBeLessThan(600)
		expect(stage.viewer.devices.asked).toContain('history')
	})

	test.concurrent('access: devices by sessions, more of them when they are wanted', async () => {
		await using stage = twoWaiting()
		const cell = { epochs: 2, by: buildBox, at: at(60), opens: null }
		stage.viewer.devices.access.set({
			rows: Array.from({ length: 50 }, (_, index) => ({
				session: uuid(index + 1),
				epochs: 2,
				cells: new Map([
					[laptop, { ...cell, opens: true }],
					[buildBox, { ...cell, epochs: 1 }],
				]),
			})),
			complete: false,
			loading: false,
			error: null,
		})
		const screen = await opened(stage)
		await screen.press('m')
		await screen.until('50 so far')
		expect(screen.text()).toMatch(/session +A +B +C/)
		expect(screen.text()).toMatch(/▸api-server +✓ +◐ +·/)
		expect(screen.text()).toMatch(/A +laptop: from build-box, 2026-03-04 11:59 UTC/)
		expect(screen.text()).toMatch(/B +build-box: 1 of 2 keys, its own/)
		expect(screen.text()).toMatch(/C +old-phone: no key/)
		expect(stage.viewer.devices.asked).not.toContain('more access')
		await screen.press('G')
		await screen.until(/▸00000000 +✓/)
		expect(stage.viewer.devices.asked).toContain('more access')
	})
})

describe('this device is revoked', () => {
	test.concurrent('by whom and when, red over the whole width, whatever was on the screen', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.look()
		await screen.press('r', ...'because')
		await screen.until('Why not?')
		stage.viewer.info.set({
			...info,
			revoked: { by: buildBox, byName: 'build-box', at: at(30), reason: 'stolen' },
		})
		await screen.until('✗ This device was revoked by build-box.')
		const line = screen.term.buffer.active.getLine(1)
		for (const column of [0, 40, 79]) {
			expect(line?.getCell(column)?.isInverse()).not.toBe(0)
			expect(line?.getCell(column)?.getFgColor()).toBe(1)
		}
		expect(screen.text()).toMatch(/when +2026-03-04 11:59 UTC/)
		expect(screen.text()).toMatch(/reason +stolen/)
		expect(screen.text()).not.toContain('npm install')
		await screen.press(keys.enter, 'a', 'd', 'p', 'D', keys.escape)
		expect(stage.answers()).toEqual([])
		expect(screen.text()).toContain('It reads nothing more and sends nothing.')
		expect(stage.viewer.open_).toBe(0)
		await screen.press('q')
		expect(await screen.exited).toEqual({ exitCode: 0 })
	})
})
