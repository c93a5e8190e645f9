/** What crosses the loopback interface at one port, as tcpdump sees it, put together to streams. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** One direction of one connection. */
export interface Stream {
	/** Whether it goes to the port that was listened at. */
	toServer: boolean
	bytes: Buffer
	/** Bytes that were not captured: then nothing is known of them. */
	missing: number
}

export class Capture {
	readonly #child: ChildProcess
	readonly #file: string
	readonly #port: number

	private constructor(child: ChildProcess, file: string, port: number) {
		this.#child = child
		this.#file = file
		this.#port = port
	}

	/** Resolves when tcpdump listens. It has to run as root, or be allowed to capture. */
	static async start(file: string, port: number): Promise<Capture> {
		const args = ['-i', 'lo', '-n', '-U', '-s', '0', '-B', '65536', '-Z', 'root', '-w', file]
		const child = spawn('tcpdump', [...args, `tcp port ${port}`], {
			stdio: ['ignore', 'ignore', 'pipe'],
		})
		let said = ''
		await new Promise<void>((resolve, reject) => {
			child.once('error', reject)
			child.once('exit', () => reject(new Error(`tcpdump ended: ${said}`)))
			child.stderr?.on('data', (data: Buffer) => {
				said += data.toString()
				if (said.includes('listening on')) resolve()
			})
		})
		child.removeAllListeners('exit')
		return new Capture(child, file, port)
	}

	/** Ends the capture and reads it. */
	async stop(): Promise<{ raw: Buffer; streams: Stream[] }> {
		const ended = once(this.#child, 'exit')
		this.#child.kill('SIGINT')
		await ended
		const raw = readFileSync(this.#file)
		return { raw, streams: streamsOf(raw, this.#port) }
	}
}

interface Segment {
	seq: number
	data: Buffer
}

/** Reads a pcap file of an Ethernet-like interface (loopback is one). */
export function streamsOf(pcap: Buffer, port: number): Stream[] {
	if (pcap.readUInt32LE(0) !== 0xa1b2c3d4 || pcap.readUInt32LE(20) !== 1) {
		throw new Error('not a capture of the expected form')
	}
	const flows = new Map<string, { toServer: boolean; first: number | null; segments: Segment[] }>()
	for (let at = 24; at + 16 <= pcap.length; ) {
		const length = pcap.readUInt32LE(at + 8)
		if (length !== pcap.readUInt32LE(at + 12)) throw new Error('a packet was cut')
		const packet = pcap.subarray(at + 16, at + 16 + length)
		at += 16 + length
		if (packet.length < 54 || packet.readUInt16BE(12) !== 0x0800 || packet[23] !== 6) continue
		const tcp = 14 + ((packet[14] ?? 0) & 15) * 4
		const end = 14 + packet.readUInt16BE(16)
		const [from, to] = [packet.readUInt16BE(tcp), packet.readUInt16BE(tcp + 2)]
		const start = tcp + ((packet[tcp + 12] ?? 0) >> 4) * 4
		const begins = ((packet[tcp + 13] ?? 0) & 2) !== 0
		const seq = packet.readUInt32BE(tcp + 4)
		const key = `${from}>${to}`
		let flow = flows.get(key)
		// A port may be used again for a later connection.
		if (!flow || begins) {
			if (flow) flows.set(`${key}#${flows.size}`, flow)
			flow = { toServer: to === port, first: begins ? seq + 1 : null, segments: [] }
			flows.set(key, flow)
		}
		if (end > start) flow.segments.push({ seq, data: packet.subarray(start, end) })
	}
	return [...flows.values()].map(({ toServer, first, segments }) =>
		joined(toServer, first, segments),
	)
}

function joined(toServer: boolean, first: number | null, segments: readonly Segment[]): Stream {
	const base = first ?? segments[0]?.seq ?? 0
	const placed = segments
		.map(({ seq, data }) => ({ at: (seq - base) | 0, data }))
		.sort((a, b) => a.at - b.at)
	const parts: Buffer[] = []
	let length = 0
	let missing = 0
	for (const { at, data } of placed) {
		if (at + data.length <= length) continue
		if (at > length) {
			missing += at - length
			length = at
		}
		parts.push(data.subarray(length - at))
		length = at + data.length
	}
	return { toServer, bytes: Buffer.concat(parts), missing }
}

/**
 * The payloads of the WebSocket frames in a stream, unmasked; `null` when it never becomes one. Requests may
 * have gone over the same connection before.
 */
export function webSocketPayloads(stream: Stream): Buffer[] | null {
	const begin = stream.toServer ? 'GET /realtime/' : 'HTTP/1.1 101 '
	const upgrade = stream.bytes.indexOf(begin)
	if (upgrade === -1) return null
	const head = stream.bytes.indexOf('\r\n\r\n', upgrade)
	if (head === -1) return null
	const { bytes } = stream
	const payloads: Buffer[] = []
	for (let at = head + 4; at + 2 <= bytes.length; ) {
		const masked = ((bytes[at + 1] ?? 0) & 0x80) !== 0
		let size = (bytes[at + 1] ?? 0) & 0x7f
		let start = at + 2
		if (size === 126) {
			size = bytes.readUInt16BE(at + 2)
			start = at + 4
		} else if (size === 127) {
			size = Number(bytes.readBigUInt64BE(at + 2))
			start = at + 10
		}
		const mask = masked ? bytes.subarray(start, start + 4) : null
		if (masked) start += 4
		const payload = Buffer.from(bytes.subarray(start, start + size))
		if (mask) {
			for (let index = 0; index < payload.length; index++) {
				payload[index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0)
			}
		}
		payloads.push(payload)
		at = start + size
	}
	return payloads
}
