#!/usr/bin/env node
/**
 * Records the sessions that `styrby-tui demo` plays: runs the real Claude Code on small real projects,
 * against a scripted model on loopback, and writes demo/recordings and demo/manifest.json.
 *
 *   npm run record-demo -- [--claude PATH] [--pace 1] [--output FOLDER] [story ...]
 *
 * Without `--claude` it is the version that the system tests use, installed when it is not there.
 * `--pace 0` leaves out the model's pauses (to try a story). With story names only those are recorded
 * again; the manifest is always written in full.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findAgent } from '../../test/tools/agents.ts'
import { cleanRun, joinRuns } from './clean.js'
import { manifestOf } from './manifest.js'
import { startModel } from './model.js'
import { record } from './run.js'
import { turnsFor, waysThrough } from './tools.js'
import { startWeb } from './web.js'
import { makeWorkspace } from './workspace.js'

const root = join(import.meta.dirname, '..', '..')
const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		claude: { type: 'string' },
		pace: { type: 'string', default: '1' },
		output: { type: 'string', default: join(root, 'demo') },
	},
})

const claude = values.claude ?? (await findAgent('claude'))

async function recordRun(story, answers) {
	await using web = await startWeb({
		packageFolder: join(root, 'node_modules', 'valibot'),
		pages: story.pages ?? {},
	})
	await using workspace = await makeWorkspace(story, web.origin)
	await using model = await startModel({
		story: story.name,
		turns: turnsFor(story.turns, answers),
		cwd: workspace.cwd,
		pace: Number(values.pace),
		// What is played live is watched while it is written.
		piece: story.answers ? 10 : 7,
	})
	const lines = await record({
		claude,
		workspace,
		modelUrl: model.url,
		prompt: story.prompt,
		answers,
	})
	if (model.problems.length > 0) throw new Error(`${story.name}: ${model.problems.join('; ')}`)
	return cleanRun(lines, { name: story.name, home: workspace.home })
}

async function recordStory(story) {
	const ways = story.answers ? [story.answers] : waysThrough(story.turns, story.reasons)
	const runs = []
	for (const answers of ways) runs.push(await recordRun(story, answers))
	const lines = joinRuns(runs)
	const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
	await writeFile(join(values.output, 'recordings', `${story.name}.jsonl`), text)
	console.log(`${story.name}: ${runs.length} runs, ${lines.length} lines, ${text.length} bytes`)
}

const folder = join(import.meta.dirname, 'stories')
const stories = []
for (const file of await readdir(folder)) stories.push((await import(join(folder, file))).default)
stories.sort((a, b) => b.startedMinutesAgo - a.startedMinutesAgo)

await mkdir(join(values.output, 'recordings'), { recursive: true })
const chosen = stories.filter(
	(story) => positionals.length === 0 || positionals.includes(story.name),
)
// Two at a time: a run mostly waits for the model's pauses.
const queue = [...chosen]
const work = async () => {
	for (let story = queue.shift(); story; story = queue.shift()) await recordStory(story)
}
await Promise.all([work(), work()])

const recordings = new Map()
for (const { name } of stories) {
	const text = await readFile(join(values.output, 'recordings', `${name}.jsonl`), 'utf8')
	recordings.set(
		name,
		text
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line)),
	)
}
const manifest = manifestOf(stories, recordings)
await writeFile(join(values.output, 'manifest.json'), `${JSON.stringify(manifest, null, '\t')}\n`)
