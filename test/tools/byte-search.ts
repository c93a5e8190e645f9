/** Looks for many secrets at once in bytes, in every dress that software gives to text. */

export interface Found {
	/** Which secret. */
	name: string
	encoding: string
	offset: number
}

interface Pattern {
	name: string
	encoding: string
	bytes: Buffer
}

/** Shorter patterns would be found by chance. */
const least = 8

/** The forms that some bytes may take. What base64 makes of them depends on what stands before. */
export function dresses(secret: Buffer): [string, Buffer][] {
	const text = secret.toString('utf8')
	const isText = Buffer.from(text, 'utf8').equals(secret)
	const forms: [string, Buffer][] = [
		['raw', secret],
		['hex', Buffer.from(secret.toString('hex'))],
		['HEX', Buffer.from(secret.toString('hex').toUpperCase())],
		['%xx', Buffer.from([...secret].map((byte) => `%${hex(byte).toUpperCase()}`).join(''))],
	]
	for (let before = 0; before < 3; before++) {
		// Characters that share bits with unknown neighbours are left out.
		const start = before === 0 ? 0 : before + 1
		const whole = Buffer.concat([Buffer.alloc(before), secret])
		const end = Math.floor((whole.length * 8) / 6)
		for (const encoding of ['base64', 'base64url'] as const) {
			const piece = whole.toString(encoding).slice(start, end)
			forms.push([`${encoding}+${before}`, Buffer.from(piece)])
		}
	}
	if (isText) {
		const escaped = JSON.stringify(text).slice(1, -1)
		const utf16 = Buffer.from(text, 'utf16le')
		forms.push(
			['json', Buffer.from(escaped)],
			['json in json', Buffer.from(JSON.stringify(escaped).slice(1, -1))],
			['url', Buffer.from(encodeURIComponent(text.toWellFormed()))],
			['form', Buffer.from(new URLSearchParams({ a: text }).toString().slice(2))],
			['utf16le', utf16],
			['utf16be', Buffer.from(utf16).swap16()],
		)
	}
	return forms
}

const hex = (byte: number) => byte.toString(16).padStart(2, '0')

/** All secrets, ready to be looked for. Names are for the report; a secret is at least 8 bytes long. */
export class ByteSearch {
	readonly #byStart = new Map<number, Pattern[]>()
	/** A bit for each hash of four bytes that a pattern begins with. */
	readonly #starts = new Uint8Array(2 ** 21)
	readonly size: number

	constructor(secrets: ReadonlyMap<string, Buffer>) {
		const known = new Set<string>()
		for (const [name, secret] of secrets) {
			if (secret.length < least) throw new RangeError(`${name} is too short to be looked for`)
			for (const [encoding, bytes] of dresses(secret)) {
				const id = bytes.toString('latin1')
				if (bytes.length < least || known.has(id)) continue
				known.add(id)
				const start = bytes.readUInt32LE(0)
				const same = this.#byStart.get(start) ?? []
				same.push({ name, encoding, bytes })
				this.#byStart.set(start, same)
				this.#mark(start)
			}
		}
		this.size = secrets.size
	}

	#mark(start: number): void {
		const place = hash(start)
		this.#starts[place >> 3] = (this.#starts[place >> 3] ?? 0) | (1 << (place & 7))
	}

	/** Every place where one of them begins; at most `most`. */
	in(data: Buffer, most = 20): Found[] {
		const found: Found[] = []
		for (let offset = 0; offset + least <= data.length; offset++) {
			const start = data.readUInt32LE(offset)
			const place = hash(start)
			if (((this.#starts[place >> 3] ?? 0) & (1 << (place & 7))) === 0) continue
			for (const { name, encoding, bytes } of this.#byStart.get(start) ?? []) {
				if (
					data.compare(
						bytes,
						0,
						bytes.length,
						offset,
						Math.min(offset + bytes.length, data.length),
					) !== 0
				) {
					continue
				}
				found.push({ name, encoding, offset })
				if (found.length === most) return found
			}
		}
		return found
	}
}

const hash = (value: number) => Math.imul(value, 0x9e3779b1) >>> 8
