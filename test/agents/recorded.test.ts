import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import type { AgentOutput } from '../../source/agents/agent.ts'
import { loadManifest, loadRecording } from '../../source/agents/recorded/manifest.ts'
import { recordedAgent } from '../../source/agents/recorded/recorded-agent.ts'
import {
	type DecisionName,
	nextWay,
	parseRecording,
	type Recording,
} from '../../source/agents/recorded/recording.ts'
import { eventSchemas } from '../../source/protocol/events.ts'
import { calls, events, results } from '../tools/outputs.ts'

const manifest = await loadManifest()
const recordings = await Promise.all(
	manifest.sessions.map(async (session) => ({
		session,
		recording: await loadRecording(manifest, session),
	})),
)
const now = () => new Date('2026-05-04T18:00:00Z')

/** The ways that end with the agent, not with a request. */
const fullWays = (recording: Recording) =>
	[...recording].flatMap(([way, segment]) => (segment.exit === null ? [] : [way]))

const decisionsOf = (way: string): DecisionName[] =>
	way === '' ? [] : way.split('-').map((each) => (each === 'allow' ? 'allow' : 'deny'))

/** Plays to the end; answers each request with the next decision. */
async function play(
	recording: Recording,
	decisions: readonly DecisionName[],
	reason = 'Not this.',
) {
	const agent = recordedAgent(recording, { speed: Number.POSITIVE_INFINITY, now })
	const outputs: AgentOutput[] = []
	const left = [...decisions]
	for await (const output of agent.output) {
		outputs.push(output)
		if (output.type !== 'request') continue
		const decision = left.shift()
		if (decision === undefined) throw new Error(`no answer left for ${output.ask.tool}`)
		const taken = await agent.answer(
			output.id,
			decision === 'allow' ? { decision, scope: 'once' } : { decision, reason },
		)
		expect(taken).toBe(true)
	}
	expect(left).toEqual([])
	return { outputs, ended: await agent.ended }
}

describe('the recordings', () => {
	test('are a day: six past sessions and two live ones, oldest first', () => {
		expect(manifest.sessions.filter((session) => !session.live)).toHaveLength(6)
		expect(manifest.sessions.filter((session) => session.live)).toHaveLength(2)
		const ages = manifest.sessions.map((session) => session.started_minutes_ago)
		expect(ages).toEqual(ages.toSorted((a, b) => b - a))
		for (const [index, session] of manifest.sessions.entries()) {
			const next = manifest.sessions[index + 1]
			if (next === undefined || session.live) continue
			const ended = session.started_minutes_ago - session.duration_ms / 60_000
			expect(ended, `${session.name} ends before the next begins`).toBeGreaterThan(
				next.started_minutes_ago,
			)
		}
	})

	test('hold nothing of the machine that they were made on', async () => {
		const files = (await readdir(manifest.folder, { recursive: true, withFileTypes: true })).filter(
			(file) => file.isFile(),
		)
		let total = 0
		for (const file of files) {
			const text = await readFile(join(file.parentPath, file.name), 'utf8')
			const size = Buffer.byteLength(text)
			expect(size, file.name).toBeLessThanOrEqual(150 * 1024)
			total += size
			expect(text, file.name).not.toMatch(
				/\/tmp\b|\/root\b|\/work\b|\/private\/|\/var\/folders|\/usr\/|\/opt\/|node_modules\/|127\.0\.0\.1|localhost|registry|demo-home|sk-ant|api_?key|BEGIN [A-Z ]*KEY|token"|[A-Z]:\\\\/i,
			)
			for (const [path] of text.matchAll(/\/home\/[^/"\\\s]+/g)) expect(path).toBe('/home/dev')
			for (const [, host] of text.matchAll(/https?:\/\/([^/\s"\\)]+)/g)) {
				expect(host).toMatch(/\.example$/)
			}
		}
		expect(total).toBeLessThan(1024 * 1024)
	})

	test('say nothing of the vendor but what was said and done', async () => {
		for (const { recording } of recordings) {
			for (const { lines } of recording.values()) {
				const types = lines.map(({ line }) => JSON.stringify(line))
				for (const line of types) expect(line).not.toMatch(/system-reminder|slash_commands|skills/)
			}
		}
	})

	test.each(recordings)(
		'$session.name is what the manifest says of it',
		({ session, recording }) => {
			const asked = [...recording].filter(([, { request }]) => request !== null).map(([way]) => way)
			expect(session.requests.map((request) => request.way).toSorted()).toEqual(asked.toSorted())
			for (const request of session.requests) {
				const allow = recording.has(nextWay(request.way, 'allow'))
				const deny = recording.has(nextWay(request.way, 'deny'))
				if (session.live) expect([allow, deny]).toEqual([true, true])
				else
					expect([allow, deny]).toEqual([request.decision === 'allow', request.decision === 'deny'])
				if (request.decision === 'deny') expect(request.reason).toMatch(/\S/)
			}
			if (session.live) {
				const waits = session.requests.reduce((sum, request) => sum + request.waited_ms, 0)
				expect(session.duration_ms + waits).toBeLessThan(24_000)
			}
		},
	)
})

describe('a recorded agent', () => {
	const ways = recordings.flatMap(({ session, recording }) =>
		fullWays(recording).map((way) => ({ name: session.name, way, session, recording })),
	)

	test.each(ways)(
		'plays $name to its end, answered "$way"',
		async ({ session, recording, way }) => {
			const { outputs, ended } = await play(recording, decisionsOf(way))
			const told = events(outputs)
			for (const { kind, body } of told) {
				expect(v.is(eventSchemas[kind], body), kind).toBe(true)
				// The reader knows every line of a recording.
				if (kind === 'system') expect(body.type).not.toMatch(/^claude\//)
			}
			const failed = session.name === 'csv-export'
			expect(ended).toEqual({ code: failed ? 1 : 0, signal: null, stderr: '' })
			expect(told[0]).toMatchObject({ kind: 'user_prompt' })
			expect(told.some((event) => event.kind === 'usage')).toBe(true)
			expect(told.filter((event) => event.kind === 'error')).toHaveLength(failed ? 1 : 0)
			const used = calls(outputs).map(({ tool_use }) => tool_use)
			const done = results(outputs).map(({ tool_use }) => tool_use)
			expect(done.toSorted()).toEqual(used.toSorted())
			const requests = outputs.filter((output) => output.type === 'request')
			const applied = outputs.filter((output) => output.type === 'applied')
			expect(requests).toHaveLength(decisionsOf(way).length)
			expect(applied.map((each) => each.id)).toEqual(requests.map((each) => each.id))
			for (const { ask } of requests) {
				expect(ask.cwd).toBe(session.cwd)
				const edits = ask.tool === 'Edit' || ask.tool === 'Write'
				expect(ask.changes).toHaveLength(edits ? 1 : 0)
				for (const { hunks } of ask.changes) {
					expect(hunks[0]?.new_start).toBeGreaterThan(0)
					expect(hunks[0]?.lines.some((line) => line.startsWith('+'))).toBe(true)
				}
			}
		},
	)

	const live = recordings.filter(({ session }) => session.live)

	test.each(live)(
		'$session.name waits for an answer as long as it takes',
		async ({ recording }) => {
			const agent = recordedAgent(recording, { speed: Number.POSITIVE_INFINITY, now })
			const output = agent.output[Symbol.asyncIterator]()
			let request: AgentOutput | undefined
			while (request?.type !== 'request') {
				const next = await output.next()
				if (next.done) throw new Error('it did not ask')
				request = next.value
			}
			const more = output.next()
			const silence = new Promise((resolve) => setTimeout(() => resolve('silence'), 150))
			expect(await Promise.race([more, silence])).toBe('silence')
			expect(await agent.answer('another', { decision: 'allow', scope: 'once' })).toBe(false)
			expect(await agent.answer(request.id, { decision: 'allow', scope: 'once' })).toBe(true)
			expect(await agent.answer(request.id, { decision: 'deny', reason: 'late' })).toBe(false)
			expect(await more).toMatchObject({ done: false, value: { type: 'applied', id: request.id } })
			await agent.stop()
			expect(await agent.answer(request.id, { decision: 'allow', scope: 'once' })).toBe(false)
		},
	)

	test.each(live)('$session.name hears the reason that it was given', async ({ recording }) => {
		const reason = 'Ask $& me $1 after lunch'
		const { outputs } = await play(recording, ['deny', 'deny'], reason)
		const refused = events(outputs).flatMap((event) =>
			event.kind === 'tool_result' && !event.body.ok ? [event.body.text] : [],
		)
		expect(refused).toEqual([reason, reason])
	})

	test('takes no input that it was not recorded with, and no prompt', async () => {
		const recording = live[0]?.recording ?? parseRecording('')
		await using agent = recordedAgent(recording, { speed: Number.POSITIVE_INFINITY, now })
		for await (const output of agent.output) {
			if (output.type !== 'request') continue
			const changed = { decision: 'allow', scope: 'once', input: { command: 'true' } } as const
			await expect(agent.answer(output.id, changed)).rejects.toMatchObject({ code: 'agent_cannot' })
			break
		}
		await expect(agent.prompt('more')).rejects.toMatchObject({ code: 'agent_cannot' })
	})

	test('does not ask again for what was allowed for the session', async () => {
		const recording = live.find(({ session }) => session.name === 'wind-chill')?.recording
		if (recording === undefined) throw new Error('not recorded')
		const agent = recordedAgent(recording, { speed: Number.POSITIVE_INFINITY, now })
		const outputs: AgentOutput[] = []
		for await (const output of agent.output) {
			outputs.push(output)
			if (output.type === 'request') {
				await agent.answer(output.id, { decision: 'allow', scope: 'session' })
			}
		}
		const tools = outputs.flatMap((output) => (output.type === 'request' ? [output.ask.tool] : []))
		expect(tools).toEqual(['Bash', 'Edit'])
		expect(outputs.filter((output) => output.type === 'withdrawn')).toEqual([])
		const runs = events(outputs).flatMap((event) =>
			event.kind === 'tool_result' ? [/ℹ fail \d/.exec(event.body.text)?.[0]] : [],
		)
		expect(runs.filter((each) => each !== undefined)).toEqual(['ℹ fail 1', 'ℹ fail 0'])
	})

	test.each(recordings.filter(({ session }) => !session.live))(
		'$session.name ran in the past, and was answered there',
		async ({ session, recording }) => {
			const shiftTo = new Date('2026-05-04T09:00:00Z')
			const options = { speed: Number.POSITIVE_INFINITY, now, shiftTo, answers: session.requests }
			const agent = recordedAgent(recording, options)
			const outputs: AgentOutput[] = []
			for await (const output of agent.output) outputs.push(output)
			const times = outputs.flatMap((output) =>
				output.type === 'event' ? [Date.parse(output.at)] : [],
			)
			expect(times).toEqual(times.toSorted((a, b) => a - b))
			expect(times[0]).toBeGreaterThanOrEqual(shiftTo.getTime())
			expect(agent.clock().getTime()).toBe(shiftTo.getTime() + session.duration_ms)
			const results = outputs.flatMap((output) =>
				output.type === 'withdrawn' ? [output.result] : [],
			)
			expect(results).toEqual(
				session.requests.map(({ decision }) => (decision === 'allow' ? 'approved' : 'denied')),
			)
		},
	)

	test('writes its text in pieces that add up to what it said', async () => {
		const recording = live[0]?.recording ?? parseRecording('')
		const agent = recordedAgent(recording, { speed: 1000, now })
		const written = new Map<string, string>()
		let said = 0
		for await (const output of agent.output) {
			if (output.type === 'text') {
				const before = written.get(output.block) ?? ''
				expect(output.offset).toBe(before.length)
				written.set(output.block, before + output.text)
			}
			if (output.type === 'request')
				await agent.answer(output.id, { decision: 'deny', reason: 'No' })
			if (output.type !== 'event' || output.event.kind !== 'agent_response') continue
			expect(written.get(output.event.body.block ?? '')).toBe(output.event.body.text)
			said++
		}
		expect(said).toBeGreaterThan(2)
	})

	test.each(['stop', 'interrupt', 'signal'] as const)('ends at %s while it waits', async (how) => {
		const recording = live[0]?.recording ?? parseRecording('')
		const controller = new AbortController()
		const { signal } = controller
		const agent = recordedAgent(recording, { speed: Number.POSITIVE_INFINITY, now, signal })
		const outputs: AgentOutput[] = []
		for await (const output of agent.output) {
			outputs.push(output)
			if (output.type !== 'request') continue
			if (how === 'signal') controller.abort()
			else await agent[how]()
		}
		const request = outputs.find((output) => output.type === 'request')
		expect(outputs).toContainEqual({ type: 'withdrawn', id: request?.id, result: 'cancelled' })
		expect(await agent.ended).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
	})
})

describe('a broken recording', () => {
	const line = (way: string, dir: string, content: unknown) =>
		JSON.stringify({ way, t: 0, dir, line: content })
	const exit = { code: 0, sig: null }
	const ask = { type: 'control_request', request_id: 'a' }

	test.each([
		['is empty', ''],
		['is not JSON', 'plain text'],
		['has an unknown way', line('maybe', 'exit', exit)],
		['has no beginning', line('allow', 'exit', exit)],
		['does not end', line('', 'out', { type: 'assistant' })],
		['has a request without a way on', line('', 'out', ask)],
		['has a way that nothing leads to', `${line('', 'exit', exit)}\n${line('deny', 'exit', exit)}`],
		['has an unreadable end', line('', 'exit', { code: 'zero' })],
	])('that %s is refused', (_what, text) => {
		expect(() => parseRecording(text)).toThrow(
			expect.objectContaining({ code: 'recording_broken' }),
		)
	})

	test('is not found where there is none', async () => {
		await expect(loadManifest('/')).rejects.toMatchObject({ code: 'demo_missing' })
	})
})
