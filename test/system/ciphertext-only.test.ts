/**
 * What crosses the wire, and what lies on the disk: whole runs of the built program with the real agent,
 * listened to by tcpdump, then searched byte by byte for all that was said and for the secret keys.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, realpath, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureFolder } from '../../source/config/paths.ts'
import { stopEmbedded } from '../../source/server/discover.ts'
import { readRuntime, writeRuntime } from '../../source/server/runtime-file.ts'
import { decodeKeyFile, deriveKey, openKeyFileBox } from '../../source/vault/key-file-format.ts'
import { fixtures } from '../agents/claude/_recording.ts'
import { claudeEnvironment, findAgent } from '../tools/agents.ts'
import { ByteSearch } from '../tools/byte-search.ts'
import { Capture, type Stream, webSocketPayloads } from '../tools/capture.ts'
import { contextOf, until } from '../tools/hosted-session.ts'
import { finished, makeHome, passphrase, type TestHome } from '../tools/program.ts'
import { type ScriptedAnthropic, startScriptedAnthropic } from '../tools/scripted-anthropic.mjs'
import { serve } from '../tools/serving.ts'

function hasTcpdump(): boolean {
	try {
		execFileSync('tcpdump', ['--version'], { stdio: 'ignore' })
		return process.getuid?.() === 0
	} catch {
		return false
	}
}

const here = hasTcpdump()

interface Line {
	kind: string
	body: Record<string, unknown>
	problem: string | null
}

let home: TestHome
let api: ScriptedAnthropic
let streams: Stream[]
let raw: Buffer
const sessions: string[] = []
let lines: Line[]
/** What was said and done, line by line, and nothing that the server may know. */
const said = new Map<string, Buffer>()
const keys = new Map<string, Buffer>()
/** Everything the database holds, as text: its own compression hides nothing from this. */
let rows: Buffer
/** Goes to the backend, as it has to, and must lie nowhere but in the vault. */
let refreshToken: Buffer
/** An outbox while the backend does not answer. */
let waiting: [string, Buffer][]

const project = 'harbour-ledger'
const bash = (command: string, description: string) => ({
	tool: 'Bash',
	input: { command, description },
})
const scriptIn = (cwd: string) => ({
	rules: [
		{
			match: 'reconcile the quarterly ledger',
			turns: [
				[
					{ thinking: 'The totals of the third quarter look doubtful to me; read the file first.' },
					{ text: 'Let me look at the ledger of the third quarter before anything else.' },
					{ tool: 'Read', input: { file_path: `${cwd}/accounts/third-quarter.csv` } },
				],
				[
					bash(
						'printf "übertrag: %s\\n" 48151.62 > accounts/carry-over.txt',
						'Note the carry-over',
					),
				],
				[
					{
						tool: 'Edit',
						input: {
							file_path: `${cwd}/accounts/third-quarter.csv`,
							old_string: 'Larkspur Shipping;1200.00',
							new_string: 'Larkspur Shipping;1250.00',
						},
					},
				],
				[bash('rm -rf accounts/do-not-touch-archive', 'Remove the archive')],
				{
					delayMs: 5000,
					blocks: [
						{
							text: 'The ledger balances now: Larkspur Shipping owed us fifty more – 日本語もあります。',
						},
					],
				},
			],
		},
	],
	fallback: 'Nothing else was asked of me today.',
})

async function freePort(): Promise<number> {
	const server = createServer()
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const address = server.address()
	await new Promise((resolve) => server.close(resolve))
	if (address === null || typeof address === 'string') throw new Error('no port')
	return address.port
}

/** Every string in a value. */
function strings(value: unknown): string[] {
	if (typeof value === 'string') return [value]
	if (typeof value !== 'object' || value === null) return []
	return Object.values(value).flatMap(strings)
}

/** Ids and numbers are no secrets, and words that are anywhere prove nothing. */
const tells = (line: string) =>
	Buffer.byteLength(line) >= 10 &&
	!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(line) &&
	!/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(line)

beforeAll(async () => {
	if (!here) return
	home = await makeHome()
	Object.assign(home.env, { STYRBY_LOG: 'debug' })
	const port = await freePort()
	await ensureFolder(home.run)
	await writeRuntime(home.run, { port, pid: 0, start: 'none yet', version: '0' })
	const capture = await Capture.start(join(home.folder, 'capture.pcap'), port)

	const cwd = join(await realpath(home.folder), 'work', project)
	await mkdir(join(cwd, 'accounts', 'do-not-touch-archive'), { recursive: true })
	const csv = 'customer;amount\nLarkspur Shipping;1200.00\nPenhaligon Tugs;981.50\n'
	await writeFile(join(cwd, 'accounts', 'third-quarter.csv'), csv)
	api = await startScriptedAnthropic({ script: scriptIn(cwd) })
	const claude = await findAgent('claude')
	const agentEnv = claudeEnvironment(join(home.folder, 'agent-home'), api.url)
	const env = {
		...agentEnv,
		PATH: `${dirname(claude)}${delimiter}${process.env.PATH}`,
		// The command's own settings win over what the agent's environment leaves out.
		STYRBY_HOME: home.env.STYRBY_HOME,
		STYRBY_VAULT: home.env.STYRBY_VAULT,
		STYRBY_PASSPHRASE_FILE: home.env.STYRBY_PASSPHRASE_FILE,
	}

	const file = join(home.folder, 'history.jsonl')
	await writeFile(file, readFileSync(join(fixtures, 'interactive-transcript.jsonl')))
	const imported = await home.cli(['import', file, '--json'])
	expect(imported).toMatchObject({ code: 0 })
	sessions.push(JSON.parse(imported.stdout).session)

	const prompt = 'Please reconcile the quarterly ledger of Penhaligon & Daughters.'
	const running = home.start(['run', 'claude', '--headless', prompt, '--json'], { cwd, env })
	const ended = finished(running, 100_000)
	const answers = ['approve', 'approve', 'deny']
	for (const answer of answers) {
		const request = await until('a request waits', async () => {
			const { stdout } = await home.cli(['permissions', '--json'])
			const [first] = JSON.parse(stdout).permissions
			return first as { id: string; problem: string | null } | undefined
		})
		expect(request.problem).toBeNull()
		const reason = ['--reason', 'That archive belongs to the harbour master.']
		const args = [answer, request.id, '--yes', ...(answer === 'deny' ? reason : [])]
		expect(await home.cli(args)).toMatchObject({ code: 0 })
	}
	waiting = await fullOutbox()
	const ran = await ended
	expect(ran).toMatchObject({ code: 0 })
	sessions.push(JSON.parse(ran.stdout.split('\n')[0] ?? '').session)
	const shown = await Promise.all(sessions.map((session) => home.cli(['show', session, '--json'])))
	lines = shown.flatMap(({ stdout }) =>
		stdout
			.split('\n')
			.filter((line) => line !== '')
			.map((line): Line => JSON.parse(line)),
	)
	expect(lines.every(({ problem }) => problem === null)).toBe(true)
	await home.cli(['sessions'])
	await home.cli(['verify'])
	;({ raw, streams } = await capture.stop())

	for (const text of lines.flatMap(({ body }) => strings(body))) {
		for (const line of [text, ...text.split('\n')]) {
			const short = line.trim().slice(0, 200).toWellFormed()
			if (tells(short)) said.set(short, Buffer.from(short))
		}
	}
	await takeKeys()
	await takeRows()
})

afterAll(async () => {
	await api?.close()
	await home?.[Symbol.asyncDispose]()
})

/** Holds the backend still until the agent has said more, and takes what waits for it. */
async function fullOutbox(): Promise<[string, Buffer][]> {
	const pid = (await readRuntime(home.run))?.pid ?? 0
	process.kill(pid, 'SIGSTOP')
	try {
		const folder = join(home.data, 'outbox')
		return await until('messages wait in the outbox', async () => {
			const found = files(folder)
			const path = found.map(([name]) => name).find((name) => name.endsWith('.db'))
			if (path === undefined) return null
			using db = new DatabaseSync(path, { readOnly: true })
			const count = db.prepare('select count(*) as count from rows').get()?.count
			return Number(count) >= 2 ? files(folder) : null
		})
	} finally {
		process.kill(pid, 'SIGCONT')
	}
}

async function takeKeys(): Promise<void> {
	await using context = await contextOf(home)
	const { account } = context
	const { device } = account
	keys.set('box secret', Buffer.from(device.boxSecret))
	keys.set('sign secret', Buffer.from(device.signSecret.subarray(0, 32)))
	keys.set('account key', Buffer.from(account.accountKey().key))
	for (const session of sessions) {
		const known = await account.keys.load(`session:${session}`)
		for (let epoch = 0; epoch <= known.newest; epoch++) {
			const key = known.keyOf(epoch)
			if (!(key instanceof Uint8Array)) throw key
			keys.set(`key ${epoch} of ${session}`, Buffer.from(key))
		}
	}
	keys.set('passphrase', Buffer.from(passphrase))
	const path = join(home.data, 'key-file.json')
	const sealed = decodeKeyFile(readFileSync(path), path)
	const secrets = openKeyFileBox(sealed, await deriveKey(passphrase, sealed.kdf), path)
	const entry = [...(secrets ?? [])].find(([name]) => name.endsWith(':sign-in'))
	const token: unknown = JSON.parse(Buffer.from(entry?.[1] ?? '').toString()).refresh_token
	if (typeof token !== 'string') throw new Error('no refresh token')
	refreshToken = Buffer.from(token)
}

async function takeRows(): Promise<void> {
	expect(await home.cli(['status'])).toMatchObject({ code: 0 })
	await stopEmbedded({ data: home.data, run: home.run })
	await using serving = await serve(home)
	const { engine } = serving.backend
	const tables = await engine.query(
		`select format('%I.%I', schemaname, tablename) as name from pg_tables
			where schemaname not in ('pg_catalog', 'information_schema')`,
	)
	const parts: string[] = []
	for (const { name } of tables) {
		for (const { row } of await engine.query(`select t::text as row from ${name} as t`)) {
			parts.push(row ?? '')
		}
	}
	rows = Buffer.from(parts.join('\n'))
}

/** Every file under a folder, with its bytes. */
function files(folder: string): [string, Buffer][] {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name))
		.map((path): [string, Buffer] => [path, readFileSync(path)])
}

/** What a stream carries once the framing is taken away. */
function unframed(): [string, Buffer][] {
	return streams.flatMap((stream, index): [string, Buffer][] => {
		const name = `stream ${index} ${stream.toServer ? 'up' : 'down'}`
		const frames = webSocketPayloads(stream)
		const live = frames ? [[`${name}, frames`, Buffer.concat(frames)] as [string, Buffer]] : []
		return [[name, stream.bytes], ...live]
	})
}

const needles = () => new ByteSearch(new Map([...said, ...keys]))
/** A home knows by their ids which of an agent's lines it has imported already. */
const needlesAtHome = () =>
	new ByteSearch(new Map([...said, ...keys].filter(([name]) => !/^(?:msg|toolu)_\w+$/.test(name))))
const search = (places: readonly [string, Buffer][], what: ByteSearch) =>
	places.flatMap(([place, bytes]) => what.in(bytes).map((found) => ({ place, ...found })))

test.runIf(here)('the runs said enough to be looked for', () => {
	expect(said.size).toBeGreaterThan(120)
	for (const known of [
		'Let me look at the ledger of the third quarter before anything else.',
		'That archive belongs to the harbour master.',
		'rm -rf accounts/do-not-touch-archive',
		'Larkspur Shipping;1250.00',
	]) {
		expect(said.has(known)).toBe(true)
	}
	const kinds = new Set(lines.map(({ kind }) => kind))
	for (const kind of [
		'user_prompt',
		'agent_response',
		'agent_thinking',
		'tool_use',
		'tool_result',
	]) {
		expect(kinds).toContain(kind)
	}
	expect(kinds).toContain('permission_request')
	expect(kinds).toContain('permission_response')
	expect(keys.size).toBe(6)
})

test.runIf(here)('the capture is whole, and what may be seen is found in it', () => {
	expect(streams.length).toBeGreaterThan(20)
	expect(streams.reduce((sum, { missing }) => sum + missing, 0)).toBe(0)
	const [imported = '', hosted = ''] = sessions
	const seen = new ByteSearch(
		new Map([
			['imported session', Buffer.from(imported)],
			['live session', Buffer.from(hosted)],
			['project', Buffer.from(project)],
		]),
	)
	const found = search(unframed(), seen)
	for (const name of ['imported session', 'live session', 'project']) {
		expect(found.some((one) => one.name === name && /up$/.test(one.place))).toBe(true)
	}
	// The live channel was heard too, in both directions, and every stream of it was taken apart.
	const live = unframed().filter(([place]) => place.endsWith('frames'))
	const upgrades = streams.filter(({ bytes }) => bytes.includes('HTTP/1.1 101 '))
	expect(live.length).toBe(2 * upgrades.length)
	expect(live.filter(([, bytes]) => bytes.includes('phx_')).length).toBe(live.length)
	expect(found.some(({ place }) => /up, frames/.test(place))).toBe(true)
	expect(found.some(({ place }) => /down, frames/.test(place))).toBe(true)
	expect(search([['rows', rows]], seen).length).toBeGreaterThan(3)
	expect(new Set(search(files(home.data), seen).map(({ name }) => name)).size).toBe(3)
})

test.runIf(here)('nothing on the wire is compressed, which would hide it from the search', () => {
	for (const { bytes } of streams) {
		const text = bytes.toString('latin1')
		expect(text).not.toMatch(/^content-encoding:/im)
		const [, head] = text.match(/HTTP\/1\.1 101 (.*?)\r\n\r\n/s) ?? []
		if (head !== undefined) expect(head).not.toMatch(/sec-websocket-extensions/i)
	}
})

test.runIf(here)('no sentence, path, command or result, and no key, crosses the wire', () => {
	expect(search([['capture', raw], ...unframed()], needles())).toEqual([])
})

test.runIf(here)(
	'none lies in the database, in the outbox, in a log or anywhere in the home',
	() => {
		const all = files(home.home)
		const names = all.map(([path]) => path)
		expect(names.some((path) => path.includes('pg_wal'))).toBe(true)
		expect(names.some((path) => path.endsWith('.log'))).toBe(true)
		expect(waiting.length).toBeGreaterThan(0)
		expect(search([...all, ...waiting, ['rows', rows]], needlesAtHome())).toEqual([])
		const token = new ByteSearch(new Map([['refresh token', refreshToken]]))
		expect(search([...all, ['rows', rows]], token)).toEqual([])
	},
)

test('the search finds what is planted, in every dress', () => {
	const secret = 'the tide turns at four – bring £20'
	const search = new ByteSearch(new Map([['it', Buffer.from(secret)]]))
	const buffer = Buffer.from(secret)
	const around = (text: string | Buffer) =>
		Buffer.concat([Buffer.from('some noise before '), Buffer.from(text), Buffer.from(' and after')])
	const dressed: (string | Buffer)[] = [
		secret,
		buffer.toString('hex'),
		JSON.stringify({ a: secret }),
		JSON.stringify({ a: JSON.stringify({ b: secret }) }),
		encodeURIComponent(secret),
		new URLSearchParams({ q: secret }).toString(),
		Buffer.from(secret, 'utf16le'),
		Buffer.from(secret, 'utf16le').swap16(),
		...[0, 1, 2, 3, 4].flatMap((before) => [
			around(`${'x'.repeat(before)}${secret}yz`).toString('base64'),
			Buffer.from(`${'x'.repeat(before)}${secret}yz`).toString('base64url'),
		]),
	]
	for (const text of dressed) expect(search.in(around(text))).not.toEqual([])
	expect(search.in(around('the tide turns at five – bring £20'))).toEqual([])
})
