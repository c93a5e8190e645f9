/** One account with two devices on one embedded backend, each behind a hostile server of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Account } from '../../source/account/account.ts'
import { addDevice } from '../../source/account/adding.ts'
import type { LogStore } from '../../source/account/device-log.ts'
import { connectGateway } from '../../source/backend/connect-gateway.ts'
import type { Gateway } from '../../source/backend/gateway.ts'
import { signUpAnonymously, type Tokens } from '../../source/backend/sign-in.ts'
import { SessionHost } from '../../source/host/session-host.ts'
import { createDevice, encodeDevice } from '../../source/protocol/device.ts'
import { signJoin } from '../../source/protocol/device-log.ts'
import type { StyrbyError } from '../../source/protocol/errors.ts'
import type { Vault } from '../../source/vault/vault.ts'
import { type OpenedViewer, openViewer } from '../../source/viewer/open-viewer.ts'
import { storeInMemory, vaultInMemory } from '../tools/account.ts'
import { ScriptedAgent } from '../tools/scripted-agent.ts'
import { type Serving, serve } from '../tools/serving.ts'
import { HostileServer } from './_wire.ts'

export interface Party {
	server: HostileServer
	gateway: Gateway
	account: Account
	vault: Vault
	logStore: LogStore
}

export interface HostedHere extends AsyncDisposable {
	session: string
	agent: ScriptedAgent
	host: SessionHost
	/** What the host said went wrong. */
	troubles: StyrbyError[]
}

export class Bench implements AsyncDisposable {
	readonly folder: string
	readonly serving: Serving
	readonly host: Party
	readonly viewer: Party
	readonly #tokens: Tokens
	readonly #ends: AsyncDisposable[] = []

	private constructor(
		folder: string,
		serving: Serving,
		tokens: Tokens,
		host: Party,
		viewer: Party,
	) {
		this.folder = folder
		this.serving = serving
		this.#tokens = tokens
		this.host = host
		this.viewer = viewer
	}

	static async open(): Promise<Bench> {
		const folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
		const serving = await serve({ data: join(folder, 'data'), run: join(folder, 'run') })
		const { url, anonKey } = serving.backend
		const tokens = await signUpAnonymously({ url, anonKey })
		const host = await party(serving, tokens)
		const device = createDevice()
		const vault = vaultInMemory()
		await vault.set('test:device', encodeDevice(device))
		await addDevice(host.account, {
			record: device.record,
			name: 'laptop',
			join: signJoin(host.account.id, device),
		})
		const viewer = await party(serving, tokens, vault)
		return new Bench(folder, serving, tokens, host, viewer)
	}

	/** The same device once more, as after a new start; behind the same hostile server. */
	async again(one: Party): Promise<Account> {
		const gateway = gatewayTo(one.server.url, this.serving, this.#tokens)
		this.#ends.push(gateway)
		return openAccount(gateway, one.vault, one.logStore)
	}

	async hostSession(options: { timeoutMs?: number } = {}): Promise<HostedHere> {
		const { account, gateway } = this.host
		const troubles: StyrbyError[] = []
		const host = await SessionHost.open({
			account,
			gateway,
			dataFolder: join(this.folder, 'data'),
			agent: 'claude',
			cwd: '/home/dev/api-server',
			prompt: 'Tidy up',
			project: 'plain',
			timeoutMs: options.timeoutMs ?? 3600_000,
			onTrouble: (error) => troubles.push(error),
		})
		const agent = new ScriptedAgent()
		const running = host.run(agent)
		const hosted = {
			session: host.session,
			agent,
			host,
			troubles,
			async [Symbol.asyncDispose]() {
				agent.finish()
				await running
			},
		}
		return hosted
	}

	openViewer(account = this.viewer.account, waitMs = 10_000): OpenedViewer {
		return openViewer({
			account,
			backend: { kind: 'embedded', url: this.viewer.server.url },
			vault: this.viewer.vault,
			now: () => new Date(),
			waitMs,
		})
	}

	/** Both servers are honest again. */
	calm(): void {
		this.host.server.attack = {}
		this.viewer.server.attack = {}
		this.host.server.calls.length = 0
		this.viewer.server.calls.length = 0
	}

	/** Both servers are honest again, and both devices have seen it. */
	async settle(): Promise<void> {
		this.calm()
		for (const { account } of [this.host, this.viewer]) await account.log.refresh()
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const end of this.#ends) await end[Symbol.asyncDispose]()
		for (const { gateway, server } of [this.host, this.viewer]) {
			await gateway[Symbol.asyncDispose]()
			await server[Symbol.asyncDispose]()
		}
		await this.serving[Symbol.asyncDispose]()
		await rm(this.folder, { recursive: true, force: true })
	}
}

function gatewayTo(url: string, serving: Serving, tokens: Tokens): Gateway {
	return connectGateway({
		url,
		anonKey: serving.backend.anonKey,
		account: tokens.user_id,
		accessToken: async () => tokens.access_token,
	})
}

function openAccount(gateway: Gateway, vault: Vault, logStore: LogStore): Promise<Account> {
	return Account.open({
		gateway,
		vault,
		vaultName: 'test',
		logStore,
		deviceName: 'build-box',
		exclusively: (work) => work(),
		now: () => new Date(),
	})
}

async function party(serving: Serving, tokens: Tokens, vault = vaultInMemory()): Promise<Party> {
	const server = await HostileServer.before(serving.backend.url)
	const gateway = gatewayTo(server.url, serving, tokens)
	const logStore = storeInMemory()
	return { server, gateway, account: await openAccount(gateway, vault, logStore), vault, logStore }
}
