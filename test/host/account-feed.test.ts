import { afterEach, beforeEach, expect, it } from 'vitest'
import { AccountFeed } from '../../source/host/account-feed.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { makeEntry } from '../../source/protocol/device-log.ts'
import { exit, StyrbyError } from '../../source/protocol/errors.ts'
import { makeHost, type TestHost, until } from './_host.ts'

let host: TestHost
let heard: { joined: number; mail: string[]; alarms: (string | null)[] }
let feed: AccountFeed
beforeEach(async () => {
	host = await makeHost()
	heard = { joined: 0, mail: [], alarms: [] }
	feed = new AccountFeed({
		account: host.account,
		gateway: host.gateway,
		joined: () => heard.joined++,
		mail: (mail) => heard.mail.push(mail.id),
		alarm: (error) => heard.alarms.push(error?.code ?? null),
	})
	await until(() => heard.joined === 1)
})
afterEach(async () => {
	await feed[Symbol.asyncDispose]()
	await host[Symbol.asyncDispose]()
})

/** Another device of the account revokes the viewer, straight at the server. */
async function revokeViewer() {
	const { account, gateway, viewer } = host
	const entry = makeEntry(account.log.state, account.device, {
		type: 'revoke',
		at: new Date().toISOString(),
		device: viewer.record.id,
		reason: null,
	})
	await gateway.appendLog({
		seq: entry.seq,
		entry: toBase64(entry.entry),
		signature: toBase64(entry.signature),
	})
}
const viewerRevoked = () =>
	host.account.log.state.devices.get(host.viewer.record.id)?.revoked !== null

it('a revocation is learned of by its hint, and by the next join where the hint was lost', async () => {
	host.backend.faults.silent = true
	await revokeViewer()
	await new Promise((resolve) => setTimeout(resolve, 20))
	host.backend.faults.silent = false
	expect(viewerRevoked()).toBe(false)
	host.backend.mend()
	await until(viewerRevoked)
	expect(heard.joined).toBe(2)
})

it('a revocation is learned of though the first look at the log fails', async () => {
	let failures = 0
	host.backend.faults.before = (name) => {
		if (name !== 'read_log' || ++failures > 2) return
		throw new StyrbyError('backend_unreachable', 'busy', { exitCode: exit.unreachable })
	}
	await revokeViewer()
	await until(viewerRevoked)
	expect(failures).toBe(3)
	expect(heard.alarms).toEqual([])
})

it('without a channel it looks by itself, at the log and for mail', async () => {
	await feed[Symbol.asyncDispose]()
	host.backend.faults.silent = true
	const { account, backend } = host
	let pulls = 0
	// Nobody is let into the channel, though calls go through.
	const gateway = {
		...host.gateway,
		followAccount: () => ({ send() {}, async [Symbol.asyncDispose]() {} }),
	}
	feed = new AccountFeed({
		account,
		gateway,
		joined: () => heard.joined++,
		mail: () => undefined,
		alarm: () => undefined,
		unheard: () => pulls++,
		poll: { joined: 600_000, lost: 10 },
	})
	backend.calls.length = 0
	await revokeViewer()
	await until(viewerRevoked)
	await until(() => pulls > 1)
	expect(heard.joined).toBe(1)
})

it('a log that does not verify is an alarm until it does again', async () => {
	const rows = host.backend.logs.get(host.gateway.account) ?? []
	host.backend.logs.set(host.gateway.account, rows.slice(0, 1))
	host.backend.mend()
	await until(() => heard.alarms.length > 0)
	host.backend.logs.set(host.gateway.account, rows)
	host.backend.mend()
	await until(() => heard.alarms.length > 1)
	expect(heard.alarms).toEqual(['log_rolled_back', null])
})
