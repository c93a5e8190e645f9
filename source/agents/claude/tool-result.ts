/** A tool's result, from the block the model saw and the structure that Claude Code keeps beside it. */

import * as v from 'valibot'
import type { Body, FileChange } from '../../protocol/events.ts'
import { newFile } from '../file-changes.ts'
import { contentBlocks, type RawBlock, typeName } from './schema.ts'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const ms = v.optional(
	v.fallback(v.nullable(v.pipe(v.number(), v.finite(), v.minValue(0))), null),
	null,
)

const patchSchema = v.object({
	filePath: v.string(),
	structuredPatch: v.array(
		v.object({
			oldStart: count,
			oldLines: count,
			newStart: count,
			newLines: count,
			lines: v.array(v.string()),
		}),
	),
	type: v.optional(v.fallback(v.string(), ''), ''),
	content: v.optional(v.fallback(v.string(), ''), ''),
})

const shellSchema = v.object({ stdout: v.string(), interrupted: v.fallback(v.boolean(), false) })
const durationSchema = v.object({ durationMs: ms, totalDurationMs: ms, duration_ms: ms })

export interface ResultContext {
	/** `tool_use_result` of the line, when the line has just this one result. */
	structure: unknown
	/** How long the tool ran, where known from elsewhere, in ms. */
	durationMs: number | null
	parent: string | null
}

export function toolResult(block: RawBlock, context: ResultContext): Body<'tool_result'> {
	const text = resultText(block.content)
	return {
		tool_use: block.tool_use_id ?? '',
		ok: !block.is_error,
		text,
		exit_code: exitCode(block, text, context.structure),
		duration_ms: context.durationMs ?? ownDuration(context.structure),
		changes: block.is_error ? [] : changesOf(context.structure),
		parent: context.parent,
	}
}

/** Text of a result's content; a picture or a document is named, never forwarded. */
export function resultText(content: unknown): string {
	return contentBlocks(content).map(blockText).join('\n')
}

/** A block of a prompt or of a result as text. */
export function blockText(block: RawBlock): string {
	if (block.type === 'text' || block.type === null) return block.text ?? ''
	if (block.type === 'image' || block.type === 'document') return mediaNote(block)
	return block.text ?? `[${typeName(block.type)}]`
}

function mediaNote(block: RawBlock): string {
	const kind = block.type ?? 'image'
	const media = block.source?.media_type
	const bytes = Math.floor(((block.source?.data?.length ?? 0) * 3) / 4)
	const size = bytes === 0 ? null : bytes < 1024 ? `${bytes} B` : `${Math.round(bytes / 1024)} KiB`
	const name = media === null || media === undefined ? null : media.replace(/[^\w./+-]/gu, '?')
	return `[${[kind, name?.slice(0, 64), size].filter((part) => part !== null && part !== undefined).join(' ')}]`
}

/** A shell's exit code: said in the text when it failed, 0 when it ended well, else unknown. */
function exitCode(block: RawBlock, text: string, structure: unknown): number | null {
	const said = block.is_error ? /^(?:Error: )?Exit code (\d{1,5})\b/.exec(text) : null
	if (said?.[1] !== undefined) return Number(said[1])
	if (block.is_error) return null
	const shell = v.safeParse(shellSchema, structure)
	return shell.success && !shell.output.interrupted ? 0 : null
}

function ownDuration(structure: unknown): number | null {
	const parsed = v.safeParse(durationSchema, structure)
	if (!parsed.success) return null
	const { durationMs, totalDurationMs, duration_ms } = parsed.output
	return durationMs ?? totalDurationMs ?? duration_ms
}

function changesOf(structure: unknown): FileChange[] {
	const parsed = v.safeParse(patchSchema, structure)
	if (!parsed.success) return []
	const { filePath, structuredPatch, type, content } = parsed.output
	if (structuredPatch.length === 0 && type === 'create') {
		return [{ path: filePath, hunks: newFile(content) }]
	}
	return [
		{
			path: filePath,
			hunks: structuredPatch.map((hunk) => ({
				old_start: hunk.oldStart,
				old_lines: hunk.oldLines,
				new_start: hunk.newStart,
				new_lines: hunk.newLines,
				lines: hunk.lines,
			})),
		},
	]
}
