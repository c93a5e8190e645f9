import { describe, expect, test } from 'vitest'
import { safeText } from '../../source/text/safe-text.ts'
import { allowable } from '../../source/ui/keymap/answering.ts'
import { answers, commands, defaultKeymap, type KeyContext } from '../../source/ui/keymap/keymap.ts'
import { keyPress } from '../../source/ui/keys.ts'
import { emptyEdit } from '../../source/ui/line-edit.ts'
import type { Screen, ScreenName } from '../../source/ui/state.ts'
import type { RequestView } from '../../source/viewer/viewer.ts'
import { context, takesAll } from './_context.ts'
import { at, request, requestBody, uuid } from './_viewer.ts'

const commandFor = defaultKeymap.commandFor.bind(defaultKeymap)

const screens: Readonly<Record<ScreenName, Screen>> = {
	sessions: { name: 'sessions' },
	session: { name: 'session', session: uuid(1) },
	permissions: { name: 'permissions' },
	grants: { name: 'grants' },
	panic: { name: 'panic', step: 'ask', denied: 0, ended: 0 },
	request: { name: 'request', request: 'r' },
	reason: { name: 'reason', request: 'r', digest: null, edit: { characters: [], cursor: 0 } },
	get help(): Screen {
		return { name: 'help', of: 'sessions', line: 0, filter: '', context: context() }
	},
	filter: { name: 'filter', edit: emptyEdit },
	archive: { name: 'archive', sessions: [uuid(1)] },
	'help-filter': { name: 'help-filter', edit: emptyEdit },
	replay: { name: 'replay', session: uuid(1) },
	raw: { name: 'raw', session: uuid(1) },
	export: { name: 'export', session: uuid(1), edit: emptyEdit, problem: null },
	find: { name: 'find', session: uuid(1), edit: emptyEdit },
	devices: { name: 'devices' },
	device: { name: 'device', device: uuid(900) },
	history: { name: 'history' },
	access: { name: 'access' },
	cost: { name: 'cost' },
	'export-cost': { name: 'export-cost', edit: emptyEdit, problem: null },
	search: { name: 'search' },
	'search-line': { name: 'search-line', edit: emptyEdit },
	act: { name: 'act' },
	typing: { name: 'typing', what: { what: 'code' }, edit: emptyEdit, problem: null },
	prompt: { name: 'prompt', session: uuid(1), edit: emptyEdit },
	interrupt: { name: 'interrupt', session: uuid(1) },
	change: { name: 'change', request: 'r', digest: null, edit: emptyEdit },
	changed: {
		name: 'changed',
		request: 'r',
		digest: null,
		edited: emptyEdit,
		input: {},
		risk: { level: 'low', reasons: [] },
	},
	question: {
		name: 'question',
		request: 'r',
		digest: null,
		at: 0,
		highlighted: 0,
		picked: [],
	},
	'words-of-answer': {
		name: 'words-of-answer',
		asking: {
			name: 'question',
			request: 'r',
			digest: null,
			at: 0,
			highlighted: 0,
			picked: [],
		},
		edit: emptyEdit,
	},
	modes: { name: 'modes', session: uuid(1), selected: 'plan' },
	revoked: { name: 'revoked' },
	join: { name: 'join' },
	words: { name: 'words', edit: emptyEdit, problem: null, hidden: true },
}
const names = Object.keys(screens) as ScreenName[]

const on = (view: RequestView, unread = 0) =>
	context({ focus: { request: view, decision: null, unread } })

describe('the table of keys', () => {
	test('has a description for each command, and each id once', () => {
		const ids = commands.map(({ id }) => id)
		expect(new Set(ids).size).toBe(ids.length)
		for (const { description, keys, screens: where } of commands) {
			expect(description).toMatch(/^[A-Z].*\.$/)
			expect(keys.length).toBeGreaterThan(0)
			expect(where.length).toBeGreaterThan(0)
		}
	})

	test('no two commands want the same key at once, but one that gives way', () => {
		for (const name of names) {
			for (const focus of [null, { request: request('r'), decision: null, unread: 0 }]) {
				for (const selected of [true, false]) {
					const here = context({ screen: screens[name], focus, selected })
					const taken = new Map<string, string>()
					for (const command of commands) {
						if (!command.screens.includes(name) || command.enabled(here) === null) continue
						for (const key of command.keys) {
							expect(taken.get(key), `${key} on ${name}: ${command.id}`).toBeUndefined()
							taken.set(key, command.id)
						}
					}
				}
			}
		}
	})

	test.each(names)('from %s one can leave at once, go away for a while and draw again', (name) => {
		const here = context({ screen: screens[name] })
		expect(commandFor('ctrl-c', here)?.command.id).toBe('leave')
		expect(commandFor('ctrl-z', here)?.command.id).toBe('suspend')
		expect(commandFor('ctrl-l', here)?.command.id).toBe('redraw')
	})

	test('escape goes back and never leaves or answers; q leaves from the first screen only', () => {
		for (const name of names) {
			const found = commandFor('escape', context({ screen: screens[name] }))?.command.id
			expect(['back', 'cancel', 'list-all', 'leave-replay', undefined]).toContain(found)
			const q = commandFor('q', context({ screen: screens[name] }))?.command.id
			const typing = 'edit' in screens[name]
			const first = ['sessions', 'revoked', 'join'].includes(name)
			expect(q).toBe(
				first ? 'quit' : typing ? undefined : name === 'replay' ? 'leave-replay' : 'back',
			)
		}
	})

	test('arrows have letters that do the same', () => {
		for (const [arrow, letter] of [
			['up', 'k'],
			['down', 'j'],
			['left', 'h'],
		] as const) {
			const here = context()
			expect(commandFor(letter, here)?.command.id).toBe(commandFor(arrow, here)?.command.id)
		}
		const list = context({ screen: screens.sessions })
		expect(commandFor('l', list)?.command.id).toBe(commandFor('right', list)?.command.id)
	})

	test('space turns a page wherever it does nothing else', () => {
		const command = (change: Partial<KeyContext>) =>
			commandFor('space', context(change))?.command.id
		expect(command({ screen: screens.request })).toBe('page-on')
		expect(command({ screen: screens.help })).toBe('page-on')
		expect(command({ selected: false })).toBe('page-on')
		expect(command({ selected: true })).toBe('fold')
		expect(command({ screen: screens.prompt })).toBeUndefined()
	})

	test('only those that decide are guarded as answers', () => {
		expect([...answers].toSorted()).toEqual([
			'allow',
			'allow-changed',
			'allow-session',
			'answer',
			'approve-device',
			'change',
			'confirm-interrupt',
			'confirm-panic',
			'deny',
			'deny-with-reason',
			'send-answers',
			'send-prompt',
			'set-mode',
		])
	})
})

describe('what a request allows', () => {
	test('without one, no key answers', () => {
		for (const key of ['a', 'A', 'd', 'r']) expect(commandFor(key, context())).toBeNull()
	})

	test('one that waits and was read can be allowed and denied', () => {
		for (const key of ['a', 'A', 'd', 'r'])
			expect(commandFor(key, on(request('r')))?.enabled, key).toBe(true)
	})

	test('one that was not read can be denied, and says how much is missing', () => {
		expect(commandFor('a', on(request('r'), 7))?.enabled).toContain('7 lines')
		expect(commandFor('A', on(request('r'), 7))?.enabled).toContain('7 lines')
		expect(commandFor('d', on(request('r'), 7))?.enabled).toBe(true)
	})

	test.each([
		['could not be opened', { body: null }],
		['does not verify', { problem: 'The signature is wrong.' }],
		['has no digest', { digest: null }],
	])('one that %s can only be denied', (_, change) => {
		const here = on(request('r', change))
		expect(allowable(here)).toContain('could not be verified')
		expect(commandFor('a', here)?.enabled).toContain('only be denied')
		expect(commandFor('d', here)?.enabled).toBe(true)
		expect(commandFor('r', here)?.enabled).toBe(true)
	})

	test('a question is answered or denied, once it was read', () => {
		const questions = [{ question: 'Which?', header: null, multiple: false, options: [] }]
		const view = request('r', { body: requestBody('r', { questions }) })
		expect(commandFor('a', on(view))).toMatchObject({ command: { id: 'answer' }, enabled: true })
		expect(commandFor('a', on(view, 3))?.enabled).toContain('3 lines')
		expect(commandFor('d', on(view))?.enabled).toBe(true)
	})

	test('questions that can not be told apart are not answered from here', () => {
		const question = { question: 'Which?', header: null, multiple: false, options: [] }
		const body = requestBody('r', { questions: [question, question] })
		expect(commandFor('a', on(request('r', { body })))?.enabled).toContain('told apart')
	})

	test('without a rule there is nothing to allow for the session', () => {
		const here = on(request('r', { body: requestBody('r', { session_rules: [] }) }))
		expect(commandFor('A', here)).toBeNull()
		expect(commandFor('a', here)?.enabled).toBe(true)
	})

	test.each(['sent', 'stored', 'verified', 'applied'] as const)(
		'after an answer that is %s there is no second one',
		(stage) => {
			const decision = {
				request: 'r',
				choice: { decision: 'allow', scope: 'once' },
				stage,
				stages: [{ stage, at: at(0) }],
				winner: null,
				why: null,
			} as const
			const here = context({ focus: { request: request('r'), decision, unread: 0 } })
			for (const key of ['a', 'A', 'd', 'r'])
				expect(commandFor(key, here)?.enabled).toContain('on its way')
			for (const again of ['failed', 'refused'] as const) {
				const after = context({
					focus: { request: request('r'), decision: { ...decision, stage: again }, unread: 0 },
				})
				expect(commandFor('a', after)?.enabled).toBe(true)
			}
		},
	)

	test('one that is over can not be answered', () => {
		const here = on(request('r', { status: 'denied' }))
		expect(commandFor('a', here)?.enabled).toContain('answered already')
	})
})

describe('what can be sent to a session', () => {
	const keys = ['i', 'x', 'm'] as const
	const at = (change: Partial<NonNullable<KeyContext['route']>>) =>
		context({ route: { session: uuid(1), facts: takesAll, closed: null, busy: true, ...change } })

	test('one that takes it gets it', () => {
		for (const key of keys) expect(commandFor(key, at({}))?.enabled, key).toBe(true)
	})

	test('an agent that does nothing is not interrupted', () => {
		expect(commandFor('x', at({ busy: false }))?.enabled).toContain('nothing to interrupt')
		expect(commandFor('i', at({ busy: false }))?.enabled).toBe(true)
	})

	test('one that does not says where to do it instead', () => {
		const takes = { prompt: false, interrupt: false, modes: [] }
		const here = at({ facts: { ...takesAll, takes } })
		expect(commandFor('i', here)?.enabled).toContain('type there')
		expect(commandFor('x', here)?.enabled).toContain('interrupt it there')
		expect(commandFor('m', here)?.enabled).toContain('only where it runs')
	})

	test('one of which nothing is known, or that is over, says so', () => {
		const unknown = at({ facts: { takes: null, mode: null, asks: null } })
		const over = at({ closed: safeText`This session has ended: nothing is sent to it.` })
		for (const key of keys) {
			expect(commandFor(key, unknown)?.enabled, key).toContain('has not said')
			expect(commandFor(key, over)?.enabled, key).toContain('has ended')
		}
	})
})

describe('keys from the terminal', () => {
	const none = {
		upArrow: false,
		downArrow: false,
		leftArrow: false,
		rightArrow: false,
		pageDown: false,
		pageUp: false,
		home: false,
		end: false,
		return: false,
		escape: false,
		ctrl: false,
		shift: false,
		tab: false,
		backspace: false,
		delete: false,
		meta: false,
		super: false,
		hyper: false,
		capsLock: false,
		numLock: false,
	}

	test.each([
		['a', {}, ['a'], true],
		['A', { shift: true }, ['A'], true],
		[' ', {}, ['space'], true],
		['', { upArrow: true }, ['up'], true],
		['', { return: true }, ['enter'], true],
		['', { return: true, meta: true }, ['alt-enter'], true],
		['\n', {}, ['ctrl-j'], true],
		['z', { ctrl: true }, ['ctrl-z'], true],
		['', { tab: true, shift: true }, ['shift-tab'], true],
		['a', { meta: true }, [], true],
		['a', { eventType: 'release' }, [], true],
		['jja', {}, ['j', 'j', 'a'], false],
		['a\r', {}, ['a', 'enter'], false],
	] as const)('%j with %j is %j', (input, change, expected, alone) => {
		expect(keyPress(input, { ...none, ...change })).toEqual({ names: expected, alone })
	})
})
