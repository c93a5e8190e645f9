/**
 * Records anew what the real agents say in the runs that the unit tests replay, and shows what has changed:
 * `npm run record-agents -- [--agent NAME] [--agent-version X]`. Each agent's recorder is `record-NAME.ts`,
 * and what its recordings become is `play` of `test/agents/NAME/_recording.ts`. Tests that a change breaks
 * are run afterwards: `npm test`, with `-- -u` for what a history becomes.
 */
import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import type { AgentOutput } from '../../source/agents/agent.ts'
import pinned from './agents.json' with { type: 'json' }
import { findAgent, isPinned, type PinnedAgent } from './agents.ts'
import { changedFields, changedOutputs } from './recording-changes.ts'
import { fixturesOf } from './recording-place.ts'

const run = promisify(execFile)

interface Player {
	play(steps: readonly unknown[]): { outputs: AgentOutput[] }
}

const { values } = parseArgs({
	options: { agent: { type: 'string' }, 'agent-version': { type: 'string' } },
})
const version = values['agent-version']
const names = await recordable()
const wanted = values.agent === undefined ? names : names.filter((name) => name === values.agent)
if (wanted.length === 0 || (version !== undefined && values.agent === undefined)) {
	const known = `--agent is one of ${names.join(', ')}; --agent-version needs it.`
	process.stderr.write(`${known}\n`)
	process.exit(2)
}
for (const name of wanted) await recordAgent(name)

/** Agents that have a recorder. */
async function recordable(): Promise<PinnedAgent[]> {
	const found: PinnedAgent[] = []
	for (const name of Object.keys(pinned)) {
		if (isPinned(name) && (await exists(recorderOf(name)))) found.push(name)
	}
	return found
}

function recorderOf(name: string): string {
	return join(import.meta.dirname, `record-${name}.ts`)
}

async function recordAgent(name: PinnedAgent): Promise<void> {
	const fixtures = fixturesOf(name)
	const before = await readRecordings(fixtures)
	const folder = await mkdtemp(join(tmpdir(), 'styrby-record-'))
	try {
		const program = await findAgent(name, version)
		await run(process.execPath, [recorderOf(name), folder, program])
		const after = await readRecordings(folder)
		// The player reads its folder of recordings when it is loaded.
		const player: Player = await import(`../agents/${name}/_recording.ts`)
		say(`${name} ${version ?? pinned[name].version}: ${after.size} recordings`)
		await mkdir(join(fixtures, 'golden'), { recursive: true })
		for (const [recording, text] of after) {
			const { outputs } = player.play(stepsOf(text))
			const old = before.get(recording)
			if (old === undefined) say(`\n${recording}: new, ${outputs.length} outputs`)
			else {
				const lines = changedFields(stepsOf(old), stepsOf(text))
				const told = changedOutputs(player.play(stepsOf(old)).outputs, outputs)
				describe(recording, lines, told)
			}
			await writeFile(join(fixtures, `${recording}.jsonl`), text)
			const golden = join(fixtures, 'golden', `${recording}.json`)
			await writeFile(golden, `${JSON.stringify(outputs, null, '\t')}\n`)
		}
		await keepHistories(folder, fixtures)
		const left = [...before.keys()].filter((recording) => !after.has(recording))
		if (left.length > 0) say(`\nnot made by the recorder, left as they are: ${left.join(', ')}`)
	} finally {
		await rm(folder, { recursive: true, force: true })
	}
}

/** An agent's own history files, in folders below: read by its import only. */
async function keepHistories(from: string, to: string): Promise<void> {
	for (const folder of await readdir(from, { withFileTypes: true })) {
		if (!folder.isDirectory()) continue
		const [source, target] = [join(from, folder.name), join(to, folder.name)]
		await mkdir(target, { recursive: true })
		const before = await readRecordings(target)
		for (const [name, text] of await readRecordings(source)) {
			const lines = (history: string) => stepsOf(history).map((line) => ({ line }))
			const changed = changedFields(lines(before.get(name) ?? text), lines(text))
			describe(`${folder.name}/${name}`, changed, [])
			await writeFile(join(target, `${name}.jsonl`), text)
		}
	}
}

function describe(recording: string, lines: string[], told: string[]): void {
	if (lines.length === 0 && told.length === 0) {
		say(`\n${recording}: nothing changed`)
		return
	}
	say(`\n${recording}:`)
	say(lines.length === 0 ? '  the same lines' : `  the agent's lines:\n${indented(lines)}`)
	say(told.length === 0 ? '  the same session' : `  the session:\n${indented(told)}`)
}

function indented(lines: readonly string[]): string {
	const shown = lines.map((line) => `    ${line.length > 300 ? `${line.slice(0, 300)}…` : line}`)
	return shown.join('\n')
}

/** Recordings of a folder by name. */
async function readRecordings(folder: string): Promise<Map<string, string>> {
	const files = (await readdir(folder)).filter((file) => file.endsWith('.jsonl')).sort()
	return new Map(
		await Promise.all(
			files.map(
				async (file): Promise<[string, string]> => [
					file.replace('.jsonl', ''),
					await readFile(join(folder, file), 'utf8'),
				],
			),
		),
	)
}

function stepsOf(text: string): unknown[] {
	return text
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line))
}

async function exists(path: string): Promise<boolean> {
	try {
		await access(path)
		return true
	} catch {
		return false
	}
}

function say(text: string): void {
	process.stdout.write(`${text}\n`)
}
