/** Puts unstored text frames together until the finished block comes (docs/protocol.md, section 5.6). */
import type { TextFrame } from '../protocol/live.ts'
import type { LiveText, ShownMessage } from './viewer.ts'

/** Blocks and characters kept at most: a host that never finishes one can't fill the memory. */
const maxBlocks = 16
const maxText = 200_000

/** Adds a frame; a piece that was lost on the way shows as an ellipsis until the block is finished. */
export function addFrame(live: readonly LiveText[], frame: TextFrame): readonly LiveText[] {
	const { block, kind } = frame
	const known = live.find((text) => text.block === block)
	const before = known?.text ?? ''
	// A finished block shows all of it; a live one stops growing here.
	if (frame.offset + frame.text.length > maxText) return live
	const lost = frame.offset - before.length
	const start = lost > 0 ? before + '…'.padEnd(lost) : before.slice(0, frame.offset)
	const next = { block, kind, text: start + frame.text }
	if (known) return live.map((other) => (other === known ? next : other))
	return [...live, next].slice(-maxBlocks)
}

/** Drops the blocks that these messages finish. */
export function dropFinished(
	live: readonly LiveText[],
	messages: readonly ShownMessage[],
): readonly LiveText[] {
	const finished = new Set<string>()
	for (const { body } of messages) {
		if (body && 'block' in body && body.block !== null) finished.add(body.block)
	}
	const over = messages.some(({ body }) => body && 'status' in body && body.status !== 'running')
	if (over) return []
	return live.some((text) => finished.has(text.block))
		? live.filter((text) => !finished.has(text.block))
		: live
}
