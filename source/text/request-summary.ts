/** One line that says what a tool call is. */
import { firstLine } from './plain.ts'
import { noText, revealText, type SafeText, safeText } from './safe-text.ts'
import { asInput, commandOf, pathOf, subjectOf, urlOf } from './tool-input.ts'

/** `$ npm test`, `Edit src/login.ts`, `WebFetch https://…`: all on one line, hidden characters shown. */
export function requestSummary(call: { tool: string; input: unknown }): SafeText {
	const command = commandOf(call.input)
	if (command !== null) return safeText`$ ${oneLine(command)}`
	const tool = oneLine(call.tool)
	const subject = subjectText(call.input)
	return subject === noText ? tool : safeText`${tool} ${subject}`
}

/** What a call is about, without the tool's name. */
export function subjectText(input: unknown): SafeText {
	const known = pathOf(input) ?? urlOf(input) ?? subjectOf(input)
	if (known !== null) return oneLine(known)
	const entries = Object.entries(asInput(input))
	return entries.length === 0 ? noText : oneLine(JSON.stringify(asInput(input)))
}

function oneLine(raw: string): SafeText {
	return firstLine(revealText(raw.trim()))
}
