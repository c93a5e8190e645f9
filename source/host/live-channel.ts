/** What a host sends unstored over its session's channel: text frames and heartbeats. */
import type { Channel, Gateway, SessionHint } from '../backend/gateway.ts'
import { nonceSize, type RandomBytes } from '../protocol/box.ts'
import { toBase64 } from '../protocol/bytes.ts'
import type { Device } from '../protocol/device.ts'
import type { LogHead } from '../protocol/json.ts'
import { heartbeatInterval, sealTextFrame, signHeartbeat } from '../protocol/live.ts'
import type { TextPiece } from './live-text.ts'

export interface LiveChannelOptions {
	gateway: Gateway
	session: string
	device: Device
	random: RandomBytes
	now(): Date
	/** The key (32 bytes) of the open epoch. */
	epochKey(): { epoch: number; key: Uint8Array }
	/** What a heartbeat may claim: last confirmed message, chain value (32 bytes), verified log. */
	proof(): { seq: number; chain: Uint8Array; log: LogHead }
}

export class LiveChannel implements AsyncDisposable {
	readonly #options: LiveChannelOptions
	#channel: Channel | null = null
	#timer: NodeJS.Timeout | null = null
	#joined = false
	#muted = false
	#n = 0

	constructor(options: LiveChannelOptions) {
		this.#options = options
	}

	/** Joins. Only once the backend knows the session: it lets no one into a channel of none. */
	open(): void {
		if (this.#channel) return
		const { gateway, session } = this.#options
		this.#channel = gateway.followSession(session, (hint) => this.#heard(hint))
		this.#timer = setInterval(() => this.beat(), heartbeatInterval)
		this.#timer.unref()
	}

	/** While muted, nothing is sent. */
	mute(muted: boolean): void {
		this.#muted = muted
	}

	#heard(hint: SessionHint): void {
		if (hint.type === 'lost') this.#joined = false
		if (hint.type !== 'joined') return
		this.#joined = true
		this.beat()
	}

	#send(hint: Parameters<Channel['send']>[0]): void {
		if (this.#joined && !this.#muted) this.#channel?.send(hint)
	}

	beat(): void {
		const { session, device, now, proof } = this.#options
		const { seq, chain, log } = proof()
		const at = now().toISOString()
		const { bytes, signature } = signHeartbeat(
			{ session, seq, chain: toBase64(chain), log, at },
			device.signSecret,
		)
		this.#send({ type: 'heartbeat', bytes: toBase64(bytes), signature: toBase64(signature) })
	}

	text(piece: TextPiece): void {
		const { session, device, random, epochKey } = this.#options
		this.#send(sealedText({ session, device, random, epochKey: epochKey() }, this.#n++, piece))
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#timer) clearInterval(this.#timer)
		this.#timer = null
		await this.#channel?.[Symbol.asyncDispose]()
		this.#channel = null
	}
}

export interface TextSeal extends Pick<LiveChannelOptions, 'session' | 'device' | 'random'> {
	/** The key (32 bytes) of the open epoch. */
	epochKey: { epoch: number; key: Uint8Array }
}

/** A piece of text as it goes over the channel: sealed and signed. `n` counts those of a session. */
export function sealedText(
	{ session, device, random, epochKey: { epoch, key } }: TextSeal,
	n: number,
	piece: TextPiece,
): Extract<SessionHint, { type: 'frame' }> {
	const frame = { session, epoch, n, ...piece, block: piece.block.slice(0, 200) }
	const sealed = sealTextFrame(frame, key, device.signSecret, random(nonceSize))
	return {
		type: 'frame',
		nonce: toBase64(sealed.nonce),
		ciphertext: toBase64(sealed.ciphertext),
		signature: toBase64(sealed.signature),
	}
}
