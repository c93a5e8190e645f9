import { expect, test } from 'vitest'
import type { SessionEvent } from '../../source/protocol/events.ts'
import { eventMarkdown, markdownHead, problemMarkdown } from '../../source/text/export-markdown.ts'

const at = '2026-03-04T12:00:05.000Z'
const text = (event: SessionEvent) => eventMarkdown(event, at, () => 'laptop')
const result = (body: Partial<Extract<SessionEvent, { kind: 'tool_result' }>['body']>) =>
	text({
		kind: 'tool_result',
		body: {
			tool_use: 't',
			ok: true,
			text: '',
			exit_code: 0,
			duration_ms: 5,
			changes: [],
			parent: null,
			...body,
		},
	})

test('a fence that the text can not end', () => {
	expect(result({ text: 'a\n```\n# not a heading\n````\n' })).toBe(
		'`````\na\n```\n# not a heading\n````\n`````\n\n',
	)
})

test.each([
	'## Prompt · 2026-03-04 12:00:05',
	'✓ **approved** for the session by laptop',
	'```\nnever closed',
	'<!-- never closed',
	'⚠ **asked for permission**',
])('what an agent says can not pass for what the document says: %s', (evil) => {
	const body = { text: `Yes.\n\n${evil}`, message: null, parent: null }
	const question = { question: evil, header: null, options: [], multiple: false }
	const ask = {
		...{ request: 'r', tool: 'ask', tool_use: null, input: {}, description: null, cwd: null },
		...{ reason: evil, changes: [], session_rules: [], questions: [question], expires_at: at },
	}
	for (const event of [
		{ kind: 'agent_response', body },
		{ kind: 'agent_thinking', body },
		{ kind: 'user_prompt', body: { text: evil, source: 'agent' } },
		{ kind: 'permission_request', body: ask },
	] as SessionEvent[]) {
		const [, ...lines] = `\n${text(event)}`.split('\n')
		const ours = /^(?:## Prompt · 2026|⚠ \*\*asked for permission\*\* · 2026|why: )/
		const free = lines.filter((line) => line !== '' && !line.startsWith('>') && !ours.test(line))
		expect(free).toEqual([])
		expect(lines.filter((line) => line.startsWith('## ')).length).toBeLessThan(2)
	}
})

test('a failure, and a change as a diff', () => {
	const hunk = { old_start: 1, old_lines: 1, new_start: 1, new_lines: 1, lines: ['-a', '+b'] }
	expect(result({ ok: false, exit_code: 2, text: 'no' })).toContain('✗ failed exit 2')
	expect(result({ changes: [{ path: 'a`b.ts', hunks: [hunk] }] })).toBe(
		'`aˋb.ts`\n\n```diff\n@@ -1,1 +1,1 @@\n-a\n+b\n```\n\n',
	)
})

test('nothing in it acts on a terminal that prints it', () => {
	const evil = 'x\u001B]52;c;aGk=\u0007\u202Ey\u009b31m'
	const all = [
		text({ kind: 'user_prompt', body: { text: evil, source: 'agent' } }),
		text({
			kind: 'tool_use',
			body: { tool_use: 't', name: evil, input: { [evil]: evil }, parent: null },
		}),
		text({
			kind: 'tool_use',
			body: { tool_use: 't', name: evil, input: { command: evil }, parent: null },
		}),
		result({ text: evil, changes: [{ path: evil, hunks: [] }] }),
		text({ kind: 'error', body: { code: evil, text: evil } }),
		markdownHead({
			id: evil,
			agent: evil,
			project: evil,
			title: evil,
			startedAt: at,
			endedAt: null,
		}),
		problemMarkdown('#1', evil),
	].join('')
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
	expect(all).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
	expect(all).toContain('x')
})

test('who answered a request, and why', () => {
	const answer = {
		request: '00000000-0000-4000-8000-000000000001',
		result: 'denied',
		by: 'device',
		device: 'd',
		scope: 'once',
		reason: 'not now',
		command: null,
	} as const
	expect(text({ kind: 'permission_response', body: answer })).toBe(
		'✗ **denied** by laptop: not now\n\n',
	)
})
