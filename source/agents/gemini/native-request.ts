/** What Gemini CLI asks on its screen → what a person elsewhere is shown of it, and the keys that answer. */
import { isAbsolute, join } from 'node:path'
import type { AgentAnswer, AgentOutput } from '../agent.ts'
import { type Dialog, exactText, hunksIn, keyOf } from './dialog.ts'
import { sessionRules } from './request.ts'

type Ask = Extract<AgentOutput, { type: 'request' }>['ask']

const tools: ReadonlyMap<string, string> = new Map([
	['Shell', 'run_shell_command'],
	['Edit', 'replace'],
	['WriteFile', 'write_file'],
])

const once = ['Allow once']
const session = ['Allow for this session']
const no = ['No, suggest changes (esc)']

/** Whether it asks for a permission, and can be denied: other questions are answered on the screen alone. */
export function asksPermission(dialog: Dialog): boolean {
	return keyOf(dialog, ...once) !== null && keyOf(dialog, ...no) !== null
}

export function nativeAsk(dialog: Dialog, cwd: string): Ask {
	const tool = tools.get(dialog.label) ?? dialog.label
	const command = tool === 'run_shell_command' ? exactText(dialog) : null
	const edit = tool === 'replace' || tool === 'write_file'
	const path = edit ? pathIn(dialog, cwd) : null
	const hunks = edit ? hunksIn(dialog) : null
	const input = {
		...(command === null ? {} : { command }),
		...(path === null ? {} : { file_path: path, title: dialog.title }),
		// As it stands on the screen, where more can't be said of it.
		...(command === null && (path === null || hunks === null)
			? { shown: dialog.body.join('\n') }
			: {}),
	}
	const offered = keyOf(dialog, ...session) === null ? null : 'session'
	return {
		tool,
		tool_use: null,
		input,
		description: dialog.title === '' ? null : dialog.title,
		cwd,
		reason: usual(dialog) ? null : dialog.question,
		changes: path === null || hunks === null ? [] : [{ path, hunks }],
		session_rules: edit || command !== null ? sessionRules({ tool, session: offered }, input) : [],
		questions: null,
	}
}

/** The key that gives an answer; `null` for one that can't be given here. */
export function keyFor(dialog: Dialog, ask: Ask, answer: AgentAnswer): string | null {
	if (answer.decision === 'deny') return '\u001B'
	if (dialog.cut || answer.input !== undefined) return null
	const forSession = answer.scope === 'session' && ask.session_rules.length > 0
	return keyOf(dialog, ...(forSession ? session : once))
}

/** The file, by the title of an edit: as it is seen from the project, and shortened when it is long. */
function pathIn({ label, title }: Dialog, cwd: string): string | null {
	const named =
		label === 'WriteFile'
			? /^Writing to (.+)$/.exec(title)?.[1]
			: /^(.+?): .* => /s.exec(title)?.[1]
	if (named === undefined || named.includes('...')) return null
	return isAbsolute(named) ? named : join(cwd, named)
}

function usual({ question }: Dialog): boolean {
	return /^(?:Allow execution of \[[^\n]*\]\?|Apply this change\?)$/.test(question)
}
