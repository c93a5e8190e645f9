import { describe, expect, test } from 'vitest'
import { desktopBy, notificationWay } from '../../source/ui/notification.ts'
import { defaultNotifications, type Notifications, notifier } from '../../source/ui/notifier.ts'
import { passthroughFor } from '../../source/ui/passthrough.ts'

const xterm = { TERM: 'xterm-256color' }

function telling(more: Partial<Notifications> = {}, env: Record<string, string> = xterm) {
	const written: string[] = []
	const tell = notifier({
		...defaultNotifications,
		...more,
		env,
		write: (data) => written.push(data),
	})
	return { tell, taken: () => written.splice(0) }
}

describe('telling of requests', () => {
	test('the title counts; bell and notification come once for each that is new', () => {
		const { tell, taken } = telling({ osc: 'osc777' })
		tell.begin()
		tell.update(['a'], true)
		expect(taken().join('')).toBe('\u001B[22;2t\u001B]2;(1) styrby\u0007')
		tell.update(['a', 'b', 'c'], true)
		expect(taken()).toEqual([
			'\u001B]2;(3) styrby\u0007',
			'\u0007',
			'\u001B]777;notify;styrby;Agents ask for permission: 3 requests wait\u0007',
		])
		tell.update(['a'], true)
		tell.update(['a', 'b'], true)
		expect(taken().filter((data) => data.startsWith('\u0007') || data.includes('777'))).toEqual([])
		tell.update(['d'], true)
		expect(taken().join('')).toContain('styrby;An agent asks for permission\u0007')
		tell.end()
		expect(taken().at(-1)).toBe('\u001B[23;2t')
	})

	test('what waited before the backend was asked is no news', () => {
		const { tell, taken } = telling({ title: false })
		tell.update([], false)
		tell.update(['a'], false)
		tell.update(['a', 'b'], true)
		expect(taken()).toEqual([])
		tell.update(['a', 'b', 'c'], true)
		expect(taken()).toHaveLength(2)
	})

	test('each of the three can be switched off', () => {
		const { tell, taken } = telling({ title: false, bell: false, osc: false })
		tell.begin()
		tell.update([], true)
		tell.update(['a'], true)
		tell.end()
		expect(taken()).toEqual([])
	})

	test('kitty takes it away once nothing waits, and when the viewer is left', () => {
		const close = '\u001B]99;i=styrby:p=close;\u0007'
		const { tell, taken } = telling({ title: false }, { TERM: 'xterm-kitty' })
		tell.update([], true)
		tell.update(['a'], true)
		expect(taken()).toEqual(['\u0007', '\u001B]99;i=styrby;An agent asks for permission\u0007'])
		tell.update([], true)
		expect(taken()).toEqual([close])
		tell.update(['b'], true)
		taken()
		tell.end()
		expect(taken()).toEqual([close])
		tell.end()
		expect(taken()).toEqual([])
	})

	test('the console of a machine gets a bell and no sequence, which it would print', () => {
		const { tell, taken } = telling({}, { TERM: 'linux' })
		tell.begin()
		tell.update([], true)
		tell.update(['a'], true)
		tell.end()
		expect(taken()).toEqual(['\u0007'])
	})
})

describe('the way of a terminal', () => {
	test.each([
		[{ TERM: 'xterm-256color' }, 'osc9'],
		[{ TERM: 'xterm-ghostty' }, 'osc9'],
		[{ TERM: 'xterm-kitty' }, 'osc99'],
		[{ TERM: 'xterm-256color', KITTY_WINDOW_ID: '1' }, 'osc99'],
		[{ TERM: 'foot' }, 'osc777'],
		[{ TERM: 'foot-extra' }, 'osc777'],
		[{ TERM: 'rxvt-unicode-256color' }, 'osc777'],
		[{ TERM: 'xterm-256color', VTE_VERSION: '7600' }, 'osc777'],
		[{ TERM: 'tmux-256color', TMUX: '/tmp/x,1,0', KITTY_WINDOW_ID: '1' }, 'osc9'],
		[{ TERM: 'screen-256color' }, 'osc9'],
		[{ TERM: 'linux' }, null],
		[{ TERM: 'dumb' }, null],
		[{}, null],
	] as const)('%o: %s', (env, way) => {
		expect(notificationWay(env)).toBe(way)
	})

	test.each(['osc9', 'osc777', 'osc99'] as const)('%s goes through tmux whole', (way) => {
		const bare = desktopBy(way, xterm).notify('two wait')
		expect(bare.slice(1)).not.toContain('\u001B')
		const wrapped = desktopBy(way, { TERM: 'tmux-256color', TMUX: '/tmp/x,1,0' }).notify('two wait')
		expect(wrapped).toBe(`\u001BPtmux;\u001B${bare}\u001B\\`)
	})
})

describe('what a multiplexer hands on', () => {
	test('GNU screen gets long ones in pieces', () => {
		const sequence = `\u001B]52;c;${'A'.repeat(5000)}\u0007`
		const handed = passthroughFor({ TERM: 'screen', STY: '1.pts' })(sequence)
		const pieces = handed.split('\u001B\\').slice(0, -1)
		expect(pieces.length).toBeGreaterThan(5)
		for (const piece of pieces) expect(piece.length).toBeLessThan(768)
		expect(pieces.map((piece) => piece.slice('\u001BP'.length)).join('')).toBe(sequence)
	})

	test('a terminal of its own gets it as it is', () => {
		expect(passthroughFor(xterm)('\u001B]9;x\u0007')).toBe('\u001B]9;x\u0007')
	})
})
