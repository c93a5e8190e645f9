/** Aider with the whole program, as a person runs it. The stand-in for it runs. */
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { aiderPlace, editBlock, shellBlock } from '../../tools/aider.ts'
import { Lab, until } from '../../tools/lab.ts'

const rules = [
	{ match: /LATE/, turns: [[{ text: shellBlock('touch late') }]] },
	{ match: /EDIT/, turns: [[{ text: editBlock('a.txt', 'two\n', '2\n') }]] },
]

it('request expired: it is denied by the host, and nothing runs', async () => {
	await using place = await aiderPlace(rules)
	await using lab = await make(place, { requestTimeoutMinutes: 0.1 })
	const { code, stderr } = await lab.run(['run', 'aider', '--headless', 'LATE it', '--json'])
	expect([code, stderr]).toEqual([0, expect.anything()])
	const [session] = await lab.sessions()
	expect(session).toMatchObject({ agent: 'aider', status: 'stopped', pending: 0, title: 'LATE it' })
	const shown = await lab.show(session?.id ?? '')
	expect(shown).toContainEqual(
		expect.objectContaining({
			kind: 'permission_response',
			body: expect.objectContaining({ result: 'expired', by: 'host' }),
		}),
	)
	expect(existsSync(join(place.folder, 'late'))).toBe(false)
})

it('in its own interface: approved elsewhere; its history, imported, is that session', async () => {
	await using place = await aiderPlace(rules, { 'a.txt': 'one\ntwo\n' })
	await using lab = await make(place, {})
	await using terminal = lab.terminal(['run', 'aider'], { columns: 90, rows: 30 })
	await terminal.until(/^> $|^>$/m, 60_000)
	await terminal.type('EDIT it')
	await terminal.press('\r')
	await terminal.until('Allow edits to file')
	await until(
		async () => (await lab.requests()).length > 0,
		() => terminal.text(),
	)
	const [asked] = await lab.requests()
	const { code, stderr } = await lab.run(['approve', asked?.id ?? '', '--yes'])
	expect([code, stderr]).toEqual([0, expect.anything()])
	await terminal.until('Applied edit to a.txt')
	await terminal.settled()
	await terminal.type('/exit')
	await terminal.press('\r')
	expect(await terminal.exited).toBe(0)
	const sessions = await lab.sessions()
	expect(sessions).toMatchObject([{ agent: 'aider', status: 'stopped' }])
	const history = join(place.folder, '.aider.chat.history.md')
	expect((await lab.run(['import', history])).code).toBe(0)
	expect(await lab.sessions()).toHaveLength(1)
})

function make(place: Awaited<ReturnType<typeof aiderPlace>>, settings: Record<string, unknown>) {
	const PATH = `${place.env.PATH}${delimiter}${dirname(process.execPath)}`
	return Lab.make({}, settings, { cwd: place.folder, env: { ...place.env, PATH } })
}
