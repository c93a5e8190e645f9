/** Keeps what the screens about devices show up to date, and runs what they are told to do, one act at a time. */

import { isDeepStrictEqual } from 'node:util'
import type { Account } from '../account/account.ts'
import { listDevices, renameDevice } from '../account/devices.ts'
import { readLogHistory } from '../account/history.ts'
import { StyrbyError } from '../protocol/errors.ts'
import { parsePairingCode } from '../protocol/pairing-code.ts'
import { AccessReader } from './access-reader.ts'
import { approveFound, type FoundDevice, lookFor } from './approve-act.ts'
import {
	type AccessState,
	type ApproveAct,
	type DeviceAct,
	type Devices,
	type DevicesState,
	type HistoryState,
	isUnfinished,
	type Progress,
	type RecoveryAct,
	type RevokeAct,
	type VerifyAct,
} from './devices.ts'
import { Value } from './readable.ts'
import { planned, revokePlanned } from './revoke-act.ts'
import { unreadDevices } from './unread.ts'
import { verified } from './verify-act.ts'

export interface DevicesModelOptions {
	account: Account
	/** Is told of what goes wrong and is no known error: a mistake of ours. */
	crashed(error: unknown): void
}

const noWords: RecoveryAct = {
	type: 'recovery',
	step: 'making',
	words: [],
	asked: [0, 0],
	replaces: false,
	progress: null,
	problem: null,
}

/** How often it is looked which hosts have learned of a revocation, ms. */
const watchEvery = 1000

export class DevicesModel implements Devices {
	readonly state = new Value<DevicesState>(unreadDevices)
	readonly history = new Value<HistoryState>({ events: [], loading: false, error: null })
	readonly act = new Value<DeviceAct | null>(null)
	readonly #options: DevicesModelOptions
	readonly #access: AccessReader
	readonly #closing = new AbortController()
	readonly #watching: NodeJS.Timeout
	#reading: Promise<void> | null = null
	/** Asked for again while it was being read. */
	#again = false
	#found: FoundDevice | null = null

	constructor(options: DevicesModelOptions) {
		this.#options = options
		this.#access = new AccessReader(options.account, options.crashed)
		this.#watching = setInterval(() => this.#watchHosts(), watchEvery)
		this.#watching.unref()
	}

	get access(): Value<AccessState> {
		return this.#access.state
	}

	refresh(): Promise<void> {
		if (this.#reading) {
			this.#again = true
			return this.#reading
		}
		this.#reading = this.#read().finally(() => {
			this.#reading = null
			if (!this.#again) return
			this.#again = false
			void this.refresh()
		})
		return this.#reading
	}

	codeProblem(code: string): string | null {
		try {
			parsePairingCode(code)
			return null
		} catch (error) {
			return this.#message(error)
		}
	}

	look(code: string): void {
		this.#run<ApproveAct>(
			{
				type: 'approve',
				step: 'looking',
				request: null,
				progress: null,
				result: null,
				problem: null,
			},
			async (act, show) => {
				this.#found = null
				const found = await lookFor(this.#options.account, code)
				if (show({ ...act, step: 'found', request: found.shown })) this.#found = found
			},
		)
	}

	approve(fingerprint: string): void {
		const act = this.act.get()
		const found = this.#found
		if (
			act?.type !== 'approve' ||
			act.step !== 'found' ||
			found?.shown.fingerprint !== fingerprint
		) {
			return
		}
		this.#found = null
		this.#run<ApproveAct>({ ...act, step: 'sharing' }, async (sharing, show) => {
			const { signal } = this.#closing
			const onProgress = (progress: Progress) => show({ ...sharing, progress })
			const result = await approveFound(this.#options.account, found, { signal, onProgress })
			show({ ...sharing, step: 'done', progress: null, result })
		})
	}

	async rename(device: string, name: string): Promise<void> {
		await renameDevice(this.#options.account, device, name)
		void this.refresh()
	}

	plan(id: string): void {
		const known = this.state.get().devices.find((device) => device.id === id)
		if (!known) return
		const { name, fingerprint, own } = known
		const device = { id, name, fingerprint, own }
		this.#run<RevokeAct>(
			{
				type: 'revoke',
				step: 'planning',
				device,
				plan: null,
				progress: null,
				report: null,
				problem: null,
			},
			async (act, show) => {
				const plan = await planned(this.#options.account, id)
				show({ ...act, step: 'planned', plan })
			},
		)
	}

	revoke(device: string, reason: string | null): boolean {
		const act = this.act.get()
		if (act?.type !== 'revoke' || act.step !== 'planned' || act.device.id !== device) return false
		this.#run<RevokeAct>({ ...act, step: 'revoking' }, async (revoking, show) => {
			const { signal } = this.#closing
			const report = await revokePlanned(this.#options.account, device, {
				reason,
				signal,
				onProgress: (progress) => show({ ...revoking, progress }),
			})
			show({ ...revoking, step: 'done', progress: null, report })
		})
		return true
	}

	makeRecovery(): void {
		// The list of words is large, and seldom needed.
		this.#run<RecoveryAct>(noWords, async (_, show) => {
			const { makeWords } = await import('./recovery-act.ts')
			show(makeWords(this.#options.account))
		})
	}

	showWords(shown: boolean): void {
		const act = this.act.get()
		if (act?.type !== 'recovery' || (act.step !== 'shown' && act.step !== 'asked')) return
		this.act.set({ ...act, step: shown ? 'shown' : 'asked' })
	}

	registerRecovery(): void {
		const act = this.act.get()
		if (act?.type !== 'recovery' || act.step !== 'asked') return
		const { words, replaces } = act
		// They have done their part: from here on they are on paper only.
		this.#run<RecoveryAct>(
			{ ...act, step: 'registering', words: [] },
			async (registering, show) => {
				const { signal } = this.#closing
				const { register } = await import('./recovery-act.ts')
				await register(this.#options.account, words, {
					replace: replaces,
					signal,
					onProgress: (progress) => show({ ...registering, progress }),
				})
				show({ ...registering, step: 'done', progress: null })
			},
		)
	}

	verify(): void {
		this.#run<VerifyAct>(
			{ type: 'verify', step: 'checking', report: null, problem: null },
			async (act, show) => {
				const report = await verified(this.#options.account)
				show({ ...act, step: 'done', report })
			},
		)
	}

	readHistory(): void {
		if (this.history.get().loading) return
		this.history.update((history) => ({ ...history, loading: true, error: null }))
		readLogHistory(this.#options.account).then(
			(events) => {
				const newestFirst = events
					.map(({ name, ...event }) => ({ ...event, label: name }))
					.reverse()
				this.history.set({ events: newestFirst, loading: false, error: null })
			},
			(error: unknown) => {
				const message = this.#message(error)
				this.history.update((history) => ({ ...history, loading: false, error: message }))
			},
		)
	}

	readAccess(): void {
		this.#access.begin()
	}

	moreAccess(): void {
		this.#access.more()
	}

	dismiss(): void {
		const act = this.act.get()
		if (!act || isUnfinished(act) || act.step === 'done' || act.step === 'failed') return
		this.#found = null
		this.act.set(null)
	}

	[Symbol.dispose](): void {
		clearInterval(this.#watching)
		this.#closing.abort()
		this.#access[Symbol.dispose]()
	}

	/** Hosts whose heartbeats do not know of the newest revocation. */
	#behind(): DevicesState['behind'] {
		const { account } = this.#options
		return account.heads
			.hostsBehind(account.log.state)
			.map(({ host }) => ({ host, name: account.deviceName(host) }))
	}

	/** Heartbeats come without a change of the log. */
	#watchHosts(): void {
		const behind = this.#behind()
		if (isDeepStrictEqual(behind, this.state.get().behind)) return
		this.state.update((state) => ({ ...state, behind }))
	}

	async #read(): Promise<void> {
		this.state.update((state) => ({ ...state, loading: true }))
		try {
			const { account } = this.#options
			const { devices, intruders, single, log } = await listDevices(account)
			this.state.set({
				devices,
				intruders,
				single,
				log: { entries: log.entries, head: log.head.hash, problem: log.problem?.message ?? null },
				behind: this.#behind(),
				loading: false,
				known: true,
				error: null,
			})
		} catch (error) {
			const message = this.#message(error)
			this.state.update((state) => ({ ...state, loading: false, error: message }))
		}
	}

	/** Begins an act. What it shows counts only while no other act has taken its place. */
	#run<Act extends DeviceAct>(
		begun: Act,
		work: (act: Act, show: (act: Act) => boolean) => Promise<void>,
	): void {
		const before = this.act.get()
		if (isUnfinished(before)) return
		let current: DeviceAct = begun
		const show = (act: DeviceAct): boolean => {
			if (this.act.get() !== current) return false
			current = act
			this.act.set(act)
			return true
		}
		this.act.set(begun)
		work(begun, show)
			.catch((error: unknown) => {
				if (this.#closing.signal.aborted) return
				show({ ...current, step: 'failed', problem: this.#message(error) })
			})
			.then(() => (this.#closing.signal.aborted ? undefined : this.refresh()))
			.catch(this.#options.crashed)
	}

	#message(error: unknown): string {
		if (error instanceof StyrbyError) return error.message
		if (!this.#closing.signal.aborted) this.#options.crashed(error)
		return 'Something went wrong in styrby-tui itself: see its log.'
	}
}
