/**
 * Makes test/fixtures/vectors/protocol.json: the golden vectors of every byte layout of docs/protocol.md.
 * It is a second implementation, written from that document alone: it imports nothing of source/, and uses
 * tweetnacl where source/ uses node:crypto. The file never changes within a protocol version:
 *
 *     node test/tools/make-vectors.ts          compares, and says what differs
 *     node test/tools/make-vectors.ts --write  writes; only for a layout that is new
 */
import { createHash, createHmac } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import nacl from 'tweetnacl'

type Bytes = Uint8Array

const utf8 = (text: string): Bytes => new Uint8Array(Buffer.from(text, 'utf8'))
const b64 = (bytes: Bytes): string => Buffer.from(bytes).toString('base64')
const hex = (bytes: Bytes): string => Buffer.from(bytes).toString('hex')
const cat = (...parts: Bytes[]): Bytes => new Uint8Array(Buffer.concat(parts))
const sha = (...parts: Bytes[]): Bytes =>
	new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest())
/** Fixed bytes, named after what they are for. */
const fixed = (name: string, size = 32): Bytes =>
	sha(utf8(`styrby test vector: ${name}`)).slice(0, size)

const D = (purpose: string): Bytes => cat(utf8(`styrby/v1/${purpose}`), new Uint8Array(1))
const sign = (purpose: string, secret: Bytes, ...parts: Bytes[]): Bytes =>
	nacl.sign.detached(cat(D(purpose), ...parts), secret)

function bigEndian(value: bigint, size: number): Bytes {
	const bytes = new Uint8Array(size)
	for (let index = size - 1, rest = value; index >= 0; index--, rest >>= 8n) {
		bytes[index] = Number(rest & 0xffn)
	}
	return bytes
}

/** Padmé, as its paper writes it. */
function padme(length: bigint): bigint {
	if (length < 2n) return length
	const log2 = (value: bigint) => BigInt(value.toString(2).length - 1)
	const e = log2(length)
	const s = log2(e) + 1n
	const mask = (1n << (e - s)) - 1n
	return (length + mask) & ~mask
}

function pad(json: string): Bytes {
	const bytes = utf8(json)
	const size = Math.max(256, Number(padme(BigInt(bytes.length + 4))))
	return cat(bigEndian(BigInt(bytes.length), 4), bytes, new Uint8Array(size - 4 - bytes.length))
}

function device(name: string, id: string, kind = 'device') {
	const boxSeed = fixed(`${name} box`)
	const signSeed = fixed(`${name} sign`)
	const box = nacl.box.keyPair.fromSecretKey(boxSeed)
	const signing = nacl.sign.keyPair.fromSeed(signSeed)
	const keys = { box: b64(box.publicKey), sign: b64(signing.publicKey) }
	return {
		id,
		kind,
		...keys,
		boxSeed,
		signSeed,
		boxPublic: box.publicKey,
		signPublic: signing.publicKey,
		signSecret: signing.secretKey,
		record: `{"id":"${id}","box":"${keys.box}","sign":"${keys.sign}","kind":"${kind}"}`,
	}
}
type TestDevice = ReturnType<typeof device>

const account = '6f1c7a52-3a0e-4a9b-8f36-0c1de2a4b501'
const session = '0b9f2a31-55c4-4d0e-9d3a-7e1f60c2d802'
const request = '2c8e4b1d-9a7f-4c36-8b25-1d0f93e6a703'
const commandId = '91d3c6e0-4b2a-4f87-a1c9-5e7208bd3f04'
const host = device('host', 'c5a0e7f4-12b6-4d39-9e80-3fa1b7d2c605')
const laptop = device('laptop', 'e83b19d7-6f40-4a5c-b2d1-94c0a8f5e706')
const recovery = device('recovery', '47d2f0a9-8c15-4b6e-93a7-b0e6c1f2d807', 'recovery')
const at = (second: number) => `2026-03-01T12:00:${String(second).padStart(2, '0')}.000Z`

function crockford(bytes: Bytes, bits: number): string {
	let value = BigInt(`0x${hex(bytes)}`) >> BigInt(bytes.length * 8 - bits)
	let text = ''
	for (let left = bits; left > 0; left -= 5) {
		text = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.charAt(Number(value & 31n)) + text
		value >>= 5n
	}
	return text
}

function deviceVector(one: TestDevice) {
	const hash = sha(D('fingerprint'), one.boxPublic, one.signPublic)
	const groups = crockford(hash, 100).match(/.{4}/g) ?? []
	return {
		box_seed: hex(one.boxSeed),
		sign_seed: hex(one.signSeed),
		record: one.record,
		vault: `{"v":1,"id":"${one.id}","kind":"${one.kind}","box":"${b64(one.boxSeed)}","sign":"${b64(one.signSeed)}"}`,
		fingerprint: groups.join('-'),
	}
}

function seal(json: string, key: Bytes, nonce: Bytes): Bytes {
	return nacl.secretbox(pad(json), nonce, key)
}

const accountKey = fixed('account key')

function label(subject: string, what: Record<'name' | 'title' | 'project' | 'cwd', string | null>) {
	const nonce = fixed(`label of ${subject}`, 24)
	const { name, title, project, cwd } = what
	const json = JSON.stringify({ v: 1, subject, name, title, project, cwd })
	const sealed = { epoch: 0, nonce: b64(nonce), ciphertext: b64(seal(json, accountKey, nonce)) }
	return { subject, key: hex(accountKey), label: what, json, sealed }
}

const named = (one: TestDevice, name: string) =>
	label(`device:${one.id}`, { name, title: null, project: null, cwd: null })

function logVector() {
	const entries: { seq: number; entry: string; signature: string; hash: string }[] = []
	let prev = new Uint8Array(32)
	const append = (by: TestDevice, members: string) => {
		const seq = entries.length
		const place = `"v":1,"account":"${account}","seq":${seq},"prev":"${b64(prev)}","by":"${by.id}"`
		const entry = `{${place},${members}}`
		const signature = sign('log-entry', by.signSecret, utf8(entry))
		prev = new Uint8Array(sha(D('log'), utf8(entry), signature))
		entries.push({ seq, entry, signature: hex(signature), hash: b64(prev) })
	}
	const join = (one: TestDevice) => {
		const { id, box, sign: key, kind } = one
		const bytes = `{"account":"${account}","id":"${id}","box":"${box}","sign":"${key}","kind":"${kind}"}`
		return b64(sign('log-join', one.signSecret, utf8(bytes)))
	}
	const sealed = (one: TestDevice, name: string) => JSON.stringify(named(one, name).sealed)
	const add = (one: TestDevice, name: string) =>
		`"device":${one.record},"label":${sealed(one, name)},"join":"${join(one)}"`
	append(
		host,
		`"type":"genesis","at":"${at(0)}","device":${host.record},"label":${sealed(host, 'build-box')}`,
	)
	append(host, `"type":"add","at":"${at(1)}",${add(laptop, 'laptop')}`)
	append(laptop, `"type":"add","at":"${at(2)}",${add(recovery, 'recovery words')}`)
	append(
		laptop,
		`"type":"rename","at":"${at(3)}","device":"${host.id}","label":${sealed(host, 'büro 🖥')}`,
	)
	append(host, `"type":"revoke","at":"${at(4)}","device":"${laptop.id}","reason":"lost on a train"`)
	return { account, entries }
}

const log = logVector()
const head = (seq: number) => `{"seq":${seq},"hash":"${log.entries[seq]?.hash}"}`
const chainStart = sha(D('chain'), utf8(session))
const sessionKey = fixed('session key, epoch 0')
const nextKey = fixed('session key, epoch 1')

function epoch(
	scope: string,
	place: { epoch: number; key: Bytes; from: number; prev: Bytes; head: number },
) {
	const { key, from, prev } = place
	const hash = b64(sha(D('key'), key))
	const record = `{"v":1,"scope":"${scope}","epoch":${place.epoch},"by":"${host.id}","key":"${hash}","log":${head(place.head)},"from":${from},"prev":"${b64(prev)}"}`
	const signature = hex(sign('epoch', host.signSecret, utf8(record)))
	const nonce = fixed(`grant ${scope} ${place.epoch}`, 24)
	const shared = nacl.box.before(laptop.boxPublic, host.boxSeed)
	const plaintext = `{"v":1,"scope":"${scope}","epoch":${place.epoch},"key":"${b64(key)}"}`
	const grant = {
		to: laptop.id,
		by: host.id,
		shared: hex(shared),
		nonce: hex(nonce),
		ciphertext: hex(nacl.box.after(pad(plaintext), nonce, shared)),
	}
	return {
		scope,
		epoch: place.epoch,
		key: hex(key),
		from,
		prev: hex(prev),
		log_seq: place.head,
		record,
		signature,
		grant,
	}
}

interface Chain {
	seq: number
	value: Bytes
	signature: Bytes | null
}

/** Of large ciphertexts only the hash is kept. */
function sealed(ciphertext: Bytes) {
	return ciphertext.length > 4096
		? { ciphertext_sha256: hex(sha(ciphertext)), ciphertext_length: ciphertext.length }
		: { ciphertext: hex(ciphertext) }
}

function message(
	chain: Chain,
	epochNumber: number,
	key: Bytes,
	members: string,
	named = 'message',
) {
	const seq = chain.seq + 1
	const nonce = fixed(`${named} ${seq}`, 24)
	const signed = chain.signature === null ? 'null' : `"${b64(chain.signature)}"`
	const place = `"v":1,"session":"${session}","seq":${seq},"epoch":${epochNumber}`
	const json = `{${place},"prev":"${b64(chain.value)}","prev_signature":${signed},${members}}`
	const ciphertext = seal(json, key, nonce)
	const link = cat(
		D('link'),
		chain.value,
		bigEndian(BigInt(seq), 8),
		bigEndian(BigInt(epochNumber), 4),
		nonce,
		ciphertext,
	)
	const value = sha(link)
	const signature = sign('message', host.signSecret, value)
	const vector = {
		seq,
		epoch: epochNumber,
		nonce: hex(nonce),
		...(json.length > 2048 ? { json_sha256: hex(sha(utf8(json))) } : { json }),
		...sealed(ciphertext),
		chain: hex(value),
		signature: hex(signature),
	}
	return { vector, json, next: { seq, value, signature } }
}

/** Splits JSON text at 48 KiB, never inside of a character: by characters, where source/ goes by bytes. */
function pieces(json: string): string[] {
	const found: string[] = []
	let piece = ''
	let size = 0
	for (const character of json) {
		const length = utf8(character).length
		if (size + length > 48 * 1024) {
			found.push(piece)
			piece = ''
			size = 0
		}
		piece += character
		size += length
	}
	return [...found, piece]
}

const requestBody = {
	request,
	tool: 'Bash',
	tool_use: 'toolu_01',
	input: { command: 'rm -rf build', description: 'Löscht den Ordner' },
	description: null,
	cwd: '/home/dev/api-server',
	reason: null,
	changes: [],
	session_rules: [{ tool: 'Bash', rule: 'rm -rf build' }],
	questions: null,
	expires_at: at(59),
}
/** The text of the large body is this, 10,000 times: the file need not hold it. */
const largePiece = 'é"€🖥'
const large = { text: largePiece.repeat(10_000), block: null, model: null, parent: null }

function messagesVector() {
	const vectors: ReturnType<typeof message>['vector'][] = []
	let chain: Chain = { seq: 0, value: chainStart, signature: null }
	const add = (epochNumber: number, key: Bytes, members: string) => {
		const made = message(chain, epochNumber, key, members)
		chain = made.next
		vectors.push(made.vector)
		return made.json
	}
	const prompt = { text: 'Räum den Build auf, bitte 🧹', source: 'agent' }
	add(0, sessionKey, `"at":"${at(10)}","kind":"user_prompt","body":${JSON.stringify(prompt)}`)
	const asked = add(
		0,
		sessionKey,
		`"at":"${at(11)}","kind":"permission_request","body":${JSON.stringify(requestBody)}`,
	)
	const parts = pieces(JSON.stringify(large))
	const jsons = parts.map((piece, index) =>
		add(
			0,
			sessionKey,
			`"at":"${at(12)}","kind":"agent_response","part":${index + 1},"of":${parts.length},"body":${JSON.stringify(piece)}`,
		),
	)
	const before: Chain = chain
	const status = { status: 'idle', detail: null, applied: null }
	add(1, nextKey, `"at":"${at(13)}","kind":"status","body":${JSON.stringify(status)}`)
	const digestOf = (...texts: string[]) => hex(sha(D('request'), ...texts.map(utf8)))
	return {
		before,
		after: chain,
		digest: digestOf(asked),
		vector: {
			session,
			chain_start: hex(chainStart),
			keys: [hex(sessionKey), hex(nextKey)],
			user_prompt: prompt,
			permission_request: requestBody,
			large_piece: largePiece,
			large_repeated: 10_000,
			status,
			request_digest: digestOf(asked),
			/** Over all parts in order, as it would be for a request of several parts. */
			parts_digest: digestOf(...jsons),
			messages: vectors,
		},
	}
}

/** The message after `chain`, with the log head that its host knew. */
function logHeadVector(chain: Chain) {
	const members = `"log":${head(4)},"at":"${at(14)}","kind":"system","body":${JSON.stringify(notice)}`
	return { notice, message: message(chain, 1, nextKey, members, 'message with a head').vector }
}
const notice = { type: 'about', text: null, data: { model: 'a model' } }

function liveVector() {
	const nonce = fixed('text frame', 24)
	const frame = { session, epoch: 0, n: 7, kind: 'agent_response', block: 'msg_01/0' }
	const text = 'Ich lösche den Ordner'
	const json = `{"v":1,"session":"${session}","epoch":0,"n":7,"kind":"agent_response","block":"msg_01/0","offset":12,"text":"${text}"}`
	const ciphertext = seal(json, sessionKey, nonce)
	const beat = `{"v":1,"session":"${session}","seq":2,"chain":"${b64(chainStart)}","log":${head(1)},"at":"${at(20)}"}`
	return {
		text_frame: {
			frame: { ...frame, offset: 12, text },
			nonce: hex(nonce),
			ciphertext: hex(ciphertext),
			signature: hex(sign('frame', host.signSecret, nonce, ciphertext)),
		},
		heartbeat: {
			bytes: beat,
			signature: hex(sign('heartbeat', host.signSecret, utf8(beat))),
		},
	}
}

function commandVector(digest: string) {
	const shared = nacl.box.before(host.boxPublic, laptop.boxSeed)
	const place = `"v":1,"id":"${commandId}","session":"${session}","to":"${host.id}","by":"${laptop.id}","at":"${at(30)}","log":${head(1)}`
	const bodies: [string, string][] = [
		[
			'decision',
			`{"request":"${request}","digest":"${digest}","decision":"deny","scope":"once","reason":"not that folder"}`,
		],
		['prompt', '{"text":"und jetzt die Tests"}'],
		['interrupt', '{}'],
		['mode', '{"mode":"plan"}'],
	]
	return bodies.map(([kind, body]) => {
		const bytes = `{${place},"kind":"${kind}","body":${body}}`
		const signature = sign('command', laptop.signSecret, utf8(bytes))
		const nonce = fixed(`command ${kind}`, 24)
		const ciphertext = nacl.box.after(cat(signature, pad(bytes)), nonce, shared)
		return {
			kind,
			bytes,
			signature: hex(signature),
			nonce: hex(nonce),
			ciphertext: hex(ciphertext),
		}
	})
}

function paddingVector() {
	const edges = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 251, 252, 253, 254, 255, 256, 257, 1000, 1023, 1024]
	const large = [1025, 4095, 4096, 4097, 49_152, 65_535, 65_536, 65_537, 1_000_000, 16_777_217]
	return {
		padme: [...edges, ...large, 2 ** 31 - 1].map((length) => [
			length,
			Number(padme(BigInt(length))),
		]),
		frames: ['', 'a', 'é'.repeat(126), 'b'.repeat(253)].map((text) => ({
			text,
			frame: hex(pad(text)),
		})),
	}
}

/** RFC 5869 with no salt. */
function hkdf(secret: Bytes, info: Bytes, size: number): Bytes {
	const mac = (key: Bytes, ...parts: Bytes[]) =>
		new Uint8Array(createHmac('sha256', key).update(Buffer.concat(parts)).digest())
	const key = mac(new Uint8Array(32), secret)
	return mac(key, info, Uint8Array.of(1)).slice(0, size)
}

/** In GF(2⁵) modulo x⁵ + x² + 1, as schoolbook polynomials. */
function times(a: number, b: number): number {
	let product = 0
	for (let bit = 0; bit < 5; bit++) if (b & (1 << bit)) product ^= a << bit
	for (let bit = 9; bit >= 5; bit--) if (product & (1 << bit)) product ^= 0b100101 << (bit - 5)
	return product
}

const digits32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

function pairingCode(secret: Bytes): string {
	const number = BigInt(`0x${hex(secret)}`)
	const values = Array.from({ length: 16 }, (_, index) =>
		Number((number >> BigInt(5 * (15 - index))) & 31n),
	)
	let check = 0
	let weight = 2
	for (const value of values) {
		check ^= times(weight, value)
		weight = times(weight, 2)
	}
	const text = [...values, check].map((value) => digits32[value]).join('')
	return `${text.slice(0, 4)}-${text.slice(4, 8)}-${text.slice(8, 12)}-${text.slice(12)}`
}

function pairingVector() {
	const secret = fixed('pairing code', 10)
	const keys = {
		id: hkdf(secret, D('pairing-id'), 16),
		request: hkdf(secret, D('pairing-request'), 32),
		answer: hkdf(secret, D('pairing-answer'), 32),
	}
	const joins = `{"account":"${account}",${laptop.record.slice(1)}`
	const join = b64(sign('log-join', laptop.signSecret, utf8(joins)))
	const request = `{"v":1,"account":"${account}","device":${laptop.record},"name":"laptop","platform":"linux","join":"${join}","at":"${at(10)}"}`
	const genesis = log.entries[0]?.hash
	const answer = `{"v":1,"account":"${account}","genesis":"${genesis}","log":${head(1)},"by":${host.record}}`
	const sealed = (json: string, key: Bytes, name: string) => {
		const nonce = fixed(`pairing ${name} nonce`, 24)
		return { json, nonce: hex(nonce), ciphertext: hex(nacl.secretbox(pad(json), nonce, key)) }
	}
	return {
		secret: hex(secret),
		code: pairingCode(secret),
		keys: { id: hex(keys.id), request: hex(keys.request), answer: hex(keys.answer) },
		request: sealed(request, keys.request, 'request'),
		answer: sealed(answer, keys.answer, 'answer'),
	}
}

/** BIP-39: 256 bits and the first 8 of their hash, in 24 pieces of 11. */
function recoveryVector() {
	const entropy = fixed('recovery words')
	const bits = (BigInt(`0x${hex(entropy)}`) << 8n) | BigInt(sha(entropy)[0] ?? 0)
	const words = Array.from(
		{ length: 24 },
		(_, index) => wordlist[Number((bits >> BigInt(11 * (23 - index))) & 2047n)],
	)
	const raw = hkdf(entropy, D('recovery-id'), 16)
	raw[6] = ((raw[6] ?? 0) & 0x0f) | 0x40
	raw[8] = ((raw[8] ?? 0) & 0x3f) | 0x80
	const text = hex(raw)
	const id = [8, 12, 16, 20, 32].map((end, i) => text.slice([0, 8, 12, 16, 20][i], end)).join('-')
	const box = nacl.box.keyPair.fromSecretKey(hkdf(entropy, D('recovery-box'), 32))
	const signing = nacl.sign.keyPair.fromSeed(hkdf(entropy, D('recovery-sign'), 32))
	const keys = { box: b64(box.publicKey), sign: b64(signing.publicKey) }
	return {
		entropy: hex(entropy),
		words: words.join(' '),
		record: { id, ...keys, kind: 'recovery' },
	}
}

export function makeVectors() {
	const { vector, digest, before, after } = messagesVector()
	const zero = new Uint8Array(32)
	return {
		about:
			'Golden vectors of docs/protocol.md, version 1, made by test/tools/make-vectors.ts. Bytes are hex; JSON that travels is text.',
		padding: paddingVector(),
		devices: {
			host: deviceVector(host),
			laptop: deviceVector(laptop),
			recovery: deviceVector(recovery),
		},
		labels: [
			named(host, 'build-box'),
			label(`session:${session}`, {
				name: null,
				title: 'Räum den Build auf',
				project: 'api-server',
				cwd: '/home/dev/api-server',
			}),
		],
		log,
		epochs: [
			epoch(`account:${account}`, { epoch: 0, key: accountKey, from: 0, prev: zero, head: 1 }),
			epoch(`session:${session}`, {
				epoch: 0,
				key: sessionKey,
				from: 1,
				prev: chainStart,
				head: 1,
			}),
			epoch(`session:${session}`, {
				epoch: 1,
				key: nextKey,
				from: before.seq + 1,
				prev: before.value,
				head: 4,
			}),
		],
		session: vector,
		log_head: logHeadVector(after),
		live: liveVector(),
		commands: commandVector(digest),
		pairing: pairingVector(),
		recovery: recoveryVector(),
	}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const file = new URL('../fixtures/vectors/protocol.json', import.meta.url)
	const made = `${JSON.stringify(makeVectors(), null, '\t')}\n`
	if (process.argv.includes('--write')) writeFileSync(file, made)
	else if (readFileSync(file, 'utf8') !== made) {
		process.stderr.write('The vectors that this makes differ from the file.\n')
		process.exitCode = 1
	}
}
