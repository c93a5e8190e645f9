/** One real headless run of the agent, recorded line by line. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { proposedChanges } from '../../source/agents/claude/changes.ts'

const flags = [
	'-p',
	'--output-format',
	'stream-json',
	'--input-format',
	'stream-json',
	'--verbose',
	'--include-partial-messages',
	'--replay-user-messages',
	'--permission-prompt-tool',
	'stdio',
	'--permission-mode',
	'manual',
]

/** What the person's answer is on the wire; "for this session" sends the shown rule and nothing else. */
function responseTo(request, answer) {
	if (answer.decision === 'deny') return { behavior: 'deny', message: answer.reason }
	const allow = { behavior: 'allow', updatedInput: request.input }
	if (answer.scope !== 'session') return allow
	const rules = request.permission_suggestions
		.filter((suggestion) => suggestion.type === 'addRules')
		.map((suggestion) => ({ ...suggestion, destination: 'session' }))
	return { ...allow, updatedPermissions: rules }
}

/**
 * @param answers in the order of the requests; running out of them is an error
 * @returns lines `{t, dir, line}`, `t` in ms since the start
 */
export async function record({
	claude,
	workspace,
	modelUrl,
	prompt,
	answers,
	timeoutMs = 180_000,
}) {
	const started = performance.now()
	const lines = []
	const note = (dir, line) => lines.push({ t: Math.round(performance.now() - started), dir, line })
	const child = spawn(claude, flags, {
		cwd: workspace.cwd,
		env: {
			...workspace.env,
			ANTHROPIC_BASE_URL: modelUrl,
			ANTHROPIC_API_KEY: 'scripted',
			CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
			CLAUDE_CODE_MAX_RETRIES: '3',
			DISABLE_AUTOUPDATER: '1',
			DISABLE_TELEMETRY: '1',
			DISABLE_ERROR_REPORTING: '1',
		},
		stdio: ['pipe', 'pipe', 'pipe'],
	})
	const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
	const send = (line) => {
		note('in', line)
		child.stdin.write(`${JSON.stringify(line)}\n`)
	}
	note('spawn', { args: flags })
	createInterface({ input: child.stderr }).on('line', (line) => note('stderr', line))
	send({ type: 'user', uuid: randomUUID(), message: { role: 'user', content: prompt } })
	const left = [...answers]
	for await (const raw of createInterface({ input: child.stdout })) {
		const line = JSON.parse(raw)
		note('out', line)
		if (line.type === 'control_request') {
			// What a host would read of the file before the edit, which is gone when the recording plays.
			const { tool_name, input } = line.request
			const changes = await proposedChanges(tool_name, input, workspace.cwd)
			if (changes.length > 0) lines.at(-1).changes = changes
			const answer = left.shift()
			if (!answer) {
				child.kill('SIGKILL')
				throw new Error(`no answer left for ${JSON.stringify(line.request.input)}`)
			}
			await sleep(150)
			send({
				type: 'control_response',
				response: {
					subtype: 'success',
					request_id: line.request_id,
					response: responseTo(line.request, answer),
				},
			})
		}
		if (line.type === 'result') child.stdin.end()
	}
	const [code, signal] =
		child.exitCode === null && child.signalCode === null
			? await once(child, 'exit')
			: [child.exitCode, child.signalCode]
	clearTimeout(timer)
	note('exit', { code, sig: signal })
	if (left.length > 0) throw new Error(`${left.length} answers were never asked for`)
	return lines
}
