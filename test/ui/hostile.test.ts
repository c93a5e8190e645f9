/** Text of agents, servers and other devices, in every place that shows some, on an emulated terminal. */
import { describe, expect, test } from 'vitest'
import { kinds } from '../../source/protocol/events.ts'
import { hostileTexts } from '../text/hostile-text.ts'
import { foreign } from './_raw.ts'
import { keys, type Screen } from './_screen.ts'
import { Stage } from './_stage.ts'
import {
	ask,
	at,
	call,
	info,
	message,
	request,
	requestBody,
	result,
	type ScriptedViewer,
	say,
	summary,
	transcript,
	uuid,
} from './_viewer.ts'

const pending = uuid(11)

/** The text in every field that a screen shows. */
function fill({ viewer }: Stage, text: string): void {
	viewer.info.set({
		...info,
		backend: { kind: 'embedded', url: text },
		device: { ...info.device, name: text, fingerprint: text },
		vault: { kind: 'file', detail: text },
		alarm: text,
	})
	viewer.connection.set({ state: 'lost', lastContact: at(60), why: text })
	viewer.sessions.set([
		summary({ project: text, title: text, agent: text, cwd: text, status: text, pending: 1 }),
		summary({
			id: uuid(2),
			project: null,
			title: text,
			agent: text,
			host: { id: text, name: text },
		}),
	])
	const body = requestBody(pending, {
		tool: text,
		input: { command: text, [text]: text },
		description: text,
		cwd: text,
		reason: text,
		session_rules: [{ tool: text, rule: text }],
		changes: [
			{
				path: text,
				hunks: [
					{
						old_start: 1,
						old_lines: 1,
						new_start: 1,
						new_lines: 1,
						lines: [`-${text}`, `+${text}`],
					},
				],
			},
		],
	})
	const decided = {
		by: 'device',
		device: text,
		name: text,
		result: 'denied',
		scope: null,
		reason: text,
		input: null,
		at: at(3),
		verified: false,
	} as const
	viewer.requests.set([
		request(pending, {
			body,
			project: text,
			agent: text,
			risk: { level: 'high', reasons: [text] },
		}),
		request(uuid(12), { body, project: text, agent: text, status: 'denied', decided }),
	])
	viewer.transcript(uuid(1)).set(
		transcript(
			[
				ask(1, text),
				message(2, 'agent_thinking', { text, block: null, parent: null }),
				say(3, text),
				say(
					4,
					`# ${text}\n\n| a | b |\n| - | - |\n| ${text} | \`${text}\` |\n\n\`\`\`${text}\n${text}\n\`\`\`\n[${text}](${text})`,
				),
				call(5, 'c1', text),
				result(6, 'c1', text, { ok: false, exit_code: 1 }),
				message(7, 'tool_use', {
					tool_use: 'c2',
					name: text,
					input: { [text]: text },
					parent: text,
				}),
				message(8, 'error', { code: text, text }),
				message(9, 'status', { status: 'error', detail: text, applied: null }),
				message(10, 'system', { type: text, text, data: null }),
				message(11, 'system', { type: 'notice', text, data: null }),
				message(
					12,
					'agent_response',
					{ text: '', block: null, model: null, parent: null },
					{
						kind: null,
						body: null,
						problem: text,
					},
				),
				message(13, 'permission_request', body),
			],
			{ live: [{ block: text, kind: 'agent_response', text }] },
		),
	)
}

/**
 * Every frame is looked at with all of them in `hostile-frames.test.ts`; here are terminals, which take longer:
 * each text is on one place, and a part of them on each.
 */
const places = 7
const part = (place: number) => hostileTexts.filter((_, index) => index % places === place)

/** All that the emulator noticed beside text. */
function reactions(screen: Screen) {
	const { buffer, modes } = screen.term
	return {
		alternate: buffer.active.type,
		mouse: modes.mouseTrackingMode,
		titles: screen.titles.filter((title) => !/^(\(\d+\) )?styrby$/.test(title)),
		scrolled: buffer.active.baseY,
	}
}

const untouched = { alternate: 'alternate', mouse: 'none', titles: [], scrolled: 0 }

describe('hostile text acts on nothing', () => {
	test.concurrent.each([
		['the list of sessions, 120×40', 120, [], 0],
		['the list of sessions, 80×24', 80, [], 1],
		['a session unfolded, 120×40', 120, [keys.enter, 'o'], 2],
		['a session, 80×24', 80, [keys.enter], 3],
		['the inbox, 120×40', 120, ['p'], 4],
		['the past request in the inbox, 80×24', 80, ['p', 'j'], 5],
		['one request, 80×24', 80, ['p', keys.enter], 6],
	] as const)('in %s', { timeout: 240_000 }, async (_, columns, way, place) => {
		await using stage = new Stage()
		fill(stage, 'harmless')
		const screen = await stage.open({ columns, rows: columns === 120 ? 40 : 24 })
		await screen.press(...way)
		await screen.settled()
		for (const { id, why, text } of part(place)) {
			const from = screen.written.length
			fill(stage, text)
			await screen.settled()
			expect(foreign(screen.written.slice(from)), `${id}: ${why}`).toBeNull()
			expect(reactions(screen), `${id}: ${why}`).toEqual(untouched)
			const lines = screen.lines()
			expect(lines[0], id).toMatch(/^ styrby /)
			expect(lines[1], id).toMatch(/^ ✗ /)
			// Why the connection is lost, in the server's words.
			expect(lines[2], id).toMatch(/^ /)
			expect(lines[3], id).toMatch(/^[━─]/)
			expect(lines.at(-1), id).toMatch(/\S/)
			const divided = lines.slice(4, -2).filter((line) => line.includes('│'))
			if (columns === 120) expect(divided.length, id).toBe(lines.length - 6)
		}
		// Afterwards all is as if nothing had been.
		fill(stage, 'harmless')
		const after = await screen.settled()
		await using other = new Stage()
		fill(other, 'harmless')
		const fresh = await other.open({ columns, rows: columns === 120 ? 40 : 24 })
		await fresh.press(...way)
		expect(await fresh.settled()).toBe(after)
	})

	test('the first run shows none of it', { timeout: 60_000 }, async () => {
		await using stage = new Stage()
		const screen = await stage.open()
		for (const { id, text } of part(0)) {
			const from = screen.written.length
			stage.viewer.info.set({
				...info,
				backend: { kind: 'supabase', url: text },
				device: { ...info.device, name: text, fingerprint: text },
				vault: { kind: 'keychain', detail: text },
			})
			await screen.settled()
			expect(foreign(screen.written.slice(from)), id).toBeNull()
			expect(reactions(screen), id).toEqual(untouched)
		}
	})
})

test('every kind of message is among those that are shown', () => {
	const stage = new Stage()
	fill(stage, 'x')
	const shown = new Set(shownKinds(stage.viewer))
	// These have no text of their own in a transcript.
	for (const kind of ['usage', 'permission_response'] as const) shown.add(kind)
	expect([...kinds].filter((kind) => !shown.has(kind))).toEqual([])
})

function shownKinds(viewer: ScriptedViewer) {
	return viewer
		.transcript(uuid(1))
		.get()
		.messages.flatMap(({ kind }) => (kind === null ? [] : [kind]))
}

test('a terminal that is driven would be noticed', () => {
	for (const sequence of [
		'\u001B]52;c;eA==\u0007',
		'\u001B[8mhidden',
		'\u001B[5mblink',
		'\u001B[2;3r',
		'\u001B[?1000h',
		'\u009b2J',
		'\u001B]2;other\u0007',
		'a\u202eb',
		'\u001Bc',
	]) {
		expect(foreign(`before${sequence}after`), JSON.stringify(sequence)).not.toBeNull()
	}
	expect(foreign('\u001B[1m\u001B[31;1mred\u001B[39m\u001B[22m\u001B[2;5H\u001B[K\r\n')).toBeNull()
})
