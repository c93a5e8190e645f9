import { displayText, type SafeText } from '../../text/safe-text.ts'
import { keySymbol } from '../keys.ts'

/** A key or a label of the key table, ready to be shown. */
export function keyText(name: string): SafeText {
	return displayText(keySymbol(name))
}
