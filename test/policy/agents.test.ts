/** Requests of real agents, as they were recorded: every agent's way of asking is understood. */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { afterAll, expect, test } from 'vitest'
import { decide } from '../../source/policy/decide.ts'
import type { PolicyRequest } from '../../source/policy/part.ts'
import { eventSchemas } from '../../source/protocol/events.ts'
import { makeSurroundings, rulesOf } from './_policy.ts'

const recorded = join(import.meta.dirname, '../fixtures/agents')
const askSchema = v.omit(eventSchemas.permission_request, ['request', 'expires_at'])
const around = makeSurroundings()
afterAll(() => rmSync(around.root, { recursive: true }))

/** Every request in a recording, wherever it stands. */
function asksIn(value: unknown): PolicyRequest['ask'][] {
	if (typeof value !== 'object' || value === null) return []
	const parsed = v.safeParse(askSchema, value)
	return parsed.success ? [parsed.output] : Object.values(value).flatMap(asksIn)
}

const agents = ['claude', 'codex', 'gemini', 'opencode'] as const
const asks = agents.flatMap((agent) => {
	const golden = join(recorded, agent, 'golden')
	return readdirSync(golden).flatMap((name) =>
		asksIn(JSON.parse(readFileSync(join(golden, name), 'utf8'))).map(
			(ask) => [`${agent} ${name}`, agent, ask] as const,
		),
	)
})

const everything = rulesOf(
	{ answer: 'allow', command: '*', even: 'high' },
	{ answer: 'allow', path: '**', even: 'high' },
	{ answer: 'allow', tool: '*', even: 'high' },
)
const nothing = rulesOf(
	{ answer: 'deny', command: ['rm', 'touch', 'echo'] },
	{ answer: 'deny', path: ['**/greet.js', '**/result.txt', '**/new.txt'] },
)

test.each(asks)('%s', (_, agent, ask) => {
	const here = { ...around, folder: ask.cwd ?? '/home/dev/project', userHome: '/home/dev' }
	const verdict = decide(everything, { agent, ask }, here)
	const person = ask.questions !== null || ask.tool === 'request_permissions'
	expect(verdict, JSON.stringify(ask)).toMatchObject({ answer: person ? 'ask' : 'allow' })
	if (ask.questions !== null) return
	const known = /^(?:bash|exec_command|run_shell_command|edit|write|replace|apply_patch)$/i
	if (known.test(ask.tool)) expect(decide(nothing, { agent, ask }, here).answer).toBe('deny')
})

test('there are recordings of every agent', () => {
	for (const name of agents) expect(asks.some(([, agent]) => agent === name)).toBe(true)
	expect(asks.length).toBeGreaterThan(30)
})
