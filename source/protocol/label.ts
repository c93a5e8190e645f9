/** Names sealed with the account key, so that the server learns none (section 4). */
import * as v from 'valibot'
import { open, seal } from './box.ts'
import { fromBase64, toBase64 } from './bytes.ts'
import { refused } from './errors.ts'
import { base64, decodeJson, encodeJson, epochNumber, version } from './json.ts'
import { pad, unpad } from './padding.ts'

/** Text sealed with the key of an epoch of the account scope. */
export const sealedSchema = v.object({
	epoch: epochNumber,
	nonce: base64(24),
	ciphertext: v.pipe(v.string(), v.base64(), v.maxLength(8192)),
})
export type Sealed = v.InferOutput<typeof sealedSchema>

const nullableText = v.nullable(v.string())

/** What a label says: a device has a name; a session a title, a project and a directory. */
export const labelSchema = v.object({
	v: version,
	/** `device:<id>` or `session:<id>`: a label moved to another row does not open. */
	subject: v.string(),
	name: nullableText,
	title: nullableText,
	project: nullableText,
	cwd: nullableText,
})
export type Label = Omit<v.InferOutput<typeof labelSchema>, 'v' | 'subject'>

export const noLabel: Label = { name: null, title: null, project: null, cwd: null }

/** nonce: 24 fresh random bytes; key: 32 bytes. */
export function sealLabel(
	subject: string,
	label: Label,
	at: { epoch: number; key: Uint8Array; nonce: Uint8Array },
): Sealed {
	const plaintext = pad(encodeJson({ v: 1, subject, ...label }))
	return {
		epoch: at.epoch,
		nonce: toBase64(at.nonce),
		ciphertext: toBase64(seal(plaintext, at.nonce, at.key)),
	}
}

/** Throws `label_altered` when it was changed or moved, `malformed_label`, `newer_version`. */
export function openLabel(subject: string, sealed: Sealed, key: Uint8Array): Label {
	const plaintext = open(fromBase64(sealed.ciphertext), fromBase64(sealed.nonce, 24), key)
	if (!plaintext) throw refused('label_altered', 'A name was changed on the server.')
	const { v: _, subject: inside, ...label } = decodeJson(unpad(plaintext), labelSchema, 'label')
	if (inside !== subject) throw refused('label_altered', 'A name was moved on the server.')
	return label
}
