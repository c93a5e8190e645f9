/**
 * A stand-in for Aider 0.86.1, which no registry at hand has: the prompts, the questions and their order, the
 * chat history, the figures and the behaviour of its keys, after its published source. The model behind it is
 * whatever answers at OPENAI_API_BASE; edits change real files, commands run.
 */
import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { EndOfInput, Interrupted } from './editor.ts'
import { ConfirmGroup, Io } from './io.ts'
import { ApiError, complete, type Message, type Sent } from './model.ts'

const version = '0.86.1'
const price = { input: 2.5e-6, output: 1e-5 }

const { values: flags, positionals } = parseArgs({
	allowPositionals: true,
	allowNegative: true,
	options: {
		version: { type: 'boolean', default: false },
		model: { type: 'string', default: process.env.AIDER_MODEL ?? 'gpt-4o' },
		message: { type: 'string', short: 'm' },
		pretty: { type: 'boolean', default: true },
		stream: { type: 'boolean', default: true },
		git: { type: 'boolean', default: true },
		'auto-commits': { type: 'boolean', default: true },
		'show-release-notes': { type: 'boolean' },
		'yes-always': { type: 'boolean', default: false },
		'restore-chat-history': { type: 'boolean', default: false },
		'chat-history-file': { type: 'string' },
		'analytics-log': { type: 'string' },
	},
})
if (flags.version) {
	console.log(`aider ${version}`)
	process.exit(0)
}

const { stdout } = process
const repository = flags.git && existsSync('.git')
const historyPath =
	flags['chat-history-file'] ?? process.env.AIDER_CHAT_HISTORY_FILE ?? '.aider.chat.history.md'
const before = existsSync(historyPath) ? readFileSync(historyPath, 'utf8') : ''
const io = new Io(flags.pretty && !process.env.NO_COLOR, flags['yes-always'], historyPath)
const analytics = flags['analytics-log'] ?? process.env.AIDER_ANALYTICS_LOG
const files = new Set(positionals)
const chat: Message[] = []
let mode = ''
let total = 0
let message = { cost: 0, sent: 0, received: 0 }
let lastInterrupt = 0

io.logged(`aider ${process.argv.slice(2).join(' ')}`)
io.tool(`Aider v${version}`)
io.tool(`Main model: ${flags.model} with diff edit format`)
io.tool(`Git repo: ${repository ? '.git with 1 files' : 'none'}`)
io.tool('Repo-map: disabled')
for (const file of files) io.tool(`Added ${file} to the chat.`)
if (flags['restore-chat-history']) restore()

/** Messages of earlier chats, as Aider reads them out of its own history. */
function restore(): void {
	for (const line of before.split('\n')) {
		if (line.startsWith('# ') || line.startsWith('> ')) continue
		const role = line.startsWith('#### ') ? 'user' : 'assistant'
		const text = role === 'user' ? line.slice(5) : line
		const last = chat.at(-1)
		if (last?.role === role) last.content += `${text}\n`
		else if (text.trim() !== '') chat.push({ role, content: `${text}\n` })
	}
}

async function main(): Promise<void> {
	for (;;) {
		try {
			const said = flags.message ?? (await io.input([...files].sort(), mode))
			if (flags.message !== undefined) io.user(said)
			if (said === '/exit' || said === '/quit') return
			await run(said)
			if (flags.message !== undefined) return
		} catch (error) {
			if (error instanceof EndOfInput) return
			if (!(error instanceof Interrupted)) throw error
			interrupted()
		}
	}
}

function interrupted(): void {
	if (Date.now() - lastInterrupt < 2000) {
		io.error('\n\n^C KeyboardInterrupt')
		process.exit(0)
	}
	io.error('\n\n^C again to exit')
	lastInterrupt = Date.now()
}

async function run(said: string): Promise<void> {
	if (said.trim() === '') return
	const [, command, rest = ''] = /^\/([a-z-]+) ?(.*)$/.exec(said) ?? []
	if (command === 'chat-mode') {
		mode = rest === 'code' ? '' : rest
		return
	}
	if (command === 'add') {
		files.add(rest)
		return io.tool(`Added ${rest} to the chat`)
	}
	if (command === 'run') {
		const output = await runCommand(rest)
		if (output !== '') await io.confirm('Add 0.0k tokens of command output to the chat?')
		return
	}
	for (const [url] of said.matchAll(/https?:\/\/\S+/g)) {
		await io.confirm('Add URL to the chat?', { subject: url, allowNever: true })
	}
	let next: string | null = said
	while (next !== null) next = await send(next)
}

/** One message to the model. Returns what it is to be told next, if anything. */
async function send(text: string): Promise<string | null> {
	chat.push({ role: 'user', content: text })
	const { reply, sent, stopped } = await ask()
	if (reply !== '') io.model(reply)
	stdout.write('\n')
	if (sent !== null) report(sent)
	if (reply !== '') chat.push({ role: 'assistant', content: reply })
	if (stopped || reply === '') return null
	const mentioned = await mentions(reply)
	if (mentioned !== null) return mentioned
	const edited: string[] = []
	for (const { path, search, replace } of mode === 'ask' ? [] : edits(reply)) {
		if (!edited.includes(path) && !(await mayEdit(path))) continue
		const now = existsSync(path) ? readFileSync(path, 'utf8') : ''
		if (!now.includes(search)) {
			io.error(`The LLM did not conform to the edit format.`)
			continue
		}
		writeFileSync(path, search === '' ? now + replace : now.replace(search, () => replace))
		if (!edited.includes(path)) edited.push(path)
	}
	for (const path of edited) io.tool(`Applied edit to ${path}`)
	if (edited.length > 0) commit(edited)
	await suggested(reply)
	return null
}

async function ask(): Promise<{ reply: string; sent: Sent | null; stopped: boolean }> {
	const abort = new AbortController()
	const onInterrupt = () => abort.abort()
	process.on('SIGINT', onInterrupt)
	const system: Message = { role: 'system', content: 'Act as an expert software developer.' }
	let reply = ''
	try {
		for (let delay = 0.125; ; ) {
			try {
				reply = ''
				const sent = await complete([system, ...chat], flags.model, abort.signal, (piece) => {
					reply += piece
					if (flags.stream) show(piece)
				})
				if (!flags.stream) show(reply)
				show(null)
				return { reply, sent, stopped: false }
			} catch (error) {
				if (abort.signal.aborted) {
					show(null)
					interrupted()
					return { reply, sent: null, stopped: true }
				}
				if (!(error instanceof ApiError)) throw error
				io.error(error.message)
				delay *= 2
				if (!error.retry || delay > 60) return { reply: '', sent: null, stopped: false }
				io.tool(`Retrying in ${delay.toFixed(1)} seconds...`)
				await new Promise((done) => setTimeout(done, delay * 1000))
			}
		}
	} finally {
		process.off('SIGINT', onInterrupt)
	}
}

let line = ''
/** Text of the model: as it comes, or (pretty) formatted, its last line drawn anew with each piece. */
function show(piece: string | null): void {
	if (!io.pretty) {
		stdout.write(piece ?? '\n')
		return
	}
	const lines = (line + (piece ?? '\n')).split('\n')
	line = lines.pop() ?? ''
	stdout.write('\r\u001B[K')
	for (const one of lines) stdout.write(`${formatted(one)}\n`)
	stdout.write(formatted(line))
}

function formatted(text: string): string {
	if (text.startsWith('```')) return ' '.repeat(stdout.columns)
	const bold = text.replace(/\*\*(.+?)\*\*/g, '\u001B[1m$1\u001B[22m')
	return `\u001B[34m${bold.replace(/^> /, '▌ ')}\u001B[0m`
}

function report({ prompt, cached, completion }: Sent): void {
	const cost = prompt * price.input + completion * price.output
	total += cost
	message = {
		cost: message.cost + cost,
		sent: message.sent + prompt,
		received: message.received + completion,
	}
	const hit = cached > 0 ? `, ${tokens(cached)} cache hit` : ''
	io.tool(
		`Tokens: ${tokens(message.sent)} sent${hit}, ${tokens(message.received)} received.` +
			` Cost: $${money(message.cost)} message, $${money(total)} session.`,
	)
	if (analytics !== undefined && analytics !== '') {
		const properties = {
			main_model: flags.model,
			edit_format: 'diff',
			prompt_tokens: message.sent,
			completion_tokens: message.received,
			total_tokens: message.sent + message.received,
			cost: message.cost,
			total_cost: total,
		}
		const time = Math.floor(Date.now() / 1000)
		const entry = { event: 'message_send', properties, user_id: 'stand-in', time }
		appendFileSync(analytics, `${JSON.stringify(entry)}\n`)
	}
	message = { cost: 0, sent: 0, received: 0 }
}

function tokens(count: number): string {
	if (count < 1000) return `${count}`
	return count < 10_000 ? `${(count / 1000).toFixed(1)}k` : `${Math.round(count / 1000)}k`
}

function money(value: number): string {
	if (value === 0) return '0.00'
	if (value >= 0.01) return value.toFixed(2)
	return value.toFixed(Math.max(2, 2 - Math.trunc(Math.log10(value))))
}

/** Files that the reply names and that are not in the chat yet. */
async function mentions(reply: string): Promise<string | null> {
	const words = new Set(reply.split(/\s+/).map((word) => word.replace(/[,.!;:?]+$|["'`*_]/g, '')))
	const found = [...words].filter(
		(word) => /^[\w/-]+\.\w+$/.test(word) && existsSync(word) && !files.has(word),
	)
	// One that is edited right away is asked about then.
	const plain = found.filter((file) => !edits(reply).some(({ path }) => path === file))
	const group = new ConfirmGroup(plain.length)
	const added: string[] = []
	for (const file of plain.sort()) {
		if (await io.confirm('Add file to the chat?', { subject: file, group, allowNever: true })) {
			files.add(file)
			added.push(file)
		}
	}
	return added.length === 0 ? null : `I added these files to the chat: ${added.join(', ')}`
}

function edits(reply: string): { path: string; search: string; replace: string }[] {
	const form = /^(\S+)\n```\w*\n<{5,9} SEARCH\n([\s\S]*?)^={5,9}\n([\s\S]*?)^>{5,9} REPLACE\n```/gm
	return [...reply.matchAll(form)].map(([, path = '', search = '', replace = '']) => ({
		path,
		search,
		replace,
	}))
}

async function mayEdit(path: string): Promise<boolean> {
	if (files.has(path)) return true
	const full = resolve(path)
	if (existsSync(full)) {
		const asked = 'Allow edits to file that has not been added to the chat?'
		if (!(await io.confirm(asked, { subject: path }))) {
			io.tool(`Skipping edits to ${path}`)
			return false
		}
	} else {
		if (!(await io.confirm('Create new file?', { subject: path }))) {
			io.tool(`Skipping edits to ${path}`)
			return false
		}
		mkdirSync(dirname(full), { recursive: true })
		writeFileSync(full, '')
	}
	files.add(path)
	return true
}

function commit(edited: readonly string[]): void {
	if (!repository || !flags['auto-commits']) return
	const subject = `feat: change ${edited.join(', ')}`
	const git = (...args: string[]) => spawnSync('git', args, { encoding: 'utf8' }).stdout
	git('add', '--', ...edited)
	git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-m', subject)
	io.tool(`Commit ${git('rev-parse', '--short=7', 'HEAD').trim()} ${subject}`)
}

/** Commands that the reply suggests, each in a block of its own. */
async function suggested(reply: string): Promise<void> {
	const form = /^[ \t]*```(?:bash|sh)[^\n]*\n([\s\S]*?)(?:^[ \t]*```|$(?![\s\S]))/gm
	const blocks = [...reply.matchAll(form)].map(([, block = '']) => block.trim())
	const group = new ConfirmGroup(new Set(blocks).size)
	let shared = ''
	for (const block of new Set(blocks)) {
		const commands = block.split('\n')
		const count = commands.filter((one) => one.trim() !== '' && !one.startsWith('#')).length
		const asked = count === 1 ? 'Run shell command?' : 'Run shell commands?'
		const options = { subject: block, explicitYes: true, group, allowNever: true }
		if (!(await io.confirm(asked, options))) continue
		let gathered = ''
		for (const command of commands.map((one) => one.trim())) {
			if (command === '' || command.startsWith('#')) continue
			const output = await runCommand(command)
			if (output !== '') gathered += `Output from ${command}\n${output}\n`
		}
		if (gathered.trim() === '') continue
		if (await io.confirm('Add command output to the chat?', { allowNever: true })) {
			const lines = gathered.trim().split('\n').length
			io.tool(`Added ${lines} line${lines === 1 ? '' : 's'} of output to the chat.`)
			shared += gathered
		}
	}
	if (shared !== '') {
		chat.push({ role: 'user', content: shared }, { role: 'assistant', content: 'Ok' })
	}
}

async function runCommand(command: string): Promise<string> {
	io.tool()
	io.tool(`Running ${command}`)
	const child = spawn('/bin/sh', ['-c', command], { stdio: ['inherit', 'pipe', 'pipe'] })
	const ignore = () => {}
	process.on('SIGINT', ignore)
	let output = ''
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8').on('data', (text: string) => {
			output += text
			stdout.write(text)
		})
	}
	await new Promise((done) => child.once('close', done))
	process.off('SIGINT', ignore)
	return output
}

await main()
process.exit(0)
