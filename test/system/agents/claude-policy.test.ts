/** Rules of the host's own file, in a session of the real Claude Code. */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bash, Lab, until } from '../../tools/lab.ts'

const reason = 'Pushing is done by hand: say what to push.'
const rules = [
	{ answer: 'allow', command: 'touch allowed.txt' },
	{ answer: 'allow', path: 'src/**' },
	{ answer: 'deny', command: 'git push', reason },
]

let lab: Lab

beforeAll(async () => {
	lab = await Lab.make({
		rules: [
			{
				match: '^RULES',
				turns: [
					[bash('touch allowed.txt')],
					[{ tool: 'Write', input: { file_path: `\${cwd}/src/new.txt`, content: 'new\n' } }],
					[bash('touch allowed.txt && git push origin main')],
					[bash('touch allowed.txt && touch asked.txt')],
					[{ text: 'all done' }],
				],
			},
		],
	})
	await writeFile(join(lab.home.config, 'policy.jsonc'), JSON.stringify({ rules }, null, 1), {
		mode: 0o600,
	})
}, 300_000)

afterAll(async () => {
	await lab[Symbol.asyncDispose]()
})

it('what a rule allows is run, what one denies is not and why, and the rest is asked', async () => {
	const { host, id } = await lab.headless('RULES')
	// What a rule answers waits for a moment too.
	const waiting = async () =>
		(await lab.requests()).find((one) => JSON.stringify(one.input).includes('asked.txt'))
	await until(waiting, host)
	const asked = await waiting()
	if (!asked) throw new Error('It is not asked any more')
	expect(asked.input).toMatchObject({ command: 'touch allowed.txt && touch asked.txt' })
	expect(existsSync(join(lab.cwd, 'allowed.txt'))).toBe(true)
	expect(existsSync(join(lab.cwd, 'src/new.txt'))).toBe(true)
	expect(existsSync(join(lab.cwd, 'asked.txt'))).toBe(false)
	expect((await lab.session(id)).pending).toBe(1)
	const approved = await lab.run(['approve', asked.id, '--yes', '--json', '--wait', '30'])
	expect(approved.code).toBe(0)
	await until(() => host.result, host)
	expect(host.result?.code).toBe(0)
	expect(existsSync(join(lab.cwd, 'asked.txt'))).toBe(true)

	const messages = await lab.show(id)
	const bodies = (kind: string) =>
		messages.filter((message) => message.kind === kind).map(({ body }) => body)
	expect(messages.every(({ verified }) => verified)).toBe(true)
	expect(
		bodies('permission_response').map((body) => [body?.by, body?.result, body?.reason]),
	).toEqual([
		['policy', 'approved', 'allow command "touch allowed.txt" (line 3)'],
		['policy', 'approved', 'allow path "src/**" (line 7)'],
		['policy', 'denied', `deny command "git push" (line 11): ${reason}`],
		['device', 'approved', null],
	])
	const results = bodies('tool_result')
	expect(results.map((body) => body?.ok)).toEqual([true, true, false, true])
	expect(results[2]?.text).toContain(reason)
	// The model itself was told.
	expect(JSON.stringify(lab.api.requests.at(-1)?.body)).toContain(reason)
	expect(bodies('system').filter((body) => body?.type === 'policy')).toMatchObject([
		{ data: { state: 'in_force', rules: { allow: 2, ask: 0, deny: 1 } } },
	])
	const past = (await lab.requests(['--all'])).filter(({ session }) => session === id)
	expect(past.map(({ decided }) => decided?.by).toSorted()).toEqual([
		...['device', 'policy', 'policy', 'policy'],
	])
})
