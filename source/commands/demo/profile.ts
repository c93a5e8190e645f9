/**
 * A throw-away profile for the demo: a home in the temporary folder, a backend of its own, and one
 * account with two devices, a build box that hosts and a laptop that looks. Its secret keys never leave
 * the memory of this process.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Account } from '../../account/account.ts'
import { addDevice } from '../../account/adding.ts'
import { logStoreInMemory } from '../../account/log-store.ts'
import { connectGateway } from '../../backend/connect-gateway.ts'
import { refreshTokens, signUpAnonymously, type Tokens } from '../../backend/sign-in.ts'
import { TokenSource } from '../../backend/token-source.ts'
import { resolveHome } from '../../config/paths.ts'
import { createDevice, encodeDevice } from '../../protocol/device.ts'
import { signJoin } from '../../protocol/device-log.ts'
import { connectEmbedded, stopEmbedded } from '../../server/discover.ts'
import { memoryVault } from '../../vault/memory.ts'
import type { Vault } from '../../vault/vault.ts'
import { type OpenedViewer, openViewer } from '../../viewer/open-viewer.ts'
import { alone } from '../alone.ts'
import type { Io } from '../io.ts'

/** The demo's backend ends by itself soon after the demo, even when that was killed. */
const idleMs = 30_000

export interface DemoProfile extends AsyncDisposable {
	host: Account
	dataFolder: string
	viewer: OpenedViewer
}

export async function openDemoProfile(io: Io): Promise<DemoProfile> {
	await using stack = new AsyncDisposableStack()
	const folder = await mkdtemp(join(tmpdir(), 'styrby-demo-'))
	stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }))
	const home = resolveHome({ STYRBY_HOME: folder }, io.platform)
	const place = { data: home.data, run: home.run, log: home.log }
	const endpoint = await connectEmbedded({ ...place, idleMs })
	stack.defer(async () => {
		await stopEmbedded(place)
	})
	const tokens = await tokensInMemory(endpoint)
	const { user_id: account } = await tokens.tokens()
	const connect = () =>
		stack.use(connectGateway({ ...endpoint, account, accessToken: () => tokens.accessToken() }))
	const open = (vault: Vault, deviceName: string) =>
		Account.open({
			gateway: connect(),
			vault,
			vaultName: 'demo',
			logStore: logStoreInMemory(),
			deviceName,
			exclusively: alone(home, deviceName),
			now: io.now,
		})
	const host = await open(memoryVault(), 'build-box')
	const laptopKeys = memoryVault()
	const device = createDevice()
	await laptopKeys.set('demo:device', encodeDevice(device))
	await addDevice(host, {
		record: device.record,
		name: 'laptop',
		join: signJoin(account, device),
	})
	const laptop = await open(laptopKeys, 'laptop')
	const viewer = stack.use(
		openViewer({
			account: laptop,
			backend: { kind: 'embedded', url: endpoint.url },
			vault: { kind: 'memory', detail: 'throw-away keys of the demo' },
			now: io.now,
		}),
	)
	const opened = stack.move()
	return {
		host,
		dataFolder: home.data,
		viewer,
		[Symbol.asyncDispose]: () => opened.disposeAsync(),
	}
}

async function tokensInMemory(endpoint: { url: string; anonKey: string }): Promise<TokenSource> {
	let kept: Tokens = await signUpAnonymously(endpoint)
	return new TokenSource({
		store: {
			load: async () => kept,
			save: async (tokens) => {
				kept = tokens
			},
		},
		exclusively: (work) => work(),
		refresh: (token) => refreshTokens(endpoint, token),
	})
}
