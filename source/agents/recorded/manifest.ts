/** The recordings that the package carries, and what is known of each. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { StyrbyError } from '../../protocol/errors.ts'
import { agentNames } from '../../protocol/events.ts'
import { parseRecording, type Recording } from './recording.ts'

const count = v.pipe(v.number(), v.minValue(0))

const answerSchema = v.object({
	/** Where in the recording the request is: the decisions before it. */
	way: v.string(),
	tool: v.string(),
	decision: v.picklist(['allow', 'deny']),
	scope: v.picklist(['once', 'session']),
	reason: v.nullable(v.string()),
	/** How long the answer took. */
	waited_ms: count,
})

const sessionSchema = v.object({
	name: v.string(),
	recording: v.pipe(v.string(), v.regex(/^recordings\/[a-z0-9-]+\.jsonl$/)),
	title: v.string(),
	agent: v.picklist(agentNames),
	project: v.string(),
	branch: v.string(),
	cwd: v.string(),
	/** Has a branch for each answer; the others go on only as they were answered. */
	live: v.boolean(),
	started_minutes_ago: count,
	/** From start to end with the answers in `requests`, ms. */
	duration_ms: count,
	/** Every request, and the answer to it when nobody is there to give one. */
	requests: v.array(answerSchema),
})

const manifestSchema = v.object({
	version: v.literal(1),
	/** Version of the agent that was recorded. */
	agent_version: v.string(),
	/** Oldest first. */
	sessions: v.pipe(v.array(sessionSchema), v.minLength(1)),
})

export type RecordedAnswer = v.InferOutput<typeof answerSchema>
export type RecordedSession = v.InferOutput<typeof sessionSchema>
export interface Manifest extends v.InferOutput<typeof manifestSchema> {
	/** Absolute path of the folder that the manifest lies in. */
	folder: string
}

/**
 * Finds `demo/` beside the source or the bundle and reads its table of contents. Throws `demo_missing`
 * when the package was installed without it.
 */
export async function loadManifest(start: string = import.meta.dirname): Promise<Manifest> {
	for (let folder = start; ; folder = dirname(folder)) {
		const demo = join(folder, 'demo')
		const text = await readIfThere(join(demo, 'manifest.json'))
		if (text !== null) return { ...parseManifest(text), folder: demo }
		// No further than our own package: a folder above may hold a demo of somebody else's.
		const top = (await readIfThere(join(folder, 'package.json'))) !== null
		if (top || folder === dirname(folder)) break
	}
	throw new StyrbyError(
		'demo_missing',
		'The recordings of the demo are not installed; install styrby-tui again.',
	)
}

/** Throws `recording_broken`. */
export async function loadRecording(
	manifest: Manifest,
	session: RecordedSession,
): Promise<Recording> {
	return parseRecording(await readFile(join(manifest.folder, session.recording), 'utf8'))
}

function parseManifest(text: string): v.InferOutput<typeof manifestSchema> {
	try {
		return v.parse(manifestSchema, JSON.parse(text))
	} catch (cause) {
		throw new StyrbyError(
			'recording_broken',
			"The demo's table of contents can't be read; install styrby-tui again.",
			{ cause },
		)
	}
}

async function readIfThere(path: string): Promise<string | null> {
	try {
		return await readFile(path, 'utf8')
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
		throw error
	}
}
