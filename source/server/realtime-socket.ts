import * as v from 'valibot'
import type { RawData, WebSocket } from 'ws'
import { findUserOfSession } from './auth-store.ts'
import type { ServerContext } from './context.ts'
import { mayListen, maySend } from './realtime-access.ts'
import type { Broadcast, ClientFrame, Vsn } from './realtime-frames.ts'
import { decodeBinary, decodeText, encodeText } from './realtime-frames.ts'
import type { Hub, Subscription } from './realtime-hub.ts'
import { signedOut, topicPrefix } from './realtime-hub.ts'
import type { Claims } from './tokens.ts'

export interface SocketLimits {
	/** Bytes of one frame. */
	readonly frameBytes: number
	readonly channels: number
	/** Joins, and broadcasts, that one connection may make in a second. */
	readonly joinsPerSecond: number
	readonly broadcastsPerSecond: number
	/** Bytes that may wait for a slow reader before it is cut off. */
	readonly bufferedBytes: number
	/** Frames that may wait to be handled before no more are read. */
	readonly pendingFrames: number
	/** Milliseconds without any frame after which a connection is taken for dead. */
	readonly silenceMs: number
	/** Milliseconds between looks at who is silent and whose token has expired. */
	readonly sweepMs: number
}

export const socketLimits: SocketLimits = {
	frameBytes: 3 * 2 ** 20,
	channels: 100,
	joinsPerSecond: 100,
	broadcastsPerSecond: 200,
	bufferedBytes: 16 * 2 ** 20,
	pendingFrames: 256,
	silenceMs: 90_000,
	sweepMs: 5_000,
}

const joinSchema = v.object({
	access_token: v.optional(v.nullable(v.string())),
	config: v.optional(
		v.object({
			private: v.optional(v.boolean(), false),
			broadcast: v.optional(
				v.object({ ack: v.optional(v.boolean(), false), self: v.optional(v.boolean(), false) }),
				{},
			),
			postgres_changes: v.optional(v.nullable(v.array(v.unknown()))),
		}),
		{},
	),
})
const tokenSchema = v.object({ access_token: v.string() })

interface Channel extends Subscription {
	readonly wireTopic: string
	readonly joinRef: string | null
	readonly ack: boolean
	readonly self: boolean
	claims: Claims
	/** Asked when the channel first broadcasts, and again with each new token. */
	maySend: Promise<boolean> | null
}

/** Serves one WebSocket until it closes. Frames are handled in the order they came. */
export function serveSocket(
	context: ServerContext,
	hub: Hub,
	socket: WebSocket,
	vsn: Vsn,
	limits: SocketLimits = socketLimits,
): void {
	const channels = new Map<string, Channel>()
	const joins = new Rate(limits.joinsPerSecond, context.now)
	const broadcasts = new Rate(limits.broadcastsPerSecond, context.now)
	let heard = context.now()
	let pending = 0
	let work: Promise<void> = Promise.resolve()

	const send = (frame: string | Uint8Array) => {
		if (socket.readyState !== socket.OPEN) return
		if (socket.bufferedAmount > limits.bufferedBytes) {
			context.log('cut off a reader that was too slow')
			socket.terminate()
			return
		}
		socket.send(frame)
	}
	const say = (
		channel: Pick<Channel, 'wireTopic' | 'joinRef'>,
		event: string,
		payload: unknown,
	) => {
		const { wireTopic: topic, joinRef } = channel
		send(encodeText({ joinRef, ref: null, topic, event, payload }, vsn))
	}
	const reply = (frame: ClientFrame, status: 'ok' | 'error', response: unknown = {}) => {
		const { joinRef, ref, topic } = frame
		send(
			encodeText({ joinRef, ref, topic, event: 'phx_reply', payload: { status, response } }, vsn),
		)
	}
	const refuse = (frame: ClientFrame, reason: string) => reply(frame, 'error', { reason })

	function leave(channel: Channel): void {
		hub.remove(channel)
		channels.delete(channel.wireTopic)
	}

	/** Ends a channel that may not go on; the client sees why, and joins again if it can. */
	function shut(channel: Channel, why: string): void {
		leave(channel)
		const payload = { extension: 'system', status: 'error', message: why, channel: channel.topic }
		say(channel, 'system', payload)
		say(channel, 'phx_close', {})
	}

	/** A token outlives its sign-in by up to an hour; live channels do not. */
	async function stands({ sub, session_id }: Claims): Promise<boolean> {
		return (await findUserOfSession(context.engine, sub, session_id)) !== null
	}

	async function join(frame: ClientFrame): Promise<void> {
		const { topic: wireTopic, joinRef } = frame
		const topic = wireTopic.slice(topicPrefix.length)
		if (!wireTopic.startsWith(topicPrefix) || topic === '') {
			return refuse(frame, 'TopicNameRequired: a topic starts with "realtime:"')
		}
		const asked = v.safeParse(joinSchema, frame.payload)
		if (!asked.success) return refuse(frame, 'InvalidJoinPayload: the join can not be read')
		const { config, access_token: token } = asked.output
		if (!joins.take()) return refuse(frame, 'ClientJoinRateLimitReached: Too many joins per second')
		const earlier = channels.get(wireTopic)
		if (earlier === undefined && channels.size >= limits.channels) {
			return refuse(frame, 'ChannelRateLimitReached: Too many channels')
		}
		if ((config.postgres_changes ?? []).length > 0) {
			return refuse(frame, 'Unauthorized: this backend broadcasts; it does not stream changes')
		}
		if (!config.private) {
			return refuse(frame, 'PrivateOnly: This project only allows private channels')
		}
		const claims = await context.tokens.verify(token ?? '')
		if (claims === 'expired') return refuse(frame, 'InvalidJWTExpiration: Token has expired')
		if (claims === 'invalid') return refuse(frame, 'InvalidJWTToken: The token is not one of ours')
		if (!(await stands(claims))) return refuse(frame, `InvalidJWTToken: ${signedOut}`)
		if (!(await mayListen(context.engine, claims, topic))) {
			return refuse(
				frame,
				`Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`,
			)
		}
		if (socket.readyState !== socket.OPEN) return
		if (earlier !== undefined) leave(earlier)
		const channel: Channel = {
			topic,
			wireTopic,
			joinRef: joinRef ?? frame.ref,
			vsn,
			ack: config.broadcast.ack,
			self: config.broadcast.self,
			claims,
			maySend: null,
			get session() {
				return this.claims.session_id
			},
			end: (why) => shut(channel, why),
			deliver: send,
		}
		channels.set(wireTopic, channel)
		reply(frame, 'ok', { postgres_changes: [] })
		hub.add(channel)
	}

	async function renew(channel: Channel, frame: ClientFrame): Promise<void> {
		const asked = v.safeParse(tokenSchema, frame.payload)
		const token = asked.success ? asked.output.access_token : ''
		if (token === context.access.anonKey) return
		const claims = await context.tokens.verify(token)
		if (typeof claims === 'string') return shut(channel, `The access token is ${claims}`)
		if (claims.sub === channel.claims.sub && claims.exp === channel.claims.exp) return
		if (!(await stands(claims))) return shut(channel, signedOut)
		if (!(await mayListen(context.engine, claims, channel.topic))) {
			return shut(channel, 'You do not have permissions to read from this Channel topic')
		}
		channel.claims = claims
		channel.maySend = null
	}

	async function broadcast(
		channel: Channel,
		frame: ClientFrame,
		message: Broadcast,
	): Promise<void> {
		if (!broadcasts.take()) return shut(channel, 'Too many messages per second')
		channel.maySend ??= maySend(context.engine, channel.claims, channel.topic)
		const allowed = await channel.maySend.catch((error: Error) => {
			channel.maySend = null
			throw error
		})
		if (!allowed) {
			if (channel.ack) refuse(frame, 'Unauthorized: You may not write to this Channel topic')
			return
		}
		hub.publish(channel.topic, message, channel.self ? null : channel)
		if (channel.ack) reply(frame, 'ok')
	}

	async function handle(frame: ClientFrame): Promise<void> {
		if (frame.topic === 'phoenix') {
			if (frame.event === 'heartbeat') reply(frame, 'ok')
			return
		}
		if (frame.event === 'phx_join') return await join(frame)
		const channel = channels.get(frame.topic)
		if (channel === undefined) return refuse(frame, 'unmatched topic')
		// A late frame of a channel that the client has joined anew since.
		if (frame.joinRef !== null && frame.joinRef !== channel.joinRef) return
		if (frame.broadcast !== null) return await broadcast(channel, frame, frame.broadcast)
		if (frame.event === 'access_token') return await renew(channel, frame)
		if (frame.event === 'phx_leave') {
			leave(channel)
			reply(frame, 'ok')
			say(channel, 'phx_close', {})
			return
		}
		refuse(frame, 'unmatched event')
	}

	function receive(data: RawData, isBinary: boolean): void {
		heard = context.now()
		const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(toBytes(data))
		const frame = isBinary ? decodeBinary(bytes) : decodeText(bytes.toString('utf8'), vsn)
		if (frame === null) {
			socket.close(1002, 'not a frame of this protocol')
			return
		}
		pending += 1
		if (pending > limits.pendingFrames) socket.pause()
		work = work
			.then(() => handle(frame))
			.catch((error: Error) => {
				context.log(`a frame could not be handled: ${error.message}`)
				refuse(frame, 'UnknownErrorOnChannel: the backend could not do this; repeat it')
			})
			.finally(() => {
				pending -= 1
				if (pending === 0) socket.resume()
			})
	}

	const timer = setInterval(() => {
		if (context.now() - heard > limits.silenceMs) return socket.terminate()
		for (const channel of [...channels.values()]) {
			if (channel.claims.exp * 1000 <= context.now()) shut(channel, 'Token has expired')
		}
	}, limits.sweepMs)

	socket.on('message', receive)
	socket.on('error', (error) => context.log(`a connection failed: ${error.message}`))
	socket.on('close', () => {
		clearInterval(timer)
		for (const channel of [...channels.values()]) leave(channel)
	})
}

/** At most so many in a second. */
class Rate {
	readonly #perSecond: number
	readonly #now: () => number
	#second = 0
	#taken = 0

	constructor(perSecond: number, now: () => number) {
		this.#perSecond = perSecond
		this.#now = now
	}

	take(): boolean {
		const second = Math.floor(this.#now() / 1000)
		if (second !== this.#second) {
			this.#second = second
			this.#taken = 0
		}
		this.#taken += 1
		return this.#taken <= this.#perSecond
	}
}

function toBytes(data: Buffer | ArrayBuffer): Uint8Array {
	return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}
