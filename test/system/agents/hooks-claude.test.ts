/** Claude Code as a person starts it, with our hooks in its settings and nothing of ours around it. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isAlive } from '../../../source/config/is-alive.ts'
import { findAgent } from '../../tools/agents.ts'
import { bash, Lab, type ListedSession, press, until } from '../../tools/lab.ts'
import { Terminal } from '../../tools/terminal.ts'

const own = {
	permissions: { defaultMode: 'default' },
	hooks: { Stop: [{ matcher: '', hooks: [{ type: 'command', command: 'touch stopped.txt' }] }] },
}
const before = `${JSON.stringify(own, null, '\t')}\n`

let lab: Lab
let claude = ''
let settings = ''
const open = new Set<Terminal>()

beforeAll(async () => {
	claude = await findAgent('claude')
	lab = await Lab.make(
		{
			fallback: 'fine',
			rules: [
				{ match: '^RUN', turns: [[bash('touch made.txt')], [{ text: 'it is made' }]] },
				{ match: '^REMOVE', turns: [[bash('rm -rf build')], [{ text: 'left alone' }]] },
				{ match: '^LOCAL', turns: [[bash('touch local.txt')], [{ text: 'said here' }]] },
				{ match: '^CUT', turns: [[bash('touch cut.txt')], [{ text: 'after the cut' }]] },
				{ match: '^LATE', turns: [[bash('touch late.txt')], [{ text: 'late but done' }]] },
				{ match: '^ALONE', turns: [[bash('touch alone.txt')], [{ text: 'nobody was there' }]] },
			],
		},
		{ hookHoldSeconds: 4 },
	)
	await mkdir(join(lab.cwd, 'build'))
	await mkdir(join(lab.folder, 'home', '.claude'), { recursive: true })
	settings = join(lab.folder, 'home', '.claude', 'settings.json')
	await writeFile(settings, before)
}, 300_000)

afterAll(async () => {
	for (const one of open) await one[Symbol.asyncDispose]()
	await lab.run(['hooks', 'remove'])
	await lab[Symbol.asyncDispose]()
})

/** The agent alone, in a terminal of its own. */
async function start(...args: string[]): Promise<Terminal> {
	const terminal = new Terminal({
		command: claude,
		args,
		cwd: lab.cwd,
		env: lab.env,
		columns: 100,
		rows: 30,
	})
	open.add(terminal)
	await terminal.until(/\? for shortcuts|Try "|manual mode/)
	return terminal
}

async function prompt(terminal: Terminal, text: string): Promise<void> {
	await terminal.type(text)
	await terminal.type(press.enter)
}

/** Ends the agent as a person does. */
async function end(terminal: Terminal): Promise<void> {
	await prompt(terminal, '/exit')
	await terminal.exited
	open.delete(terminal)
}

async function live(): Promise<ListedSession[]> {
	return (await lab.sessions()).filter(({ status }) => !['stopped', 'error'].includes(status))
}

/** The one live session, once there is one. */
async function published(): Promise<ListedSession> {
	let found: ListedSession | undefined
	await until(async () => {
		;[found] = await live()
		return found
	})
	if (!found) throw new Error('No session')
	return found
}

async function hooksList() {
	return JSON.parse((await lab.done(['hooks', 'list', '--json'])).stdout)
}

async function spoken(session: string, text: string): Promise<void> {
	await until(async () =>
		(await lab.show(session)).some(
			({ kind, body }) => kind === 'agent_response' && body?.text === text,
		),
	)
}

it('is installed once, beside the hooks that are there, and starts its host', async () => {
	const first = JSON.parse((await lab.done(['hooks', 'install', 'claude', '--json'])).stdout)
	expect(first.installed).toMatchObject([{ agent: 'claude', file: settings, changed: true }])
	expect(await readFile(first.installed[0].backup, 'utf8')).toBe(before)
	const text = await readFile(settings, 'utf8')
	expect(JSON.parse(text)).toMatchObject({ permissions: own.permissions })
	expect(JSON.parse(text).hooks.Stop[0]).toEqual(own.hooks.Stop[0])

	const again = JSON.parse((await lab.done(['hooks', 'install', 'claude', '--json'])).stdout)
	expect(again.installed).toMatchObject([{ changed: false }])
	expect(again.host).toEqual(first.host)
	expect(await readFile(settings, 'utf8')).toBe(text)

	const listed = await hooksList()
	expect(listed.agents[0]).toMatchObject({ agent: 'claude', installed: true, current: true })
	expect(listed.host).toMatchObject({ pid: first.host.pid })
	expect(isAlive(first.host.pid)).toBe(true)
})

it('publishes what is said, and is answered from elsewhere, with yes and with no', async () => {
	const terminal = await start()
	const { id } = await published()
	await prompt(terminal, 'RUN it')
	const request = await lab.request(id)
	expect(request).toMatchObject({ tool: 'Bash', input: { command: 'touch made.txt' } })
	await terminal.until('Do you want')
	expect(existsSync(join(lab.cwd, 'made.txt'))).toBe(false)
	await lab.done(['approve', request.id, '--yes'])
	await terminal.until((text) => text.includes('it is made') && !text.includes('Do you want'))
	expect(existsSync(join(lab.cwd, 'made.txt'))).toBe(true)
	await spoken(id, 'it is made')

	await prompt(terminal, 'REMOVE it')
	const second = await lab.request(id, 2)
	await lab.done(['deny', second.id, '--yes', '--reason', 'keep the build'])
	await terminal.until((text) => text.includes('left alone'))
	expect(existsSync(join(lab.cwd, 'build'))).toBe(true)
	expect(JSON.stringify(lab.api.requests.at(-1)?.body)).toContain('keep the build')

	await prompt(terminal, 'LOCAL')
	const third = await lab.request(id, 3)
	await terminal.until('Do you want')
	await sleep(700)
	await terminal.type(press.enter)
	await terminal.until('said here')
	await until(async () =>
		(await lab.requests(['--all'])).some((one) => one.id === third.id && one.status === 'approved'),
	)
	const [decided] = (await lab.requests(['--all'])).filter((one) => one.id === third.id)
	expect(decided?.decided).toMatchObject({ by: 'agent' })
	// The person's own hook ran as well.
	await until(() => existsSync(join(lab.cwd, 'stopped.txt')))

	await end(terminal)
	await until(async () => (await lab.session(id)).status === 'stopped')
	const kinds = (await lab.show(id)).map(({ kind }) => kind)
	expect(kinds.filter((kind) => kind === 'user_prompt')).toHaveLength(3)
	expect(kinds.filter((kind) => kind === 'usage')).toHaveLength(6)
	expect((await lab.show(id)).every(({ verified }) => verified)).toBe(true)
}, 180_000)

it('goes on unharmed when the host is killed while it asks, and is published again', async () => {
	const terminal = await start()
	const { id } = await published()
	await prompt(terminal, 'CUT')
	await lab.request(id)
	await terminal.until('Do you want')
	process.kill((await hooksList()).host.pid, 'SIGKILL')
	await until(async () => (await hooksList()).host === null)
	await sleep(700)
	expect(terminal.text()).toContain('Do you want')
	expect(existsSync(join(lab.cwd, 'cut.txt'))).toBe(false)
	await terminal.type(press.enter)
	await terminal.until('after the cut')
	expect(existsSync(join(lab.cwd, 'cut.txt'))).toBe(true)

	// Any command starts the host, and closes what the dead one left.
	await until(async () => (await lab.session(id)).status === 'stopped')
	await until(async () => (await hooksList()).host?.pid)
	await prompt(terminal, 'LATE')
	const again = await published()
	expect(again.id).not.toBe(id)
	const request = await lab.request(again.id)
	await lab.done(['approve', request.id, '--yes'])
	await terminal.until('late but done')
	await spoken(again.id, 'late but done')
	// What was said while no host ran is not lost.
	await spoken(again.id, 'after the cut')
	await end(terminal)
	await until(async () => (await lab.session(again.id)).status === 'stopped')
}, 180_000)

it('is not published twice inside "run", and two at once are two sessions; one is resumed', async () => {
	const earlier = new Set((await lab.sessions()).map(({ id }) => id))
	const fresh = async () => (await lab.sessions()).filter(({ id }) => !earlier.has(id))
	const hosted = lab.terminal(['run', 'claude'])
	open.add(hosted)
	await hosted.until('manual mode on')
	const terminal = await start()
	await until(async () => (await fresh()).length === 2)
	await prompt(hosted, 'hello there')
	await hosted.until('fine')
	await prompt(terminal, 'hello here')
	await terminal.until('fine')
	await until(async () => (await fresh()).filter(({ messages }) => messages > 3).length === 2)
	await end(terminal)
	await prompt(hosted, '/exit')
	await hosted.exited
	open.delete(hosted)
	expect(await fresh()).toHaveLength(2)
	await until(async () => (await live()).length === 0)

	const resumed = await start('--continue')
	const { id } = await published()
	await prompt(resumed, 'and further')
	await spoken(id, 'fine')
	const prompts = (await lab.show(id)).filter(({ kind }) => kind === 'user_prompt')
	expect(prompts.map(({ body }) => body?.text)).toEqual(['and further'])
	process.kill(resumed.pid, 'SIGKILL')
	await until(async () => (await lab.session(id)).status === 'error')
	open.delete(resumed)
}, 180_000)

it('is let go soon where its own prompt would have to wait: without an interface', async () => {
	const args = ['-p', 'REMOVE it', '--permission-mode', 'manual']
	const ran = promisify(execFile)(claude, args, { cwd: lab.cwd, env: lab.env })
	ran.child.stdin?.end()
	const { id } = await published()
	const request = await lab.request(id)
	expect(request).toMatchObject({ input: { command: 'rm -rf build' } })
	expect((await ran).stdout).toContain('left alone')
	expect(existsSync(join(lab.cwd, 'build'))).toBe(true)
})

it('works as if nothing were installed without a host; removing gives the file back', async () => {
	const { host } = await hooksList()
	process.kill(host.pid, 'SIGTERM')
	await until(async () => (await hooksList()).host === null)
	const terminal = await start()
	await prompt(terminal, 'ALONE')
	await terminal.until('Do you want')
	await sleep(700)
	await terminal.type(press.enter)
	await terminal.until('nobody was there')
	expect((await hooksList()).host).toBeNull()
	await end(terminal)

	const removed = JSON.parse((await lab.done(['hooks', 'remove', 'claude', '--json'])).stdout)
	expect(removed.removed).toEqual([{ agent: 'claude', file: settings, changed: true }])
	expect(await readFile(settings, 'utf8')).toBe(before)
	expect((await hooksList()).agents[0]).toMatchObject({ installed: false, hooks: [] })
	// And no command starts a host any more.
	await lab.done(['sessions'])
	expect((await hooksList()).host).toBeNull()
}, 120_000)
