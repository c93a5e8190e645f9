import { asInput, textOf } from './tool-input.ts'

/** Longest text that is taken for JSON. */
const longest = 20_000

/** An agent's error in words: what a service's JSON says, where the text is nothing but that. */
export function errorText(raw: string): string {
	const text = raw.trim()
	if (!text.startsWith('{') || text.length > longest) return raw
	let parsed: unknown
	try {
		parsed = JSON.parse(text)
	} catch {
		return raw
	}
	const whole = asInput(parsed)
	const error = typeof whole.error === 'string' ? { message: whole.error } : asInput(whole.error)
	const message = textOf(error, 'message') ?? textOf(whole, 'message', 'detail')
	if (message === null) return raw
	const facts = [error.code ?? whole.code, error.status ?? error.type].filter(
		(fact) => typeof fact === 'number' || (typeof fact === 'string' && fact !== ''),
	)
	return facts.length === 0 ? message : `${message} (${facts.join(' ')})`
}
