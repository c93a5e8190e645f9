/** Made-up agent transcripts of any length, always the same for the same seed. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'

const words =
	'the route reads config before retry and writes each result to the queue when a test fails we look at its log first then change the parser so that an empty header no longer breaks the cache'.split(
		' ',
	)

/** A small generator of numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
	let state = seed >>> 0
	return () => {
		state = (state + 0x6d2b79f5) >>> 0
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
	}
}

/** Words of about `length` characters in all. */
export function prose(random: () => number, length: number): string {
	const picked: string[] = []
	for (let size = 0; size < length; size += (picked.at(-1)?.length ?? 0) + 1) {
		picked.push(words[Math.floor(random() * words.length)] ?? '')
	}
	return picked.join(' ')
}

/** A UUID that follows from a name. */
export function namedId(name: string): string {
	const hex = createHash('sha256').update(name).digest('hex')
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export interface TranscriptOptions {
	file: string
	/** Every line becomes one message; a fourth each of prompts, prose, tool calls and their results. */
	messages: number
	seed: number
	cwd: string
	/** Of the last line, ms since 1970; the lines are a second apart. */
	endsAt: number
	/** What the last line says. */
	lastWords: string
}

/** Writes a Claude Code transcript. Returns its size in bytes. */
export async function writeTranscript(options: TranscriptOptions): Promise<number> {
	const random = seeded(options.seed)
	const stream = createWriteStream(options.file)
	const session = namedId(`session ${options.seed}`)
	let bytes = 0
	for (let index = 0; index < options.messages; index++) {
		const last = index === options.messages - 1
		const line = {
			...lineAt(index, random, last ? options.lastWords : null),
			parentUuid: index === 0 ? null : namedId(`${options.seed}/${index - 1}`),
			isSidechain: false,
			uuid: namedId(`${options.seed}/${index}`),
			timestamp: new Date(options.endsAt - (options.messages - 1 - index) * 1000).toISOString(),
			userType: 'external',
			cwd: options.cwd,
			sessionId: session,
			version: '2.1.330',
		}
		const text = `${JSON.stringify(line)}\n`
		bytes += Buffer.byteLength(text)
		if (!stream.write(text)) await once(stream, 'drain')
	}
	stream.end()
	await once(stream, 'finish')
	return bytes
}

function lineAt(index: number, random: () => number, lastWords: string | null) {
	if (lastWords !== null) return assistant(index, { type: 'text', text: lastWords })
	const call = `toolu_${Math.floor(index / 4)}`
	switch (index % 4) {
		case 0:
			return { type: 'user', message: { role: 'user', content: prose(random, 120) } }
		case 1: {
			const text = `${prose(random, 300)}\n\n- \`${prose(random, 20)}\`\n- **${prose(random, 40)}**\n`
			return assistant(index, { type: 'text', text })
		}
		case 2: {
			const input = {
				command: `rg -n "${prose(random, 12)}" src | head -20`,
				description: 'Search',
			}
			return assistant(index, { type: 'tool_use', id: call, name: 'Bash', input })
		}
		default: {
			const content = Array.from({ length: 12 }, () => prose(random, 60)).join('\n')
			return {
				type: 'user',
				message: {
					role: 'user',
					content: [{ type: 'tool_result', tool_use_id: call, content, is_error: false }],
				},
				toolUseResult: { stdout: content, stderr: '', interrupted: false, isImage: false },
			}
		}
	}
}

function assistant(index: number, part: Record<string, unknown>) {
	return {
		type: 'assistant',
		message: {
			id: `msg_${index}`,
			type: 'message',
			role: 'assistant',
			model: 'claude-opus-5-5',
			content: [part],
			stop_reason: null,
			stop_sequence: null,
		},
	}
}
