/** Follows the files of one native session as they grow: the transcript, and one for each sub-agent. */
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import * as v from 'valibot'
import type { AgentOutput } from '../agent.ts'
import { FileTail } from '../file-tail.ts'
import type { ContentContext } from './content.ts'
import { contentBlocks, parseLine, type RawLine } from './schema.ts'
import { notice } from './stream.ts'
import { blockText } from './tool-result.ts'
import { type Settled, type TranscriptItem, TranscriptReader } from './transcript.ts'

const maxLineBytes = 64 * 1024 * 1024

const metaSchema = v.object({ toolUseId: v.string() })

interface SubAgent {
	tail: FileTail
	reader: TranscriptReader | null
}

export interface FollowerOptions {
	path: string
	/** ISO time: what is older (a resumed session's history) is read but not given again. */
	since: string
	context: Omit<ContentContext, 'parent'>
	onOutput: (output: AgentOutput) => void
	onSettled: (settled: Settled) => void
}

export class TranscriptFollower {
	readonly #options: FollowerOptions
	readonly #tail: FileTail
	readonly #reader: TranscriptReader
	readonly #subAgents = new Map<string, SubAgent>()
	/** Lines given, so that a file that is read again from its start gives nothing twice. */
	readonly #seen = new Set<string>()
	#running: Promise<void> = Promise.resolve()

	constructor(options: FollowerOptions) {
		this.#options = options
		this.#tail = new FileTail(options.path, maxLineBytes)
		this.#reader = new TranscriptReader({ ...options.context, parent: null })
	}

	/** Reads what is new. Calls queue up, so that lines keep their order. */
	poll(): Promise<void> {
		// A failure is told to whoever asked for that look, and does not stop the next one.
		const next = () => this.#poll()
		this.#running = this.#running.then(next, next)
		return this.#running
	}

	/** The newest tool call without a result with this name and input, here or in a sub-agent. */
	openTool(name: string, input: unknown): string | null {
		const readers = [this.#reader, ...[...this.#subAgents.values()].map(({ reader }) => reader)]
		for (const reader of readers) {
			const id = reader?.openTool(name, input) ?? null
			if (id !== null) return id
		}
		return null
	}

	/** Gives the usage of the last response: the turn is over. */
	flush(): void {
		this.#give(this.#reader.flush())
		for (const { reader } of this.#subAgents.values()) this.#give(reader?.flush() ?? [])
	}

	async #poll(): Promise<void> {
		await this.#follow(this.#tail, () => this.#reader)
		const folder = join(this.#options.path.replace(/\.jsonl$/, ''), 'subagents')
		for (const name of await listTranscripts(folder)) {
			const path = join(folder, name)
			const agent = this.#subAgents.get(name) ?? {
				tail: new FileTail(path, maxLineBytes),
				reader: null,
			}
			this.#subAgents.set(name, agent)
			await this.#follow(agent.tail, async (line) => {
				agent.reader ??= new TranscriptReader({
					parent: await this.#parent(path, line),
					...(this.#options.context.duration === undefined
						? {}
						: { duration: this.#options.context.duration }),
				})
				return agent.reader
			})
		}
	}

	async #follow(
		tail: FileTail,
		readerFor: (line: RawLine) => TranscriptReader | Promise<TranscriptReader>,
	): Promise<void> {
		const now = () => new Date().toISOString()
		for await (const { text } of tail.read()) {
			if (text === null) {
				this.#options.onOutput(notice(now(), 'A line over 64 MiB of the transcript was left out'))
				continue
			}
			const line = parseLine(text)
			if (line === null) {
				this.#options.onOutput(
					notice(now(), 'A line of the transcript is not JSON and was left out'),
				)
				continue
			}
			if (line.uuid !== null) {
				if (this.#seen.has(line.uuid)) continue
				this.#seen.add(line.uuid)
			}
			const { items, settled } = (await readerFor(line)).read(line, line.uuid ?? '', now())
			this.#give(items)
			for (const one of settled) this.#options.onSettled(one)
		}
	}

	#give(items: readonly TranscriptItem[]): void {
		for (const { output } of items) {
			if (output.type === 'event' && output.at < this.#options.since) continue
			this.#options.onOutput(output)
		}
	}

	/** The call that started the sub-agent of a file: said beside the file, else known by its prompt. */
	async #parent(path: string, first: RawLine): Promise<string> {
		const said = await parentInMeta(path)
		if (said !== null) return said
		const prompt = contentBlocks(first.message?.content ?? null)
			.map(blockText)
			.join('\n')
		return this.#reader.agentCall(prompt) ?? first.agentId ?? basename(path, '.jsonl')
	}
}

/** The tool call that `agent-….meta.json` beside a sub-agent's file names. */
export async function parentInMeta(path: string): Promise<string | null> {
	try {
		const text = await readFile(path.replace(/\.jsonl$/, '.meta.json'), 'utf8')
		const parsed = v.safeParse(metaSchema, JSON.parse(text))
		return parsed.success ? parsed.output.toolUseId : null
	} catch {
		// Older versions write none.
		return null
	}
}

async function listTranscripts(folder: string): Promise<string[]> {
	try {
		return (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).sort()
	} catch {
		// No sub-agent yet.
		return []
	}
}
