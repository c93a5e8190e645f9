/**
 * Every column of every table that a command reads, changed in every way: what it prints stays the same to the
 * byte, or it ends in a named error with exit code 4. What is the server's word alone is listed here.
 */
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { Context } from '../../source/commands/context.ts'
import { Camp, type Outcome, type Post } from '../attack/_camp.ts'
import { type Change, changesOf, type Target, targets } from '../attack/_tables.ts'
import { Hosted } from '../commands/_program.ts'
import { someAsk } from '../tools/scripted-agent.ts'

vi.mock(import('../../source/vault/key-file-format.ts'), async (load) =>
	(await import('../tools/derive-once.ts')).derivingOnce(await load()),
)

// A test is dozens of commands.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

let camp: Camp
let tablet: Post
let context: Context
let live: Hosted
let ended: string

beforeAll(async () => {
	camp = await Camp.pitch()
	const laptop = await camp.home()
	await laptop.run('devices')
	tablet = await camp.paired('tablet', laptop)
	await camp.paired('lost', laptop)
	context = await laptop.context()
	const over = await Hosted.start(context, 'count the reeds')
	for (const text of ['one', 'two', 'three']) over.agent.text(text)
	await over.finish()
	ended = over.id
	live = await Hosted.start(context, 'count the herons')
	const lost = [...context.account.log.state.devices.values()].at(-1)
	// So that the account has two keys, and the log an entry that a server would like to hide.
	const revoked = await laptop.run('devices', 'revoke', lost?.record.id ?? '', '--yes')
	expect(revoked.stderr).toBe('')
	for (const id of ['first', 'second']) void live.agent.ask(id, { ...someAsk, tool_use: id })
	await vi.waitFor(
		async () => {
			const query = { status: 'pending', limit: 10 } as const
			expect(await context.gateway.listRequests(query)).toHaveLength(2)
		},
		{ timeout: 30_000 },
	)
})
afterEach(() => {
	tablet.server.attack = {}
})
afterAll(async () => {
	await live?.finish()
	await context?.[Symbol.asyncDispose]()
	await camp?.[Symbol.asyncDispose]()
})

const commands: Record<string, () => string[]> = {
	show: () => ['show', ended, '--json'],
	'show (live)': () => ['show', live.id, '--json'],
	permissions: () => ['permissions', '--json'],
	sessions: () => ['sessions', '--json'],
	devices: () => ['devices', '--json'],
	'devices verify': () => ['devices', 'verify', '--json'],
}

/** What no device has signed, or only messages that the command does not read (docs/scripting.md). */
const serversWord: Record<string, RegExp> = {
	sessions:
		/^list_sessions (?:agent|status|started_at|last_activity_at|ended_at|tokens|cost_usd|pending|last_seq):/,
	permissions: /^list_sessions agent:/,
	devices: /^list_machine_keys last_seen_at:/,
}

/** Of each table, the command that shows most of it. */
const cases: [command: string, table: string][] = [
	['show', 'read_log'],
	['show', 'read_session'],
	['show', 'read_messages.rows'],
	['show', 'read_keys.epochs'],
	['show', 'read_keys.grants'],
	['show (live)', 'read_session'],
	['show (live)', 'read_keys.epochs'],
	['permissions', 'read_messages.rows'],
	['permissions', 'list_requests'],
	['permissions', 'list_sessions'],
	['sessions', 'list_sessions'],
	['sessions', 'read_keys.grants'],
	['devices', 'list_machine_keys'],
	['devices', 'read_keys.grants'],
	['devices verify', 'list_machine_keys'],
	['devices verify', 'read_log'],
]

/** A device is noted as seen by its own calls. */
const steady = ({ stdout }: Outcome) =>
	stdout.replace(/"last_seen_at":"[^"]*"/g, '"last_seen_at":""')

async function attacked(argv: string[], target: Target, change: Change) {
	let fired = false
	tablet.server.attack = {
		answer(rpc, answer) {
			const rows = rpc === target.rpc ? target.rows(answer) : null
			const changed = rows && change.of(rows)
			if (!changed || JSON.stringify(changed) === JSON.stringify(rows)) return answer
			fired = true
			return target.put(answer, changed)
		},
	}
	const outcome = await tablet.run(...argv)
	return { fired, outcome }
}

test.each(cases)('%s: %s', async (command, table) => {
	const argv = commands[command]?.() ?? []
	const target = targets.find(({ name }) => name === table)
	if (!target) throw new Error(`no such table: ${table}`)
	const columns = new Set<string>()
	tablet.server.attack = {
		answer(rpc, answer) {
			for (const row of (rpc === target.rpc && target.rows(answer)) || []) {
				for (const column of Object.keys(row)) columns.add(column)
			}
			return answer
		},
	}
	const honest = await tablet.run(...argv)
	expect(honest).toMatchObject({ code: 0, stderr: '' })
	const silent: string[] = []
	let fired = 0
	let told = 0
	for (const change of changesOf([...columns], target.many)) {
		const { outcome, fired: changed } = await attacked(argv, target, change)
		if (!changed) continue
		fired++
		const { code, error, stderr, stdout } = outcome
		if (code === 4 && error !== null) {
			told++
			// Named, and in words.
			expect(error).toMatch(/^[a-z_]+$/)
			expect(stderr).not.toMatch(/undefined|\[object|TypeError|internal/)
			continue
		}
		const name = `${table} ${change.name}`
		const same = code === 0 && steady(outcome) === steady(honest)
		if (!same && !serversWord[command]?.test(name)) silent.push(`${name}: ${code} ${stdout}`)
	}
	expect(silent).toEqual([])
	expect(fired).toBeGreaterThan(columns.size / 2)
	expect(told).toBeGreaterThan(0)
	tablet.server.attack = {}
	expect(steady(await tablet.run(...argv))).toBe(steady(honest))
})
