/** What runs code that can not be read here. */

import { downloaders, feeds, git, given, interpreters, is, readsScript, written } from './call.ts'
import { harmless, scriptRunners } from './harmless.ts'
import type { Rule } from './rule.ts'
import { installs } from './rules-network.ts'
import { hasOption, operands, type Word } from './word.ts'
import { shells } from './wrappers.ts'

const powerfulVariables =
	/^(?:LD_|DYLD_|PATH$|BASH_ENV$|ENV$|PROMPT_COMMAND$|IFS$|SHELLOPTS$|NODE_OPTIONS$|NODE_PATH$|PYTHON(?:PATH|STARTUP|HOME)$|PERL5?(?:LIB|OPT)$|RUBY(?:LIB|OPT)$|JAVA_TOOL_OPTIONS$|GIT_(?:SSH|SSH_COMMAND|EDITOR|PAGER|EXTERNAL_DIFF|PROXY_COMMAND|ASKPASS|CONFIG|EXEC_PATH|DIR)|(?:HTTPS?|ALL)_PROXY$|SSH_(?:ASKPASS|AUTH_SOCK)$|EDITOR$|VISUAL$|PAGER$|RUSTC_WRAPPER$|npm_config_)/i

const gitCode =
	/^(?:core\.(?:sshcommand|pager|editor|hookspath|fsmonitor|askpass|gitproxy)|alias\.|credential\.|gpg\.|diff\..*|filter\.|merge\..*driver|pager\.|sequence\.editor|url\.|http\.proxy|include\.|protocol\.|remote\..*(?:vcs|pack))/i

/** Settings for one call, as `name=value`. */
function gitSettings(args: readonly Word[]): Word[] {
	return args.flatMap((word, at) => {
		const attached = word.text.match(/^--config-env=(.*)$/s)?.[1]
		if (attached !== undefined) return [{ ...word, text: attached }]
		return /^(?:-c|--config-env)$/.test(args[at - 1]?.text ?? '') ? [word] : []
	})
}

/** A substitution in what is fed to an interpreter. */
const downloadInText = new RegExp(`(?:\\$\\(|\`|<\\()\\s*(?:${[...downloaders].join('|')})\\b`)

const isDownload = (feed: string) => downloaders.has(feed.trim().split(/\s/)[0] ?? '')

export const codeRules: readonly Rule[] = [
	{
		id: 'unknown-program',
		level: 'high',
		check: (call) => given(call.name === null, 'runs a program that is only known when it runs'),
	},
	{
		id: 'download-to-interpreter',
		level: 'high',
		check: (call) =>
			given(
				readsScript(call) && (feeds(call).some(isDownload) || downloadInText.test(call.text ?? '')),
				'runs what it downloads',
			),
	},
	{
		id: 'pipe-to-interpreter',
		level: 'high',
		check: (call) =>
			given(
				readsScript(call) && feeds(call).length > 0 && !feeds(call).some(isDownload),
				'runs what another command puts out',
			),
	},
	{
		id: 'environment-changed',
		level: 'high',
		check(call) {
			const set = [
				...call.environment.map(([name]) => name),
				...(is(call, 'export', 'declare', 'typeset', 'readonly', 'local', 'env', 'sudo')
					? call.args.map(({ text }) => text.match(/^(\w+)=/)?.[1] ?? '')
					: []),
				...(is(call, 'read', 'printf', 'unset', 'mapfile', 'readarray', 'getopts', 'let')
					? call.args.map(({ text }) => text.match(/^\w+/)?.[0] ?? '')
					: []),
			]
			const name = set.find((each) => powerfulVariables.test(each))
			return name === undefined ? null : `changes how programs are found or started: ${name}`
		},
	},
	{
		id: 'git-code',
		level: 'high',
		check(call) {
			if (call.name !== 'git') return null
			const settings = gitSettings(call.args)
			if (call.args.some(({ text }) => /^--exec-path=/.test(text))) {
				return 'lets git run something else: --exec-path'
			}
			const config = git(call) === 'config' ? operands(call.args).slice(1) : []
			const code = [...settings, ...config].find(({ text }) => gitCode.test(text))
			const outside = git(call) === 'config' && hasOption(call.args, /^--(?:global|system)$/)
			if (code) return `lets git run something else: ${code.text}`
			return given(
				outside && operands(call.args).length > 2,
				'changes the settings of git outside of the project',
			)
		},
	},
	{
		id: 'inline-code',
		level: 'medium',
		check(call) {
			if (call.name === null || !interpreters.has(call.name) || shells.has(call.name)) return null
			const inline = call.args.some(({ text }) =>
				/^-(?:c|e|r|p|pe|ne|i\S*|E)$|^--(?:eval|print)$/.test(text),
			)
			return given(inline || call.text !== null, 'runs code that is not looked at here')
		},
	},
	{
		id: 'tools-with-code',
		level: 'medium',
		check: (call) =>
			given(
				(is(call, 'awk', 'gawk', 'mawk', 'nawk') &&
					/\bsystem\s*\(|\|\s*(?:getline|")|"\s*\||>\s*["$]|getline/.test(written(call))) ||
					(is(call, 'sed', 'gsed') &&
						/(?:^|[;{\d$/ ])[wWe](?:\s|$)|[^\\]\/[gip\d]*[ew][gip\d]*(?:\s|$|;)/.test(
							written(call),
						)) ||
					(is(call, 'rg') && hasOption(call.args, /^--(?:pre|hostname-bin)(?:=|$)/)) ||
					(is(call, 'tar') &&
						/--(?:to-command|checkpoint-action|use-compress-program|rmt-command)|(?:^| )-I/.test(
							written(call),
						)) ||
					(is(call, 'awk', 'gawk', 'mawk', 'nawk', 'sed', 'gsed') &&
						hasOption(call.args, /^--(?:file|exec|include|load)/, 'f')) ||
					(is(call, 'less', 'more') && call.args.some(({ text }) => text.startsWith('+'))) ||
					(is(call, 'man') && hasOption(call.args, /^--(?:pager|html)/, 'P')) ||
					(is(call, 'mapfile', 'readarray') && hasOption(call.args, null, 'C')) ||
					(is(call, 'sort') && hasOption(call.args, /^--compress-program/)) ||
					(git(call) === 'grep' && call.args.some(({ text }) => /^-[a-zA-Z]*O/.test(text))) ||
					is(call, 'vim', 'vi', 'nvim', 'emacs', 'ed', 'ex', 'gdb', 'lldb'),
				'runs code that is not looked at here',
			),
	},
	{
		id: 'script',
		level: 'medium',
		check(call) {
			if (call.name === null || harmless(call) !== null) return null
			if (scriptRunners.has(call.name)) {
				const words = operands(call.args).map(({ text }) => text)
				const name = words[0] === 'run' || words[0] === 'run-script' ? words[1] : words[0]
				return installs(call)
					? null
					: `runs a script of the project: ${[call.name, name].join(' ')}`
			}
			const script = operands(call.args)[0]
			if (interpreters.has(call.name) && script) return `runs a script: ${script.text}`
			return given(call.program.includes('/'), `runs a program of its own: ${call.program}`)
		},
	},
]
