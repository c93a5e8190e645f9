/** The devices of a viewer that is not connected yet: what is asked for waits until it is. */
import { StyrbyError } from '../protocol/errors.ts'
import type { AccessState, DeviceAct, Devices, DevicesState, HistoryState } from './devices.ts'
import { Value } from './readable.ts'
import { unreadDevices } from './unread.ts'

export class LateDevices implements Devices {
	readonly state = new Value<DevicesState>({ ...unreadDevices, loading: true })
	readonly history = new Value<HistoryState>({ events: [], loading: true, error: null })
	readonly access = new Value<AccessState>({
		rows: [],
		complete: false,
		loading: true,
		error: null,
	})
	readonly act = new Value<DeviceAct | null>(null)
	#devices: Devices | null = null
	#waiting: ((devices: Devices) => unknown)[] = []

	attach(devices: Devices): void {
		this.#devices = devices
		this.state.follow(devices.state)
		this.history.follow(devices.history)
		this.access.follow(devices.access)
		this.act.follow(devices.act)
		for (const work of this.#waiting.splice(0)) work(devices)
	}

	async refresh(): Promise<void> {
		await this.#devices?.refresh()
	}

	codeProblem(code: string): string | null {
		// Else it is found out when it is looked for.
		return this.#devices?.codeProblem(code) ?? null
	}

	look(code: string): void {
		this.#then((devices) => devices.look(code))
	}

	approve(fingerprint: string): void {
		this.#then((devices) => devices.approve(fingerprint))
	}

	async rename(device: string, name: string): Promise<void> {
		if (!this.#devices) throw notConnected()
		await this.#devices.rename(device, name)
	}

	plan(device: string): void {
		this.#then((devices) => devices.plan(device))
	}

	revoke(device: string, reason: string | null): boolean {
		return this.#devices?.revoke(device, reason) ?? false
	}

	makeRecovery(): void {
		this.#then((devices) => devices.makeRecovery())
	}

	showWords(shown: boolean): void {
		this.#then((devices) => devices.showWords(shown))
	}

	registerRecovery(): void {
		this.#then((devices) => devices.registerRecovery())
	}

	verify(): void {
		this.#then((devices) => devices.verify())
	}

	readHistory(): void {
		this.#then((devices) => devices.readHistory())
	}

	readAccess(): void {
		this.#then((devices) => devices.readAccess())
	}

	moreAccess(): void {
		this.#then((devices) => devices.moreAccess())
	}

	dismiss(): void {
		this.#waiting = []
		this.#devices?.dismiss()
	}

	#then(work: (devices: Devices) => unknown): void {
		if (this.#devices) work(this.#devices)
		else this.#waiting.push(work)
	}
}

export function notConnected(): StyrbyError {
	return new StyrbyError(
		'not_connected',
		'The backend has not answered yet: nothing was sent; try again when it has.',
	)
}
