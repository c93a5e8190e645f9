/** The commands that read, as a script and as a person gets their output. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '../../source/commands/context.ts'
import { until } from '../tools/lab.ts'
import { Hosted, linesOf, Program } from './_program.ts'
import * as shapes from './_shapes.ts'

let program: Program
let context: Context
let ended: string
let live: Hosted
let request: string

beforeAll(async () => {
	program = await Program.make()
	context = await program.context()
	const first = await Hosted.start(context, 'list the reeds')
	first.agent.text('There are twelve reeds.')
	first.agent.say({
		type: 'event',
		at: new Date().toISOString(),
		event: {
			kind: 'usage',
			body: {
				message: null,
				model: 'some-model',
				input: 10,
				output: 20,
				cache_read: 30,
				cache_write: 40,
				cost_usd: 0.25,
				cost_source: 'agent',
			},
		},
	})
	ended = first.id
	expect((await first.finish()).delivered).toBe(true)
	live = await Hosted.start(context)
	live.agent.say({ type: 'status', status: 'running' })
	live.agent.text('I count the herons.')
	void live.agent.ask('a')
	await until(async () => (await context.gateway.listRequests({ status: 'pending', limit: 9 }))[0])
	request = (await context.gateway.listRequests({ status: 'pending', limit: 9 }))[0]?.id ?? ''
}, 120_000)

afterAll(async () => {
	await live?.[Symbol.asyncDispose]()
	await context?.[Symbol.asyncDispose]()
	await program?.[Symbol.asyncDispose]()
})

test('status makes nothing where nothing was', async () => {
	await using fresh = await Program.make({ untouched: true })
	const before = await fresh.json(shapes.status, ['status'])
	expect(before).toMatchObject({ account: null, device: null, backend: { reachable: false } })
	expect(existsSync(fresh.home.data)).toBe(false)
	const text = await fresh.run(['status'])
	expect([text.code, text.stderr]).toEqual([0, ''])
	expect(text.stdout).toContain('no key here')
})

test('status says what is there', async () => {
	const status = await program.json(shapes.status, ['status'])
	const { record } = context.account.device
	expect(status).toMatchObject({
		account: context.account.id,
		backend: { kind: 'embedded', url: context.backend.url, reachable: true },
		device: { id: record.id },
		vault: { kind: 'file' },
	})
	expect((await program.run(['status'])).stdout).toContain(status.device?.fingerprint)
})

test('search finds what was said, for a script and for a person', async () => {
	const { query, total, hits, index } = await program.json(shapes.search, [
		'search',
		'twelve reeds',
		'kind:response',
	])
	expect([query, total]).toEqual(['"twelve reeds" kind:response', 1])
	expect(hits[0]).toMatchObject({ session: ended, snippet: 'There are twelve reeds.' })
	expect(hits[0]?.matches).toEqual([[10, 22]])
	expect(index.problem).toBeNull()
	const { stdout, code } = await program.run(['search', 'HERONS'])
	expect(code).toBe(0)
	expect(stdout).toContain(`${live.id.slice(0, 8)} #`)
	expect(stdout).toContain('I count the herons.')
	const nothing = await program.run(['search', 'xyzzy'])
	expect([nothing.code, nothing.stdout]).toEqual([0, ''])
	expect(nothing.stderr).toContain('Nothing fits')
	// What it keeps has none of the words in it.
	const [name = ''] = (await readdir(program.home.cache)).filter((each) =>
		each.startsWith('search-'),
	)
	const kept = join(program.home.cache, name)
	const files = await readdir(kept)
	expect(files).toContain('state')
	for (const file of files) {
		const bytes = await readFile(join(kept, file))
		for (const word of ['reeds', 'herons', ended, 'claude'])
			expect(bytes.includes(word)).toBe(false)
	}
})

test('search says where a query is wrong', async () => {
	const { code, stderr } = await program.run(['search', 'reeds', 'agnt:claude', '--json'])
	expect(code).toBe(2)
	expect(stderr).toContain('unknown_field')
	expect(stderr).toContain('At character 7')
	expect(stderr).toContain('did you mean agent:')
})

test('sessions lists what there is, newest activity first', async () => {
	const { sessions } = await program.json(shapes.sessions, ['sessions'])
	expect(sessions.map(({ id }) => id)).toEqual([live.id, ended])
	expect(sessions[0]).toMatchObject({
		agent: 'claude',
		status: 'running',
		project: 'project',
		title: 'count the herons',
		ended_at: null,
		pending: 1,
	})
	expect(sessions[1]).toMatchObject({
		status: 'stopped',
		tokens: { input: 10, output: 20, cache_read: 30, cache_write: 40 },
		cost_usd: 0.25,
	})
	const { stdout } = await program.run(['sessions'])
	expect(stdout.split('\n')[0]).toMatch(
		new RegExp(
			`^${live.id.slice(0, 8)}  ⚠ waiting   claude    project +now  +\\$0\\.00 +count the herons$`,
		),
	)
	// Without a terminal the viewer is this list.
	expect(await program.json(shapes.sessions, [])).toEqual({ sessions })
})

test('cost adds up what was spent, for a person, as JSON and as CSV', async () => {
	const all = await program.json(shapes.cost, ['cost', '--by', 'model,project'])
	const tokens = { input: 10, output: 20, cache_read: 30, cache_write: 40 }
	const figures = { responses: 1, tokens, cost_usd: 0.25, unpriced: 0 }
	expect(all).toMatchObject({ by: ['model', 'project'], total: figures, problems: 0 })
	expect(all.groups).toEqual([{ model: 'some-model', project: 'project', ...figures }])
	const csv = await program.run(['cost', '--by', 'agent,model', '--csv'])
	expect(csv.stdout).toBe(
		'agent,model,responses,input,output,cache_read,cache_write,cost_usd,unpriced\r\nclaude,some-model,1,10,20,30,40,0.25,0\r\n',
	)
	expect((await program.run(['cost'])).stdout).toMatch(/\w{3} \d+ \w{3} .*█+ +\$0\.25 +10 +20/)
	const none = await program.json(shapes.cost, ['cost', '--model', 'other', '--since', 'all'])
	expect(none).toMatchObject({ since: null, groups: [], total: { responses: 0 } })
	expect((await program.run(['cost', '--by', 'moon'])).code).toBe(2)
})

test.each([
	[['--status', 'running'], () => [live.id]],
	[['--status', 'stopped'], () => [ended]],
	[['--agent', 'claude'], () => [live.id, ended]],
	[['--agent', 'codex'], () => []],
	[['--project', 'project'], () => [live.id, ended]],
	[['--project', 'other'], () => []],
	[['--since', '1h'], () => [live.id, ended]],
	[['--since', '2999-01-01'], () => []],
	[['--limit', '1'], () => [live.id]],
])('sessions %j', async (flags, expected) => {
	const { sessions } = await program.json(shapes.sessions, ['sessions', ...flags])
	expect(sessions.map(({ id }) => id)).toEqual(expected())
})

test('a list that the filters made empty says so', async () => {
	const { code, stdout } = await program.run(['sessions', '--agent', 'codex'])
	expect([code, stdout]).toEqual([0, expect.stringMatching(/^No session fits\./)])
})

test('show prints every message once, in order, verified', async () => {
	const messages = await program.lines(shapes.message, ['show', ended])
	expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1))
	expect(messages.every(({ verified, problem }) => verified && problem === null)).toBe(true)
	expect(messages.filter(({ kind }) => kind === 'agent_response')).toMatchObject([
		{ body: { text: 'There are twelve reeds.' } },
	])
	const { stdout } = await program.run(['show', ended.slice(0, 6)])
	expect(stdout).toContain('There are twelve reeds.\n')
})

test('show --raw prints the rows as the server holds them, and nothing of what they say', async () => {
	const { code, stdout } = await program.run(['show', ended, '--raw'])
	const rows = linesOf(shapes.row, stdout)
	expect(code).toBe(0)
	expect(rows).toEqual(await context.gateway.readMessages(ended, { after: 0, limit: 500 }))
	expect(rows.map(({ input_tokens }) => input_tokens)).toContain(10)
	expect(stdout).not.toContain('reeds')
})

test('show --follow goes on until the session ends', async () => {
	await using growing = await Hosted.start(context, 'go on')
	await using follower = program.start(['show', growing.id, '--follow', '--json'])
	const texts = () =>
		follower.printed().flatMap(({ body }) => {
			const { text } = Object(body) as { text?: string }
			return text === undefined ? [] : [text]
		})
	await until(() => follower.printed().length > 0, follower)
	growing.agent.text('one')
	await until(() => texts().includes('one'), follower)
	growing.agent.text('two')
	await until(() => texts().includes('two'), follower)
	await growing.finish()
	const { code, stdout, stderr } = await follower.done
	expect([code, stderr]).toEqual([0, ''])
	const messages = linesOf(shapes.message, stdout)
	expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1))
	expect(messages.at(-1)).toMatchObject({ kind: 'status', body: { status: 'stopped' } })
})

test('show --follow is ended by an interrupt, with exit code 130', async () => {
	await using follower = program.start(['show', live.id, '--follow', '--json'])
	await until(() => follower.printed().length >= 4, follower)
	follower.child.kill('SIGINT')
	expect((await follower.done).code).toBe(130)
})

test('a reader that goes away is no error', async () => {
	await using shown = program.start(['show', ended, '--raw'])
	shown.child.stdout?.once('data', () => shown.child.stdout?.destroy())
	const { code, stderr } = await shown.done
	expect([code, stderr]).toEqual([0, ''])
})

test.each([
	[['show', '00000000-0000-4000-8000-000000000000'], 1, 'no_such_session'],
	[['show', 'abcd'], 1, 'no_such_session'],
	[['show', 'zz'], 2, 'no_such_session'],
	[['show', 'abcd', '--raw', '--follow'], 2, 'bad_usage'],
	[['sessions', '--since', 'yesterday'], 2, 'bad_value'],
	[['sessions', '--nope'], 2, 'unknown_option'],
	[['nope'], 2, 'unknown_command'],
	[['approve', 'abcd'], 2, 'confirmation_needed'],
	[['approve', 'abcd', '--yes'], 1, 'no_such_request'],
	[['import', '/nonexistent'], 1, 'import_not_found'],
	[['run', 'claude'], 2, 'no_terminal'],
	[['run', 'nobody', '--headless', 'x'], 2, 'agent_unknown'],
	[['run', 'claude', '--headless', ' '], 2, 'bad_usage'],
])('%j fails with exit code %d and %s', async (args, exitCode, code) => {
	const [asText, asJson] = await Promise.all([program.run(args), program.here([...args, '--json'])])
	expect([asText.code, asText.stdout]).toEqual([exitCode, ''])
	expect([asJson.code, asJson.stdout]).toEqual([exitCode, ''])
	const [{ error } = { error: null }] = linesOf(shapes.failure, asJson.stderr)
	expect(error?.code).toBe(code)
	expect(asText.stderr).toBe(`styrby-tui: ${error?.message}\n`)
})

test('permissions lists what waits', async () => {
	const { permissions } = await program.json(shapes.permissions, ['permissions'])
	expect(permissions).toMatchObject([
		{
			id: request,
			session: live.id,
			agent: 'claude',
			status: 'pending',
			tool: 'Bash',
			input: { command: 'rm -rf build' },
			problem: null,
			decided: null,
		},
	])
	const { stdout } = await program.run(['permissions'])
	expect(stdout).toContain('$ rm -rf build')
	expect(stdout).toMatch(/^ {2}risk (low|medium|high)/m)
})

test('permissions --wait ends with the first one, --watch goes on', async () => {
	const waited = await program.lines(shapes.permission, ['permissions', '--wait'])
	expect(waited.map(({ id }) => id)).toEqual([request])

	await using watcher = program.start(['permissions', '--watch', '--json'])
	await until(() => watcher.printed().length === 1, watcher)
	await using other = await Hosted.start(context, 'another')
	void other.agent.ask('b')
	await until(() => watcher.printed().length === 2, watcher)
	watcher.child.kill('SIGINT')
	const { code, stdout } = await watcher.done
	expect(code).toBe(130)
	const watched = linesOf(shapes.permission, stdout)
	expect(watched.map(({ session }) => session)).toEqual([live.id, other.id])
})

test('permissions --brief is a line for a status bar, and --watch another at each change', async () => {
	await using watcher = program.start(['permissions', '--watch', '--brief'])
	await using asJson = program.start(['permissions', '--watch', '--brief', '--json'])
	await using changes = program.start(['permissions', '--watch', '--all', '--json'])
	for (const started of [watcher, asJson, changes]) {
		await until(() => started.stdout.length > 0, started)
	}
	const { stdout } = await program.run(['permissions', '--brief'])
	expect(stdout).toMatch(/^⚠ 1 waiting(?:, 1 high risk)?\n$/)
	expect(watcher.stdout).toBe(stdout)
	await using other = await Hosted.start(context, 'another')
	void other.agent.ask('b')
	await until(() => watcher.stdout.includes('⚠ 2 waiting'), watcher)
	const second = (await program.json(shapes.permissions, ['permissions'])).permissions.find(
		({ session }) => session === other.id,
	)
	const denied = await program.run(['deny', second?.id ?? '', '--yes'])
	expect(denied.code).toBe(0)
	const lines = () => watcher.stdout.trimEnd().split('\n')
	await until(() => lines().length === 3, watcher)
	expect(lines()[2]).toBe(lines()[0])
	expect(linesOf(shapes.waiting, asJson.stdout).map(({ waiting }) => waiting)).toEqual([1, 2, 1])
	await until(() => changes.printed().length === 3, changes)
	const told = linesOf(shapes.permission, changes.stdout).map(({ id, status }) => [id, status])
	expect(told).toEqual([
		[request, 'pending'],
		[second?.id, 'pending'],
		[second?.id, 'denied'],
	])
	for (const { child } of [watcher, asJson, changes]) child.kill('SIGINT')
	for (const { done } of [watcher, asJson, changes]) expect((await done).code).toBe(130)
	const { code, stderr } = await program.run(['permissions', '--brief', '--all'])
	expect([code, stderr]).toEqual([2, expect.stringContaining('--brief counts what waits now')])
})

test('a vault without the keys of this home makes no second account', async () => {
	const file = join(program.home.data, 'key-file.json')
	await rename(file, `${file}.away`)
	try {
		const { code, stdout, stderr } = await program.run(['sessions', '--json'])
		expect([code, stdout]).toEqual([3, ''])
		expect(linesOf(shapes.failure, stderr)[0]?.error.code).toBe('no_device_key')
	} finally {
		await rename(`${file}.away`, file)
	}
	const { account } = await program.json(shapes.status, ['status'])
	expect(account).toBe(context.account.id)
})

test("export writes a session as Markdown or JSON Lines, to stdout or a file of one's own", async () => {
	const markdown = await program.run(['export', ended.slice(0, 8)])
	expect(markdown.code).toBe(0)
	expect(markdown.stdout).toMatch(/^# .+\n\n- agent: /)
	expect(markdown.stdout).toContain('There are twelve reeds.\n\n*10 in')
	const shown = await program.run(['show', ended, '--json'])
	const lines = await program.run(['export', ended, '--format', 'jsonl'])
	expect(lines.stdout).toBe(shown.stdout)
	const folder = join(program.home.data, '..', 'exports')
	await mkdir(folder, { recursive: true })
	const file = join(folder, 'reeds.jsonl')
	const written = await program.run(['export', ended, '--output', file])
	expect(written.stderr).toContain('messages written to')
	expect(await readFile(file, 'utf8')).toBe(shown.stdout)
	expect((await stat(file)).mode & 0o777).toBe(0o600)
	await writeFile(file, 'mine')
	const again = await program.run(['export', ended, '--output', file])
	expect(again.code).toBe(1)
	expect(again.stderr).toContain('--force')
	expect(await readFile(file, 'utf8')).toBe('mine')
	expect((await program.run(['export', ended, '--output', file, '--force'])).code).toBe(0)
	expect(await readFile(file, 'utf8')).toBe(shown.stdout)
	const lost = await program.run(['export', ended, '--output', join(folder, 'no', 'such.md')])
	expect(lost.stderr).toContain('There is no folder')
	expect(await readdir(folder)).toEqual(['reeds.jsonl'])
	expect((await program.run(['export', ended, '--force'])).code).toBe(2)
})
