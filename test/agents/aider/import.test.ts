import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ImportedLine, ImportedSession } from '../../../source/agents/agent.ts'
import { isAiderHistory, readHistory } from '../../../source/agents/aider/import.ts'

let folder = ''
let file = ''
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	file = join(folder, '.aider.chat.history.md')
})
afterEach(() => rm(folder, { recursive: true }))

async function all(path: string) {
	const sessions: (Omit<ImportedSession, 'events'> & { lines: ImportedLine[] })[] = []
	for await (const { events, ...session } of readHistory(path)) {
		const lines: ImportedLine[] = []
		for await (const line of events) lines.push(line)
		sessions.push({ ...session, lines })
	}
	return sessions
}

const events = (lines: readonly ImportedLine[] = []) =>
	lines.flatMap((line) => (line.type === 'event' ? [line.event] : []))

const history = `
# aider chat started at 2026-08-24 10:00:00

> aider --model gpt-4o a.txt  
> Aider v0.86.1  
> Main model: gpt-4o with diff edit format  
> Added a.txt to the chat.  

#### change it  
####   
#### please  

I change it.

> **Note**: a quote of mine

#### A heading of mine

a.txt
\`\`\`text
<<<<<<< SEARCH
two
=======
2
>>>>>>> REPLACE
\`\`\`

\`\`\`bash
echo hi
\`\`\`

> Tokens: 2.4k sent, 1.1k cache write, 800 cache hit, 156 received. Cost: $0.0058 message, $0.021 session.  
> Applied edit to a.txt  
> Commit a1b2c3d feat: change it  
> echo hi  
> Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: y  
> Running echo hi  
> Add command output to the chat? (Y)es/(N)o/(D)on't ask again [Yes]: n  

# aider chat started at 2026-08-24 11:00:00

> Aider v0.86.1  

# aider chat started at 2026-08-24 14:30:00

#### hello  

> litellm.AuthenticationError: AuthenticationError: no key  
`

it('each chat in which something was said is one session', async () => {
	await writeFile(file, history)
	expect(await isAiderHistory(file)).toBe(true)
	const [one, two, ...more] = await all(file)
	expect(more).toEqual([])
	expect(one).toMatchObject({
		agent: 'aider',
		cwd: folder,
		file,
		startedAt: new Date('2026-08-24T10:00:00').toISOString(),
	})
	expect(events(one?.lines)).toMatchObject([
		{ kind: 'system', body: { type: 'aider' } },
		{ kind: 'user_prompt', body: { text: 'change it\n\nplease', source: 'agent' } },
		{ kind: 'agent_response', body: { model: 'gpt-4o' } },
		{
			kind: 'usage',
			body: {
				input: 2400,
				output: 156,
				cache_write: 1100,
				cache_read: 800,
				cost_usd: 0.0058,
				cost_source: 'agent',
			},
		},
		{
			kind: 'tool_use',
			body: {
				name: 'edit',
				input: { path: 'a.txt', edits: [{ search: 'two\n', replace: '2\n' }] },
			},
		},
		{
			kind: 'tool_result',
			body: {
				changes: [
					{ path: join(folder, 'a.txt'), hunks: [{ old_start: 0, lines: ['-two', '+2'] }] },
				],
			},
		},
		{ kind: 'system', body: { text: 'Commit a1b2c3d feat: change it' } },
		{ kind: 'tool_use', body: { name: 'shell', input: { command: 'echo hi' } } },
		{ kind: 'tool_result', body: { text: '', exit_code: null } },
	])
	const reply = events(one?.lines).find(({ kind }) => kind === 'agent_response')?.body
	expect(reply).toMatchObject({ text: expect.stringContaining('#### A heading of mine') })
	expect(reply).toMatchObject({ text: expect.stringContaining('> **Note**: a quote of mine') })
	expect(events(two?.lines).map(({ kind }) => kind)).toEqual(['user_prompt', 'error'])
})

it('what is read again has the same names, wherever the file is, and more comes after it', async () => {
	await writeFile(file, history)
	const before = await all(file)
	await mkdir(join(folder, 'elsewhere'))
	const copy = join(folder, 'elsewhere', 'old.aider.chat.history.md')
	await writeFile(copy, history)
	await appendFile(copy, '\n#### and more  \n')
	const after = await all(join(folder, 'elsewhere'))
	expect(after.map(({ session }) => session)).toEqual(before.map(({ session }) => session))
	const names = (lines?: ImportedLine[]) => lines?.map((line) => 'source' in line && line.source)
	expect(names(after[0]?.lines)).toEqual(names(before[0]?.lines))
	expect(after[1]?.lines.slice(0, -1)).toEqual(before[1]?.lines)
	expect(events(after[1]?.lines).at(-1)?.body).toMatchObject({ text: 'and more' })
})

it('garbage and endless lines are reported, and the rest is read', async () => {
	const endless = 'x'.repeat(33 * 1024 * 1024)
	await writeFile(file, `\u0000\u00FF\n${history}\n${endless}\n\n#### more  \n`)
	const sessions = await all(file)
	expect(sessions).toHaveLength(2)
	expect(sessions[1]?.lines.filter(({ type }) => type === 'problem')).toMatchObject([
		{ problem: 'longer than 32 MiB, left out' },
	])
	expect(events(sessions[1]?.lines).at(-1)?.body).toMatchObject({ text: 'more' })
})

it('other files are refused', async () => {
	const other = join(folder, 'notes.md')
	await writeFile(other, '# aider chat started at noon\n')
	expect(await isAiderHistory(other)).toBe(false)
	await expect(all(other)).rejects.toMatchObject({ code: 'import_not_recognised' })
	await expect(all(join(folder, 'none'))).rejects.toMatchObject({ code: 'import_unreadable' })
	expect(await all(folder)).toEqual([])
})
