/** What the viewer says of its connection. */
import { expect, test } from 'vitest'
import type { AccountHint } from '../../source/backend/gateway.ts'
import { openViewer } from '../../source/viewer/open-viewer.ts'
import { firstHome } from '../account/_devices.ts'
import { TestSession } from '../tools/account.ts'
import { reaches } from './_until.ts'

test('connected is said while the live channel is joined, and not because a read was answered', async () => {
	const { gateway, account } = await firstHome()
	let tell: (hint: AccountHint) => void = () => undefined
	// A server that answers everything and never lets the channel be joined.
	gateway.followAccount = (listener) => {
		tell = listener
		return { send: () => undefined, [Symbol.asyncDispose]: async () => undefined }
	}
	await using viewer = openViewer({
		account,
		backend: { kind: 'embedded', url: 'memory://' },
		vault: { kind: 'memory', detail: '' },
		now: () => new Date(),
	})
	await viewer.ready
	expect(viewer.connection.get()).toEqual({
		state: 'connecting',
		lastContact: expect.any(String),
		why: null,
	})
	tell({ type: 'joined' })
	await reaches(viewer.connection, ({ state }) => state === 'live')
	tell({ type: 'lost', why: 'cut' })
	expect(viewer.connection.get()).toMatchObject({ state: 'lost', why: 'cut' })
	const session = await new TestSession(account).create()
	tell({ type: 'sessions', session: session.id })
	await reaches(viewer.sessions, (sessions) => sessions.length === 1)
	await reaches(viewer.connection, ({ lastContact }) => lastContact !== null)
	expect(viewer.connection.get()).toMatchObject({ state: 'lost', why: 'cut' })
	tell({ type: 'joined' })
	await reaches(viewer.connection, ({ state, why }) => state === 'live' && why === null)
})
