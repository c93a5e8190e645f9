/** A viewer's data with one text in every field that comes from elsewhere. */
import { noText } from '../../source/text/safe-text.ts'
import { block, emptyEdit, insertText, oneLine } from '../../source/ui/line-edit.ts'
import type { Snapshot } from '../../source/ui/snapshot.ts'
import type { QuestionScreen, Screen, UiState } from '../../source/ui/state.ts'
import type { DeviceAct } from '../../source/viewer/devices.ts'
import type {
	DecisionState,
	Sender,
	SentState,
	SessionState,
	StoredRow,
} from '../../source/viewer/viewer.ts'
import { context } from './_context.ts'
import { ScriptedCost, spentOn } from './_cost.ts'
import { approving, device, found, logEvent, recovering, revoking, someState } from './_devices.ts'
import { hit, ScriptedSearch } from './_search.ts'
import {
	ask,
	at,
	call,
	info,
	message,
	request,
	requestBody,
	result,
	say,
	summary,
	transcript,
	uuid,
} from './_viewer.ts'

const pending = uuid(11)
const asked = uuid(13)
const change = (text: string) => ({
	path: text,
	hunks: [
		{
			old_start: 1,
			old_lines: 1,
			new_start: 1,
			new_lines: 1,
			lines: [`-${text}`, `+${text}`, text],
		},
	],
})
const questions = (text: string) => [
	{
		question: text,
		header: text,
		options: [
			{ label: text, description: text },
			{ label: `2${text}`, description: null },
		],
		multiple: true,
	},
]

function requestsOf(text: string): Snapshot['requests'] {
	const body = requestBody(pending, {
		tool: text,
		input: { command: text, [text]: { [text]: [text] } },
		description: text,
		cwd: text,
		reason: text,
		session_rules: [{ tool: text, rule: text }],
		changes: [change(text)],
		editable: true,
	})
	const decided = {
		by: 'device',
		device: text,
		name: text,
		result: 'denied',
		scope: null,
		reason: text,
		input: { answers: { [text]: [text] } },
		at: at(3),
		verified: false,
	} as const
	const about = { project: text, agent: text, risk: { level: 'high', reasons: [text] } } as const
	return [
		request(pending, { ...about, body }),
		request(asked, {
			...about,
			body: requestBody(asked, { tool: text, input: {}, questions: questions(text) }),
		}),
		request(uuid(14), { ...about, body: null, digest: null, problem: text }),
		request(uuid(12), { ...about, body, status: 'denied', decided }),
		request(uuid(15), {
			...about,
			body,
			status: 'approved',
			decided: { ...decided, by: 'policy', input: text },
		}),
	]
}

function transcriptOf(text: string, requests: Snapshot['requests']): SessionState {
	const tool = (seq: number, name: string, input: unknown) =>
		message(seq, 'tool_use', { tool_use: `c${seq}`, name, input, parent: null })
	const sender = (kind: Sender['kind']): Sender => ({
		device: text,
		name: text,
		kind,
		text,
		verified: false,
		became: null,
	})
	const values = { file_path: text, pattern: text, url: text, query: text, description: text }
	return transcript(
		[
			ask(1, text),
			message(2, 'agent_thinking', { text, block: null, parent: null }),
			say(3, text),
			say(
				4,
				`# ${text}\n\n| a | b |\n| - | - |\n| ${text} | \`${text}\` |\n\n\`\`\`${text}\n${text}\n\`\`\`\n- [x] ${text}\n\n[${text}](${text})`,
			),
			call(5, 'c5', text),
			result(6, 'c5', text, { ok: false, exit_code: 1 }),
			message(7, 'tool_use', { tool_use: 'c7', name: text, input: { [text]: text }, parent: text }),
			...['Read', 'Grep', 'Glob', 'WebFetch', 'WebSearch', 'Task', 'Skill', 'BashOutput'].map(
				(name, index) => tool(20 + index, name, values),
			),
			tool(30, `mcp__${text}__${text}`, { a: text }),
			tool(31, 'TodoWrite', { todos: [{ content: text, status: text }] }),
			tool(32, 'ExitPlanMode', { plan: text }),
			tool(33, 'Edit', values),
			result(34, 'c33', text, { changes: [change(text), change(`${text}2`)] }),
			message(40, 'error', { code: text, text }),
			message(41, 'error', {
				code: text,
				text: JSON.stringify({ error: { message: text, code: text } }),
			}),
			message(42, 'status', { status: 'error', detail: text, applied: null }),
			...['notice', 'plan', 'subagent_prompt', 'interrupted', 'compact', 'mode', text].map(
				(type, index) => message(43 + index, 'system', { type, text, data: null }),
			),
			message(51, 'system', {
				type: 'task_notification',
				text: `<status>${text}</status><summary>${text}</summary>`,
				data: null,
			}),
			{ ...say(52, ''), kind: null, body: null, problem: text },
			...requests.flatMap(({ body }, index) =>
				body ? [message(60 + index, 'permission_request', body)] : [],
			),
			message(70, 'permission_response', {
				request: uuid(99),
				result: 'denied',
				by: 'agent',
				device: text,
				scope: null,
				reason: text,
				command: null,
			}),
		],
		{
			live: [
				{ block: text, kind: 'agent_response', text },
				{ block: `${text}2`, kind: 'agent_thinking', text },
			],
			facts: {
				takes: { prompt: true, interrupt: true, modes: [text, 'plan'] },
				mode: text,
				asks: false,
				policy: 'refused',
			},
			senders: new Map([
				[1, sender('prompt')],
				[47, sender('mode')],
			]),
			error: text,
			problems: 2,
		},
	)
}

function actsOf(text: string): readonly DeviceAct[] {
	const request = { ...found, name: text, as: text, platform: text, fingerprint: text }
	const done = { by: text, byName: text, own: false, at: at(5) }
	const target = { ...revoking.device, name: text, fingerprint: text }
	return [
		{ ...approving, step: 'found', request },
		{ ...approving, step: 'found', request: { ...request, already: done } },
		{ ...approving, step: 'failed', problem: text },
		{
			...approving,
			step: 'done',
			request,
			result: { ...done, sessions: 3, granted: 1, unreadable: 2 },
		},
		{
			...revoking,
			device: target,
			plan: { live: [{ session: text, hostName: text, own: false }], last: false, readable: 3 },
		},
		{
			...revoking,
			step: 'done',
			device: target,
			report: {
				...done,
				accountEpoch: 2,
				sessions: [{ session: text, hostName: text, own: false, epoch: 2, rekeyed: false }],
				grantsAfter: 1,
				complete: false,
			},
		},
		{ ...recovering, step: 'failed', problem: text },
		{
			type: 'verify',
			step: 'done',
			report: {
				entries: 4,
				head: text,
				faults: [
					{ device: text, publicKey: text, what: 'unknown' },
					{ device: text, publicKey: null, what: 'missing' },
				],
			},
			problem: null,
		},
		{ type: 'verify', step: 'failed', report: null, problem: text },
	]
}

function statesOf(text: string): { decisions: DecisionState; sent: SentState } {
	const winner = { id: text, name: text, result: text }
	return {
		decisions: {
			request: pending,
			choice: { decision: 'deny', scope: 'once', reason: text },
			stage: 'lost',
			stages: [{ stage: 'sent', at: at(2) }],
			winner,
			why: text,
		},
		sent: {
			id: uuid(700),
			session: uuid(1),
			what: { kind: 'prompt', text },
			stage: 'refused',
			stages: [{ stage: 'sent', at: at(2) }],
			why: text,
		},
	}
}

/** What there is to show; once for each act with devices. */
export function hostileData(text: string): Snapshot[] {
	const requests = requestsOf(text)
	const { decisions, sent } = statesOf(text)
	const all = {
		info: {
			...info,
			backend: { kind: 'supabase', url: text, email: text },
			device: { ...info.device, name: text, fingerprint: text },
			vault: { kind: 'file', detail: text },
			alarm: text,
			revoked: null,
		},
		connection: { state: 'lost', lastContact: at(60), why: text },
		sessions: [
			summary({ project: text, title: text, agent: text, cwd: text, status: text, pending: 1 }),
			summary({
				id: uuid(2),
				project: null,
				title: text,
				agent: text,
				host: { id: text, name: text },
				problem: text,
			}),
			summary({ id: uuid(3), project: text, stale: true, host: { id: text, name: null } }),
		],
		listing: { more: false, loading: false },
		archived: new Set<string>(),
		cost: {
			...new ScriptedCost().state.get(),
			spent: [spentOn('2026-03-04', { agent: text, project: text, model: text })],
			problems: 1,
			problem: text,
			error: text,
		},
		search: {
			...new ScriptedSearch().state.get(),
			query: text,
			hits: [
				hit({
					session: text,
					agent: text,
					project: text,
					title: text,
					snippet: text,
					matches: [[0, Math.min(3, text.length)]],
				}),
			],
			total: 1,
			index: { messages: 1, sessionsDone: 1, sessions: 1, upToDate: true, problem: text },
		},
		grants: {
			grants: (['host', 'agent'] as const).map((keeper) => ({
				id: uuid(keeper === 'host' ? 50 : 51),
				session: uuid(1),
				agent: text,
				project: text,
				request: pending,
				tool: text,
				rules: [{ tool: text, rule: text }],
				device: { id: text, name: text },
				at: at(9),
				uses: 2,
				usedAt: at(3),
				keeper,
				verified: false,
			})),
			looking: false,
		},
		requests,
		decisions: new Map([
			[uuid(14), { ...decisions, request: uuid(14) }],
			[asked, decisions],
		]),
		sent: new Map([[uuid(1), [sent]]]),
		devices: {
			...someState,
			devices: [
				device(uuid(900), { name: text, fingerprint: text, addedByName: text }),
				device(uuid(902), {
					name: null,
					state: 'revoked',
					revoked: { by: text, byName: text, at: at(3), reason: text },
				}),
			],
			intruders: [{ device: text, publicKey: text, what: 'other_key' }],
			log: { entries: 2, head: text, problem: text },
			behind: [{ host: text, name: text }],
			error: text,
		},
		history: {
			events: [
				logEvent(1, { byName: text, deviceName: text, label: text, hash: text }),
				logEvent(2, {
					type: 'revoke',
					by: text,
					byName: null,
					device: text,
					deviceName: null,
					reason: text,
				}),
			],
			loading: false,
			error: text,
		},
		access: {
			rows: [
				{
					session: uuid(1),
					epochs: 2,
					cells: new Map([[uuid(900), { epochs: 1, by: text, at: at(9), opens: false }]]),
				},
			],
			complete: true,
			loading: false,
			error: text,
		},
		open: { session: uuid(1), state: transcriptOf(text, requests) },
	} satisfies Omit<Snapshot, 'act'>
	return [{ ...all, act: null }, ...actsOf(text).map((act) => ({ ...all, act }))]
}

/** Every screen there is, with `text` typed where something is typed. */
export function hostileScreens(text: string): Record<Screen['name'], Screen[]> {
	const edit = insertText(emptyEdit, text, oneLine)
	const lines = insertText(emptyEdit, text, block)
	const bound = { request: pending, digest: 'aa'.repeat(32) }
	const asking: QuestionScreen = {
		name: 'question',
		request: asked,
		digest: 'aa'.repeat(32),
		at: 0,
		highlighted: 0,
		picked: [{ options: new Set([0]), other: text }],
	}
	const session = uuid(1)
	const risk = { level: 'high', reasons: [text] } as const
	return {
		sessions: [{ name: 'sessions' }],
		grants: [{ name: 'grants' }],
		cost: [{ name: 'cost' }],
		search: [{ name: 'search' }],
		'search-line': [{ name: 'search-line', edit }],
		'export-cost': [{ name: 'export-cost', edit, problem: noText }],
		panic: [{ name: 'panic', step: 'ask', denied: 0, ended: 0 }],
		session: [{ name: 'session', session }],
		permissions: [{ name: 'permissions' }],
		request: [pending, asked, uuid(14), uuid(12), uuid(15)].map((id) => ({
			name: 'request',
			request: id,
		})),
		reason: [{ name: 'reason', ...bound, edit }],
		devices: [{ name: 'devices' }],
		device: [uuid(900), uuid(902)].map((id) => ({ name: 'device', device: id })),
		history: [{ name: 'history' }],
		access: [{ name: 'access' }],
		act: [{ name: 'act' }],
		typing: [
			{ name: 'typing', what: { what: 'rename', device: uuid(900) }, edit, problem: noText },
		],
		prompt: [{ name: 'prompt', session, edit: lines }],
		find: [{ name: 'find', session, edit }],
		export: [{ name: 'export', session, edit, problem: noText }],
		raw: [{ name: 'raw', session }],
		replay: [{ name: 'replay', session }],
		interrupt: [{ name: 'interrupt', session }],
		modes: [{ name: 'modes', session, selected: text }],
		change: [{ name: 'change', ...bound, edit: lines }],
		changed: [{ name: 'changed', ...bound, edited: lines, input: { command: text }, risk }],
		question: [asking, { ...asking, at: 1 }],
		'words-of-answer': [{ name: 'words-of-answer', asking, edit }],
		revoked: [{ name: 'revoked' }],
		filter: [{ name: 'filter', edit }],
		help: [{ name: 'help', of: 'session', line: 0, filter: text, context: context() }],
		'help-filter': [{ name: 'help-filter', edit }],
		// They are of another program, for a home that is no device yet, and show nothing where there is one.
		join: [],
		words: [],
		archive: [{ name: 'archive', sessions: [session] }],
	}
}

/** What screens keep of a session beside its transcript: a message as it is stored, and where a replay is. */
export function hostileState(
	text: string,
	{ messages, live }: SessionState,
): Pick<UiState, 'raw' | 'replay'> {
	const session = uuid(1)
	const message = messages.find(({ kind }) => kind === 'tool_use')
	const row: StoredRow = {
		session_id: text,
		seq: 1,
		epoch: 1,
		nonce: text,
		ciphertext: text,
		signature: text,
		created_at: text,
		input_tokens: 1,
		output_tokens: 1,
		cache_read_tokens: 1,
		cache_write_tokens: 1,
		cost_usd: 1,
	}
	return {
		raw: message ? { session, message, rows: [row] } : null,
		replay: {
			session,
			messages,
			hasOlder: false,
			live,
			seq: 60,
			through: 70,
			at: at(9),
			speed: 4,
			playing: true,
			ended: false,
			loading: false,
			pause: { ms: 9000, until: 'answer' },
			problem: null,
		},
	}
}
