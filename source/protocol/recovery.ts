/** The recovery key (section 7): a device of kind `recovery` whose secrets are 24 words on paper. */
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import type { RandomBytes } from './box.ts'
import { derive } from './derive.ts'
import { type Device, deviceFromSeeds, uuidFrom } from './device.ts'
import { exit, StyrbyError } from './errors.ts'

export const recoveryWordCount = 24
const known = new Set(wordlist)

/** 24 words for 32 fresh random bytes. */
export function makeRecoveryWords(random: RandomBytes): string[] {
	return entropyToMnemonic(random(32), wordlist).split(' ')
}

/** Whether it is one of the 2048 words that recovery words are made of. */
export function isRecoveryWord(word: string): boolean {
	return known.has(word.toLowerCase())
}

/**
 * The 24 words of a text, in any case and with any spaces, commas or numbers between them. Throws
 * `bad_recovery_words` (exit 2), saying which word is none; never what it is.
 */
export function parseRecoveryWords(text: string): string[] {
	const words = text
		.toLowerCase()
		.split(/[^\p{L}]+/u)
		.filter((word) => word !== '')
	const wrong = words.findIndex((word) => !known.has(word))
	if (wrong >= 0) throw bad(`Word ${wrong + 1} is none that a recovery key has: look at it again.`)
	if (words.length !== recoveryWordCount) {
		throw bad(`A recovery key has ${recoveryWordCount} words, and these are ${words.length}.`)
	}
	entropyOf(words)
	return words
}

function entropyOf(words: readonly string[]): Uint8Array {
	try {
		return mnemonicToEntropy(words.join(' '), wordlist)
	} catch {
		throw bad('The words do not belong together: one is wrong, or two have changed places.')
	}
}

/** The device behind the words. Throws `bad_recovery_words` (exit 2). */
export function recoveryDevice(words: readonly string[]): Device {
	const entropy = entropyOf(words)
	return deviceFromSeeds(
		uuidFrom(derive(entropy, 'recovery-id', 16)),
		'recovery',
		derive(entropy, 'recovery-box', 32),
		derive(entropy, 'recovery-sign', 32),
	)
}

function bad(message: string): StyrbyError {
	return new StyrbyError('bad_recovery_words', message, { exitCode: exit.usage })
}
