import { displayText, revealText } from '../text/safe-text.ts'
import type { Sender } from '../viewer/viewer.ts'

const longest = 60

/** `· prompt from laptop (signature verified): go on`. */
export function senderLine({ kind, text, name, device, verified }: Sender): string {
	const proof = verified ? 'signature verified' : 'NOT VERIFIED'
	const line = (text ?? '').replaceAll(/\s+/g, ' ').trim()
	const short = line.length > longest ? `${line.slice(0, longest)}…` : line
	const said = short === '' ? '' : `: ${displayText(short)}`
	return `· ${kind} from ${revealText(name ?? device)} (${proof})${said}`
}
