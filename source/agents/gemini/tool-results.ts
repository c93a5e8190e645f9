/** Results of tools, from what Gemini CLI keeps of them. */
import * as v from 'valibot'
import type { Body, FileChange } from '../../protocol/events.ts'
import { hunksOf } from '../file-changes.ts'
import type { RawToolCall } from './chat-lines.ts'

const responseSchema = v.object({
	functionResponse: v.object({
		response: v.union([
			v.object({ output: v.string() }),
			v.pipe(
				v.object({ error: v.string() }),
				v.transform(({ error }) => ({ output: error })),
			),
		]),
	}),
})

const diffSchema = v.object({
	filePath: v.optional(v.string()),
	fileName: v.string(),
	originalContent: v.nullable(v.string()),
	newContent: v.string(),
})

/** What surrounds the output of a command: marks for the model, and what else is known of the run. */
const wrapper = /^<untrusted_context>\n([\s\S]*)\n<\/untrusted_context>$/
const shellOutput = /^Output: ([\s\S]*)$/
const shellFacts =
	/\n(?:Process Group PGID: \d+|Background PIDs: [\d, ]+|(Signal): \S+|Exit Code: (\d+))$/

/** A text longer than that is not compared: the diff would hold up everything else. */
const maxDiffed = 1024 * 1024

/** The change of a file from its whole text before and after. */
export function fileChange(path: string, before: string | null, after: string): FileChange[] {
	if ((before ?? '').length > maxDiffed || after.length > maxDiffed) return [{ path, hunks: [] }]
	return [{ path, hunks: hunksOf({ path, edits: null, content: after }, before || null) }]
}

export function toolResult(call: RawToolCall): Body<'tool_result'> {
	const done = call.status === 'success'
	const { text, exit } = shellResult(call.name, resultText(call))
	const diff = v.safeParse(diffSchema, call.resultDisplay)
	return {
		tool_use: call.id,
		ok: done && (exit === null || exit === 0),
		text,
		exit_code: exit,
		duration_ms: null,
		changes:
			done && diff.success
				? fileChange(
						diff.output.filePath ?? diff.output.fileName,
						diff.output.originalContent,
						diff.output.newContent,
					)
				: [],
		parent: null,
	}
}

function resultText({ result, resultDisplay }: RawToolCall): string {
	const parts: unknown[] = Array.isArray(result) ? result : [result]
	const texts = parts.flatMap((part) => {
		const parsed = v.safeParse(responseSchema, part)
		return parsed.success ? [parsed.output.functionResponse.response.output] : []
	})
	if (texts.length > 0) return texts.join('\n')
	return typeof resultDisplay === 'string' ? resultDisplay : ''
}

function shellResult(tool: string, said: string): { text: string; exit: number | null } {
	const inner = wrapper.exec(said)?.[1] ?? said
	if (tool !== 'run_shell_command' || !shellOutput.test(inner)) return { text: inner, exit: null }
	let text = inner
	let exit: number | null = 0
	for (;;) {
		const fact = shellFacts.exec(text)
		if (fact === null) break
		if (fact[1] !== undefined) exit = null
		if (fact[2] !== undefined) exit = Number(fact[2])
		text = text.slice(0, fact.index)
	}
	const output = shellOutput.exec(text)?.[1] ?? text
	return { text: output === '(empty)' ? '' : output, exit }
}
