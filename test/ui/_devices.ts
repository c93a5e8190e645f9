/** The `Devices` interface over plain data: the test sets what is known, and reads what was asked for. */
import type {
	AccessState,
	ApproveAct,
	DeviceAct,
	DeviceEntry,
	Devices,
	DevicesState,
	FoundPairing,
	HistoryState,
	LogEvent,
	RecoveryAct,
	RevokeAct,
} from '../../source/viewer/devices.ts'
import { Value } from '../../source/viewer/readable.ts'
import { at, uuid } from './_present.ts'

export const laptop = uuid(901)
export const buildBox = uuid(900)
export const phone = uuid(902)

export function device(id: string, change: Partial<DeviceEntry> = {}): DeviceEntry {
	return {
		id,
		name: 'laptop',
		kind: 'device',
		fingerprint: 'A1B2-C3D4-E5F6-G7H8-J9K0',
		state: 'active',
		own: false,
		addedBy: buildBox,
		addedByName: 'build-box',
		addedAt: at(86_400),
		revoked: null,
		lastSeenAt: at(120),
		sessions: 12,
		...change,
	}
}

export const threeDevices: readonly DeviceEntry[] = [
	device(buildBox, {
		name: 'build-box',
		fingerprint: '5N4W-0Q2Z-XK7D-RT9A-PB3C',
		addedBy: buildBox,
	}),
	device(laptop, { own: true }),
	device(phone, {
		name: 'old-phone',
		fingerprint: 'ZZ19-QW28-ER37-TY46-VP55',
		state: 'revoked',
		revoked: { by: laptop, byName: 'laptop', at: at(3600), reason: 'lost it' },
		sessions: 7,
	}),
]

export const someState: DevicesState = {
	devices: threeDevices,
	intruders: [],
	single: false,
	log: { entries: 4, head: 'aGVhZA==', problem: null },
	behind: [],
	loading: false,
	known: true,
	error: null,
}

export const words = Array.from(
	{ length: 24 },
	(_, index) => ['abandon', 'zebra', 'music'][index % 3] ?? '',
)

export const found: FoundPairing = {
	name: 'new-desk',
	as: 'new-desk',
	platform: 'linux',
	fingerprint: 'N3W0-N3W1-N3W2-N3W3-N3W4',
	at: at(20),
	already: null,
}

export const approving: ApproveAct = {
	type: 'approve',
	step: 'looking',
	request: null,
	progress: null,
	result: null,
	problem: null,
}

export const revoking: RevokeAct = {
	type: 'revoke',
	step: 'planned',
	device: {
		id: buildBox,
		name: 'build-box',
		fingerprint: '5N4W-0Q2Z-XK7D-RT9A-PB3C',
		own: false,
	},
	plan: {
		live: [{ session: uuid(1), hostName: 'laptop', own: false }],
		last: false,
		readable: 12,
	},
	progress: null,
	report: null,
	problem: null,
}

export const recovering: RecoveryAct = {
	type: 'recovery',
	step: 'shown',
	words,
	asked: [3, 16],
	replaces: false,
	progress: null,
	problem: null,
}

export function logEvent(seq: number, change: Partial<LogEvent> = {}): LogEvent {
	return {
		seq,
		at: at(10_000 - seq),
		by: laptop,
		byName: 'laptop',
		type: 'add',
		device: phone,
		deviceName: 'old-phone',
		proof: false,
		label: 'old-phone',
		reason: null,
		hash: 'aGFzaA==',
		...change,
	}
}

/** Writes down what it was asked to do, and does as the test says. */
export class ScriptedDevices implements Devices {
	readonly state = new Value<DevicesState>(someState)
	readonly history = new Value<HistoryState>({ events: [], loading: false, error: null })
	readonly access = new Value<AccessState>({
		rows: [],
		complete: false,
		loading: false,
		error: null,
	})
	readonly act = new Value<DeviceAct | null>(null)
	readonly asked: string[] = []
	renaming: Promise<void> = Promise.resolve()
	codeWrong: string | null = null

	async refresh(): Promise<void> {
		this.asked.push('refresh')
	}

	codeProblem(): string | null {
		return this.codeWrong
	}

	look(code: string): void {
		this.asked.push(`look ${code}`)
		this.act.set(approving)
	}

	approve(fingerprint: string): void {
		this.asked.push(`approve ${fingerprint}`)
		const request = this.request()
		this.act.set({ ...approving, step: 'sharing', request })
	}

	rename(id: string, name: string): Promise<void> {
		this.asked.push(`rename ${id} ${name}`)
		return this.renaming
	}

	plan(id: string): void {
		this.asked.push(`plan ${id}`)
		this.act.set({ ...revoking, step: 'planning', plan: null })
	}

	revoke(device: string): boolean {
		const act = this.act.get()
		if (act?.type !== 'revoke' || act.device.id !== device) return false
		this.asked.push(`revoke ${device}`)
		this.act.set({ ...act, step: 'revoking' })
		return true
	}

	makeRecovery(): void {
		this.asked.push('words')
		this.act.set(recovering)
	}

	showWords(shown: boolean): void {
		const step = shown ? 'shown' : 'asked'
		this.act.update((act) => (act?.type === 'recovery' ? { ...act, step } : act))
	}

	registerRecovery(): void {
		this.asked.push('register')
		this.act.set({ ...recovering, step: 'registering', words: [] })
	}

	verify(): void {
		this.asked.push('verify')
		this.act.set({ type: 'verify', step: 'checking', report: null, problem: null })
	}

	readHistory(): void {
		this.asked.push('history')
	}

	readAccess(): void {
		this.asked.push('access')
	}

	moreAccess(): void {
		this.asked.push('more access')
	}

	dismiss(): void {
		this.asked.push('dismiss')
		const step = this.act.get()?.step
		if (step === 'found' || step === 'planned' || step === 'shown') this.act.set(null)
	}

	private request(): FoundPairing {
		const act = this.act.get()
		return (act?.type === 'approve' ? act.request : null) ?? found
	}
}
