/** The code that a new device shows and a registered one is told (section 3). */
import { base32, bytesOf, crockford, digitOf } from './base32.ts'
import type { RandomBytes } from './box.ts'
import { derive } from './derive.ts'
import { exit, StyrbyError } from './errors.ts'

/** 80 bits: too many to try, even for who has the sealed request and years. */
export const codeSize = 10
const digits = 16

/** What a code gives: where the request lies (16 bytes), and the keys (32 bytes) of request and answer. */
export interface PairingKeys {
	id: Uint8Array
	request: Uint8Array
	answer: Uint8Array
}

/** A fresh code as people see it, `XXXX-XXXX-XXXX-XXXXX`. */
export function makePairingCode(random: RandomBytes): string {
	const text = base32(random(codeSize), digits * 5)
	return (text + crockford[check([...text].map(digitOf))]).replace(
		/^(.{4})(.{4})(.{4})/,
		'$1-$2-$3-',
	)
}

/**
 * The 10 bytes of a typed or pasted code: in any case, with or without hyphens and spaces. Throws
 * `bad_pairing_code` (exit 2), saying which character is none, or that one is wrong or two are swapped.
 */
export function parsePairingCode(text: string): Uint8Array {
	const typed = [...text.replaceAll(/[\s\u2010-\u2015-]/g, '')]
	const values = typed.map(digitOf)
	const wrong = values.indexOf(-1)
	if (wrong >= 0 && wrong < 2 * digits) {
		throw bad(`Character ${wrong + 1} of the code is none that a code has: look at it again.`)
	}
	if (values.length !== digits + 1) {
		throw bad(
			`A code has ${digits + 1} characters, and this one ${values.length}: look at it again.`,
		)
	}
	if (check(values.slice(0, digits)) !== values[digits]) {
		throw bad('The code has a wrong character, or two that are swapped: look at it again.')
	}
	return bytesOf(values.slice(0, digits))
}

function bad(message: string): StyrbyError {
	return new StyrbyError('bad_pairing_code', message, { exitCode: exit.usage })
}

/** HKDF of the code's 10 bytes. */
export function pairingKeys(code: Uint8Array): PairingKeys {
	return {
		id: derive(code, 'pairing-id', 16),
		request: derive(code, 'pairing-request', 32),
		answer: derive(code, 'pairing-answer', 32),
	}
}

/** In GF(2⁵) modulo x⁵ + x² + 1. */
function timesX(value: number): number {
	const doubled = value << 1
	return doubled & 32 ? doubled ^ 0b100101 : doubled
}

/**
 * x·d₀ + x²·d₁ + x³·d₂ + … in GF(2⁵): the weights, 1 for the check digit, are all different and none is
 * zero, so that one wrong character, and any two that changed places, always show.
 */
function check(values: readonly number[]): number {
	let sum = 0
	for (const value of values.toReversed()) sum = timesX(sum ^ value)
	return sum
}
