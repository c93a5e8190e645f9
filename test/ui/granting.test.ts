/** What is allowed for sessions, seen and taken back; and everything stopped at once. */
import { describe, expect, test } from 'vitest'
import type { SessionGrant } from '../../source/viewer/viewer.ts'
import { keys } from './_screen.ts'
import { first, type Stage, second, twoWaiting } from './_stage.ts'
import { at, uuid } from './_viewer.ts'

const grant = (change: Partial<SessionGrant> = {}): SessionGrant => ({
	id: uuid(41),
	session: uuid(1),
	agent: 'claude',
	project: 'api-server',
	request: uuid(31),
	tool: 'Bash',
	rules: [{ tool: 'Bash', rule: 'npm install:*' }],
	device: { id: uuid(902), name: 'phone' },
	at: at(300),
	uses: 3,
	usedAt: at(60),
	keeper: 'host',
	verified: true,
	...change,
})

function granted(...grants: SessionGrant[]): Stage {
	const stage = twoWaiting()
	stage.viewer.grants.set({ grants, looking: false })
	return stage
}

const agents = grant({
	id: uuid(42),
	session: uuid(2),
	project: 'web',
	rules: [{ tool: 'WebFetch', rule: 'domain:example.org' }],
	keeper: 'agent',
	uses: 0,
	usedAt: null,
	verified: false,
})

describe.each([
	[80, 24],
	[120, 40],
	[40, 15],
])('at %d×%d', (columns, rows) => {
	test.concurrent('a rule is shown with who gave it and its uses, and taken back', async () => {
		await using stage = granted(grant(), agents)
		const screen = await stage.open({ columns, rows })
		await screen.press('p', 't')
		const text = await screen.until('Bash(npm install:*)')
		expect(text).toContain('used 3 times')
		expect(text).toContain('the agent keeps it')
		expect(stage.viewer.looks).toBe(1)
		if (rows > 15) {
			expect(text).toContain('given by  phone ✓ signature checked')
			expect(text).toContain('until     the session ends')
		}
		await screen.press('x')
		const what = { kind: 'take_back', grant: uuid(41) }
		expect(stage.viewer.sendings).toEqual([{ session: uuid(1), what }])
		// Once is enough.
		await screen.press('x')
		expect(stage.viewer.sendings).toHaveLength(1)
		await screen.until('being taken back')
		stage.viewer.reachSent(uuid(1), 'obeyed')
		stage.viewer.grants.set({ grants: [agents], looking: false })
		await screen.until((now) => !now.includes('npm install'))
		await screen.press('x')
		await screen.until('keeps this rule itself')
		expect(stage.viewer.sendings).toHaveLength(1)
		if (rows > 15) expect(screen.text()).toContain('NOT signed by it')
		await screen.press(keys.escape)
		await screen.until('permission requests')
	})
})

test.concurrent('that nothing is allowed is said, and that it is not known yet', async () => {
	await using stage = granted()
	stage.viewer.grants.set({ grants: [], looking: true })
	const screen = await stage.open()
	await screen.press('p', 't')
	await screen.until('reading what hosts allow')
	stage.viewer.grants.set({ grants: [], looking: false })
	await screen.until('nothing is allowed for a session')
	await screen.press('x')
	expect(stage.viewer.sendings).toEqual([])
})

describe('stop all', () => {
	test.concurrent('denies what waits, takes back what hosts keep, and leads to the devices', async () => {
		await using stage = granted(grant(), grant({ id: uuid(43) }), agents)
		const screen = await stage.open()
		await screen.look()
		await screen.press('!')
		const text = (await screen.until('Stop all')).replaceAll(/\s+/g, ' ')
		expect(text).toContain('deny the 2 requests that wait, and take back the 2 rules')
		expect(text).toContain('1 that agents keep stay in force')
		expect(stage.answers()).toEqual([])
		await screen.press(keys.enter)
		await screen.until('On its way: 2 denied')
		expect(stage.answers()).toEqual(
			[first, second].map((id) => ({
				id,
				decision: 'deny',
				scope: 'once',
				reason: 'Everything was denied at once.',
			})),
		)
		const what = { kind: 'take_back', grant: null }
		expect(stage.viewer.sendings).toEqual([{ session: uuid(1), what }])
		await screen.press(keys.enter)
		await screen.until('devices: who can read')
		await screen.press(keys.escape)
		await screen.until('deny: ✓ sent')
	})

	test.concurrent('denies what has come while it was asked, and what does not verify', async () => {
		await using stage = granted()
		const screen = await stage.open()
		await screen.press('p', '!')
		await screen.until('Stop all')
		stage.change(first, { problem: 'it does not verify', body: null, digest: null })
		await screen.settled()
		await screen.press(keys.enter)
		expect(stage.answers().map(({ id }) => id)).toEqual([first, second])
	})

	test.concurrent('tells all hosts where it is not known yet what they allow', async () => {
		await using stage = granted()
		stage.viewer.grants.set({ grants: [], looking: true })
		const screen = await stage.open()
		await screen.press('!')
		await screen.until(/all that is allowed for\s+2 sessions/)
		await screen.press(keys.enter)
		expect(stage.viewer.sendings.map(({ session }) => session)).toEqual([uuid(1), uuid(2)])
	})

	test.concurrent('does nothing without a second key, which comes alone', async () => {
		await using stage = granted(grant())
		const screen = await stage.open()
		await screen.press('!\r', '\u001B[200~!\r\u001B[201~')
		await screen.settled()
		await screen.press('\r\r')
		expect(stage.answers()).toEqual([])
		await screen.press(keys.escape)
		expect(await screen.settled()).not.toContain('Stop all')
		expect(stage.answers()).toEqual([])
		expect(stage.viewer.sendings).toEqual([])
	})
})
