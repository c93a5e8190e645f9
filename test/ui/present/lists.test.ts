import { describe, expect, test } from 'vitest'
import { type ArrangedFrom, arranged } from '../../../source/ui/arranged-sessions.ts'
import { requestRows } from '../../../source/ui/present/request-list.ts'
import { sessionRows } from '../../../source/ui/present/session-list.ts'
import { sessionState } from '../../../source/ui/present/session-state.ts'
import { textOf, widest } from '../_lines.ts'
import { at, now, request, requestBody, summary, uuid } from '../_viewer.ts'

const ended = { status: 'stopped', endedAt: at(100) }

describe('the list of sessions', () => {
	const sessions = [
		summary({ id: uuid(1), project: 'old', ...ended, lastActivityAt: at(7200), costUsd: 0 }),
		summary({
			id: uuid(2),
			project: 'new',
			...ended,
			title: 'Fix the login',
			lastActivityAt: at(3600),
		}),
		summary({ id: uuid(3), project: 'late', startedAt: at(60) }),
		summary({ id: uuid(4), project: 'early', startedAt: at(600), lastActivityAt: at(0) }),
		summary({ id: uuid(5), project: 'asks-second', pending: 1 }),
		summary({ id: uuid(6), project: 'asks-first', pending: 2 }),
		summary({ id: uuid(7), project: 'quiet', stale: true }),
		summary({ id: uuid(8), project: 'broken', status: 'error', endedAt: at(50) }),
	]
	const requests = [
		request('a', { session: uuid(6), createdAt: at(90) }),
		request('b', { session: uuid(5), createdAt: at(30) }),
	]

	const arrangedOf = (data: Pick<ArrangedFrom['data'], 'sessions' | 'requests'>, filter = '') =>
		arranged({ ui: { screens: [], filter }, data: { ...data, archived: new Set() }, now })
	const listed = (width: number, height: number, data = { sessions, requests }) => {
		const rows = sessionRows(arrangedOf(data), { width, height, now, more: false })
		return rows.slice(0, rows.total).map(({ line }) => line)
	}

	test('those that wait come first, the oldest request before; then live ones; then the others', () => {
		const { groups } = arrangedOf({ sessions, requests })
		const order = groups.flatMap(({ members }) => members.map(({ project }) => project))
		expect(order).toEqual([
			'asks-first',
			'asks-second',
			'late',
			'early',
			'old',
			'new',
			'quiet',
			'broken',
		])
	})

	test('one that the server has changed is marked, whatever else it is', () => {
		const problem = 'its name was changed on the server'
		for (const more of [{}, ended, { pending: 1 }, { stale: true }]) {
			const altered = summary({ id: uuid(9), project: 'odd', ...more, problem })
			expect(textOf(listed(78, 8, { sessions: [altered], requests: [] }))).toMatch(
				/✗ odd .* altered/,
			)
		}
	})

	test('each has its sign and word, and columns that stand under each other', () => {
		expect(textOf(listed(78, 24))).toMatchInlineSnapshot(`
			"waiting for you 2
			⚠ asks-first                                   waiting  claude    now   $0.42
			⚠ asks-second                                  waiting  claude    now   $0.42
			live 2
			● late                                         running  claude    now   $0.42
			● early                                        running  claude    now   $0.42
			earlier 4
			· old                                          ended    claude     2h
			· new          Fix the login                   ended    claude     1h   $0.42
			? quiet                                        silent   claude    now   $0.42
			✗ broken                                       failed   claude    now   $0.42"
		`)
	})

	test.each([30, 38, 45, 55, 78, 120])(
		'at %d columns no row is wider, and all end alike',
		(width) => {
			const rows = listed(width, 12)
			expect(widest(rows)).toBeLessThanOrEqual(width)
			for (const line of rows)
				if (!/^[a-z]/.test(textOf([line])))
					expect(textOf([line])).toMatch(/(now|\d[mh])( +\$\d\.\d\d)?$/)
		},
	)

	test('where a line has no room for the title, it has one of its own', () => {
		expect(textOf(listed(41, 20))).toMatchInlineSnapshot(`
			"waiting for you 2
			⚠ asks-first       claude    now   $0.42
			  /home/sam/api-server         build-box
			⚠ asks-second      claude    now   $0.42
			  /home/sam/api-server         build-box
			live 2
			● late             claude    now   $0.42
			  /home/sam/api-server         build-box
			● early            claude    now   $0.42
			  /home/sam/api-server         build-box
			earlier 4
			· old              claude     2h
			  /home/sam/api-server         build-box
			· new              claude     1h   $0.42
			  Fix the login                build-box
			? quiet            claude    now   $0.42
			  /home/sam/api-server         build-box
			✗ broken           claude    now   $0.42
			  /home/sam/api-server         build-box"
		`)
		expect(textOf(listed(38, 12))).toMatchInlineSnapshot(`
			"waiting for you 2
			⚠ asks-first            claude    now
			⚠ asks-second           claude    now
			live 2
			● late                  claude    now
			● early                 claude    now
			earlier 4
			· old                   claude     2h
			· new          Fix the login       1h
			? quiet                 claude    now
			✗ broken                claude    now"
		`)
	})

	test.each([
		[78, 24],
		[41, 20],
	])('at %d × %d any part of it is the same as in the whole', (width, height) => {
		const rows = sessionRows(arrangedOf({ sessions, requests }), { width, height, now, more: true })
		const all = rows.slice(0, rows.total)
		expect(all.length).toBe(rows.total)
		for (let from = 0; from < rows.total; from++) {
			for (let to = from; to <= rows.total + 2; to++) {
				expect(rows.slice(from, to)).toEqual(all.slice(from, to))
			}
		}
		for (const { id } of sessions) {
			expect(rows.rowOf(id)).toBe(all.findIndex((row) => row.id === id))
		}
		expect(rows.rowOf('another')).toBeNull()
	})

	test('no state is told by colour alone', () => {
		const told = sessions.map((session) => {
			const { sign, word } = sessionState(session)
			return `${sign} ${word}`
		})
		expect(new Set(told)).toEqual(
			new Set(['· ended', '● running', '⚠ waiting', '? silent', '✗ failed']),
		)
	})
})

describe('the inbox', () => {
	const decided = {
		by: 'device',
		device: 'x',
		name: 'laptop',
		result: 'approved',
		scope: 'once',
		reason: null,
		input: null,
		at: at(120),
		verified: true,
	} as const
	const requests = [
		request('a', {
			createdAt: at(90),
			body: requestBody('a', { input: { command: 'rm -rf dist\nls' } }),
		}),
		request('b', { project: null, body: null, risk: null }),
		request('c', { status: 'approved', decided }),
		request('d', { status: 'expired' }),
		request('e', { status: 'cancelled' }),
		request('f', { status: 'denied' }),
	]

	test('those that wait, with risk and time left; then what became of the others', () => {
		expect(
			textOf(requestRows(requests, new Map(), 78, now).map(({ line }) => line)),
		).toMatchInlineSnapshot(`
			"waiting for you 2
			⚠ api-server  $ rm -rf dist⏎ls                            medium    4:32 left
			⚠ claude  cannot be shown                            risk unknown   4:32 left
			answered 4
			✓ allowed api-server  $ npm install express-rate-limit                     2m
			✗ expired api-server  $ npm install express-rate-limit                    now
			· gone    api-server  $ npm install express-rate-limit                    now
			✗ denied  api-server  $ npm install express-rate-limit                    now"
		`)
	})

	test('with nothing in it says so', () => {
		expect(textOf(requestRows([], new Map(), 78, now).map(({ line }) => line))).toBe(
			'nothing waits for you',
		)
	})

	test('an answer on its way shows how far it is', () => {
		const decision = {
			request: 'a',
			choice: { decision: 'allow', scope: 'once' },
			stage: 'stored',
			stages: [
				{ stage: 'sent', at: at(1) },
				{ stage: 'stored', at: at(0) },
			],
			winner: null,
			why: null,
		} as const
		const rows = requestRows(requests.slice(0, 1), new Map([['a', decision]]), 90, now)
		expect(textOf(rows.map(({ line }) => line))).toContain(
			'… api-server  allow once: ✓ sent  ✓ stored  … verified  · applied',
		)
	})

	test.each([30, 37, 50, 78])('at %d columns no row is wider', (width) => {
		const rows = requestRows(requests, new Map(), width, now)
		expect(widest(rows.map(({ line }) => line))).toBeLessThanOrEqual(width)
	})
})
