import { expect, test } from 'vitest'
import { revokeDevice } from '../../source/account/revoking.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import { openViewer } from '../../source/viewer/open-viewer.ts'
import { readersOf } from '../../source/viewer/readers.ts'
import { firstHome, newHome, pair } from '../account/_devices.ts'
import { TestSession } from '../tools/account.ts'
import { reaches } from './_until.ts'

test('who can read a session now: all that are active, and whoever was revoked since its newest key', async () => {
	const { gateway, account } = await firstHome()
	const session = await new TestSession(account).create()
	const scope = sessionScope(session.id)
	const readers = async () => readersOf(account.log.state, await account.keys.load(scope))
	expect(await readers()).toEqual({ count: 1, revoked: 0, allSigned: true })
	const laptop = await pair(account, newHome(gateway, 'laptop'))
	await pair(account, newHome(gateway, 'phone'))
	expect(await readers()).toEqual({ count: 3, revoked: 0, allSigned: true })
	await revokeDevice(account, laptop.device.record.id, { waitMs: 0 })
	// It was added after the key was made, and was given it all the same.
	expect(await readers()).toEqual({ count: 3, revoked: 1, allSigned: true })
	const at = new Date().toISOString()
	const made = account.keys.newEpoch(scope, { epoch: 1, from: 2, prev: new Uint8Array(32), at })
	await gateway.putEpoch(made.epoch, made.grants)
	await account.keys.load(scope, { again: true })
	expect(await readers()).toEqual({ count: 2, revoked: 0, allSigned: true })
	// A session that began after the revocation never had it as a reader.
	const later = await new TestSession(account).create()
	const keys = await account.keys.load(sessionScope(later.id))
	expect(readersOf(account.log.state, keys)).toEqual({ count: 2, revoked: 0, allSigned: true })
})

test('an open session counts them again when the log changes', async () => {
	const { gateway, account } = await firstHome()
	const session = await new TestSession(account).create()
	await session.say('hello')
	await using viewer = openViewer({
		account,
		backend: { kind: 'embedded', url: 'memory://' },
		vault: { kind: 'memory', detail: '' },
		now: () => new Date(),
	})
	await viewer.ready
	await using view = viewer.open(session.id)
	await reaches(view.state, ({ readers }) => readers?.count === 1)
	const laptop = await pair(account, newHome(gateway, 'laptop'))
	await reaches(view.state, ({ readers }) => readers?.count === 2)
	await revokeDevice(account, laptop.device.record.id, { waitMs: 0 })
	await reaches(view.state, ({ readers }) => readers?.count === 2 && readers.revoked === 1)
})
