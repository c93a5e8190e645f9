/**
 * A session as a Markdown document: one piece of text for each of its events. What an agent or a person wrote
 * stands in quotes, which end whatever is begun in them, or in fences; so none of it can pass for what the
 * document says itself.
 */
import type { Body, FileChange, SessionEvent } from '../protocol/events.ts'
import { displayText, revealText } from './safe-text.ts'
import { commandOf, pathOf } from './tool-input.ts'
import { usageText } from './transcript.ts'

/** What the document says first. */
export interface ExportedSession {
	id: string
	agent: string
	project: string | null
	title: string | null
	startedAt: string
	endedAt: string | null
}

export type DeviceName = (id: string) => string | null

/** The head of the document. */
export function markdownHead({ id, agent, project, title, startedAt, endedAt }: ExportedSession) {
	const facts: [string, string | null][] = [
		['agent', agent],
		['project', project],
		['started', startedAt],
		['ended', endedAt ?? 'not yet'],
		['session', id],
	]
	const rows = facts.flatMap(([name, value]) =>
		value === null ? [] : [`- ${name}: ${line(value)}`],
	)
	return `# ${line(title ?? project ?? agent)}\n\n${rows.join('\n')}\n\n`
}

/** One event; empty for one that only keeps books. `at`: ISO 8601 UTC. */
export function eventMarkdown(event: SessionEvent, at: string, nameOf: DeviceName): string {
	const text = textOf(event, at, nameOf)
	return text === '' ? '' : `${text}\n\n`
}

/** A message that could not be verified; it is never shown as if it were. */
export function problemMarkdown(place: string, problem: string): string {
	return `**✗ message ${place}: ${line(problem)}**\n\n`
}

function textOf(event: SessionEvent, at: string, nameOf: DeviceName): string {
	switch (event.kind) {
		case 'user_prompt':
			return `## Prompt · ${time(at)}\n\n${quoted(displayText(event.body.text))}`
		case 'agent_response':
			return quoted(displayText(event.body.text).trim())
		case 'agent_thinking':
			return quoted(`*thinking:* ${displayText(event.body.text).trim()}`)
		case 'tool_use':
			return callText(event.body.name, event.body.input)
		case 'tool_result':
			return resultText(event.body)
		case 'permission_request':
			return requestText(event.body, at)
		case 'permission_response':
			return responseText(event.body, nameOf)
		case 'usage':
			return `*${usageText(event.body)}*`
		case 'error':
			return `**✗ ${line(event.body.text === '' ? event.body.code : event.body.text)}**`
		case 'status': {
			const { status, detail } = event.body
			if (detail === null && status !== 'stopped' && status !== 'error') return ''
			return `*${line(status)}${detail === null ? '' : `: ${line(detail)}`} · ${time(at)}*`
		}
		case 'system': {
			const { type, text } = event.body
			return text === null || text === '' ? '' : `*${line(type)}: ${line(text)}*`
		}
	}
}

function callText(name: string, input: unknown): string {
	const command = commandOf(input)
	if (command !== null) return fenced(revealText(command), 'sh')
	const path = pathOf(input)
	const head = `**${line(name)}**${path === null ? '' : ` \`${inCode(path)}\``}`
	const rest = path === null ? JSON.stringify(input, null, 2) : undefined
	return rest === undefined || rest === '{}'
		? head
		: `${head}\n\n${fenced(revealText(rest), 'json')}`
}

function resultText({ ok, exit_code, text, changes }: Body<'tool_result'>): string {
	const code = exit_code === null ? '' : ` exit ${exit_code}`
	const head = ok ? (code === '' || exit_code === 0 ? '' : `✓${code}`) : `✗ failed${code}`
	const output = changes.length === 0 && text.trim() !== '' ? fenced(displayText(text)) : ''
	return [head, ...changes.map(changeText), output].filter((part) => part !== '').join('\n\n')
}

function changeText({ path, hunks }: FileChange): string {
	const lines = hunks.flatMap((hunk) => [
		`@@ -${hunk.old_start},${hunk.old_lines} +${hunk.new_start},${hunk.new_lines} @@`,
		...hunk.lines,
	])
	const head = `\`${inCode(path)}\``
	return lines.length === 0 ? head : `${head}\n\n${fenced(displayText(lines.join('\n')), 'diff')}`
}

function requestText(body: Body<'permission_request'>, at: string): string {
	const what = body.questions
		? quoted(
				body.questions
					.flatMap(({ question, options }) => [
						displayText(question),
						...options.map(({ label }, index) => `${index + 1}. ${line(label)}`),
					])
					.join('\n'),
			)
		: [callText(body.tool, body.input), ...body.changes.map(changeText)].join('\n\n')
	const why = body.reason === null ? '' : `\n\nwhy: ${line(body.reason)}`
	return `⚠ **asked for permission** · ${time(at)}\n\n${what}${why}`
}

function responseText(body: Body<'permission_response'>, nameOf: DeviceName): string {
	const name = body.device === null ? null : (nameOf(body.device) ?? body.device)
	const who = {
		device: name ?? 'a device',
		agent: 'the agent’s own prompt',
		host: 'the host',
		policy: 'a policy of the host',
	}[body.by]
	const scope = body.result === 'approved' && body.scope === 'session' ? ' for the session' : ''
	const reason = body.reason === null || body.reason === '' ? '' : `: ${line(body.reason)}`
	const mark = body.result === 'approved' ? '✓' : '✗'
	return `${mark} **${body.result}**${scope} by ${line(who)}${reason}`
}

/** In one line, as it is. */
function line(text: string): string {
	return displayText(text).replace(/\s*\n\s*/g, ' ')
}

function inCode(text: string): string {
	return revealText(text.replaceAll('\n', '⏎')).replaceAll('`', 'ˋ')
}

function quoted(text: string): string {
	if (text === '') return ''
	return text
		.split('\n')
		.map((each) => `> ${each}`.trimEnd())
		.join('\n')
}

/** A block that nothing in the text can end. */
function fenced(text: string, language = ''): string {
	const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
	const fence = '`'.repeat(longest + 1)
	return `${fence}${language}\n${text.replace(/\n+$/, '')}\n${fence}`
}

/** `2026-01-31 14:05:09` UTC. */
function time(at: string): string {
	const ms = Date.parse(at)
	return Number.isNaN(ms) ? '?' : new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}
