import type { Account } from '../account/account.ts'
import { type RegisterOptions, recoveryKeys, registerRecovery } from '../account/recovery.ts'
import type { RandomBytes } from '../protocol/box.ts'
import { makeRecoveryWords, recoveryWordCount } from '../protocol/recovery.ts'
import type { RecoveryAct } from './devices.ts'

/** Fresh words, shown for the first and only time, and which two of them will be asked for. */
export function makeWords(account: Account): RecoveryAct {
	return {
		type: 'recovery',
		step: 'shown',
		words: makeRecoveryWords(account.random),
		asked: twoPlaces(account.random),
		replaces: recoveryKeys(account).length > 0,
		progress: null,
		problem: null,
	}
}

/** Throws the errors of `registerRecovery`. */
export async function register(
	account: Account,
	words: readonly string[],
	options: RegisterOptions,
): Promise<void> {
	await registerRecovery(account, words, options)
}

/** One of the first half and one of the second, so that both halves were looked at. */
function twoPlaces(random: RandomBytes): [number, number] {
	const half = recoveryWordCount / 2
	const [first = 0, second = 0] = random(2)
	return [first % half, half + (second % half)]
}
