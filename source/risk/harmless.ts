/** Programs that only read, and tests: what they are called with still has to pass the rules. */
import { git } from './call.ts'
import type { Call } from './shell.ts'
import { hasOption, operands } from './word.ts'

const readers: ReadonlySet<string> = new Set([
	...['ls', 'cat', 'head', 'tail', 'wc', 'grep', 'egrep', 'fgrep', 'rg', 'ag', 'ack', 'find', 'fd'],
	...[
		'fdfind',
		'tree',
		'stat',
		'file',
		'du',
		'df',
		'pwd',
		'echo',
		'printf',
		'date',
		'whoami',
		'id',
	],
	...[
		'uname',
		'which',
		'type',
		'whereis',
		'sort',
		'uniq',
		'cut',
		'tr',
		'awk',
		'gawk',
		'sed',
		'jq',
		'yq',
	],
	...['diff', 'cmp', 'comm', 'nl', 'tac', 'rev', 'less', 'more', 'basename', 'dirname', 'realpath'],
	...[
		'readlink',
		'seq',
		'test',
		'[',
		'[[',
		'true',
		'false',
		':',
		'sleep',
		'cd',
		'pushd',
		'popd',
		'dirs',
	],
	...['hostname', 'uptime', 'free', 'ps', 'top', 'pgrep', 'lsof', 'ss', 'netstat', 'nproc', 'arch'],
	...['md5sum', 'sha1sum', 'sha256sum', 'sha512sum', 'shasum', 'cksum', 'xxd', 'od', 'hexdump'],
	...['strings', 'column', 'fold', 'fmt', 'paste', 'join', 'expand', 'bat', 'batcat', 'exa', 'eza'],
	...[
		'tokei',
		'cloc',
		'scc',
		'man',
		'help',
		'history',
		'read',
		'exit',
		'return',
		'break',
		'continue',
	],
	...[
		'shift',
		'wait',
		'jobs',
		'set',
		'shopt',
		'local',
		'declare',
		'export',
		'unset',
		'let',
		'getopts',
	],
	...['xargs', 'env', 'time', 'nice', 'nohup', 'timeout', 'command', 'builtin', 'stdbuf', 'ionice'],
	...[
		'printenv',
		'locale',
		'tput',
		'clear',
		'tty',
		'groups',
		'getconf',
		'lscpu',
		'lsblk',
		'zcat',
		'zgrep',
	],
	...['base64', 'base32', 'iconv', 'mapfile', 'readarray', 'trap', 'ulimit'],
])

const testers: ReadonlySet<string> = new Set([
	...['pytest', 'jest', 'vitest', 'mocha', 'ava', 'rspec', 'phpunit', 'ctest', 'nose2', 'bats'],
	...['eslint', 'tsc', 'mypy', 'pyright', 'flake8', 'pylint', 'shellcheck', 'hadolint', 'yamllint'],
	...[
		'stylelint',
		'markdownlint',
		'actionlint',
		'golangci-lint',
		'clippy',
		'ruff',
		'biome',
		'prettier',
	],
	...['black', 'rubocop', 'gofmt', 'rustfmt', 'oxlint'],
])

const changing =
	/^--(?:fix|write|unsafe|apply|update|in-place|auto-?correct|init|build|add-noqa|regenerate|snapshot-update|basetemp)/

/** Programs that run what a project's own files name. */
export const scriptRunners: ReadonlySet<string> = new Set([
	'npm',
	'pnpm',
	'yarn',
	'bun',
	'make',
	'just',
	'task',
])
const testScripts =
	/^(?:test|tests|lint|check|typecheck|type-check|types|tsc|unit|spec|ci:test)(?::[\w:-]+)?$/

const gitReads =
	/^(?:status|log|diff|show|blame|grep|rev-parse|rev-list|ls-files|ls-tree|cat-file|describe|shortlog|whatchanged|name-rev|merge-base|for-each-ref|count-objects|cherry|var|version|help|diff-tree|show-ref|symbolic-ref|check-ignore)$/

/** Why a call does no more than read or test; `null` where that can't be said. */
export function harmless(call: Call): 'reads' | 'tests' | null {
	const { name, args } = call
	if (name === null) return null
	if (name === '') return 'reads'
	const [only] = args
	// A program by its path is the project's own, whatever it is called.
	if (call.program.includes('/') && !/^\/(?:usr\/(?:local\/)?)?s?bin\//.test(call.program))
		return null
	if (args.length === 1 && /^(?:--version|-V|--help)$/.test(only?.text ?? '')) return 'reads'
	if (readers.has(name)) return 'reads'
	if (name === 'git') return gitOnlyReads(call) ? 'reads' : null
	if (testers.has(name)) {
		const writes =
			hasOption(args, changing, name === 'black' || name === 'rustfmt' ? undefined : 'w') ||
			(/^(?:jest|vitest|ava|mocha)$/.test(name) && hasOption(args, null, 'u')) ||
			(name === 'rubocop' && (hasOption(args, null, 'a') || hasOption(args, null, 'A'))) ||
			(name === 'markdownlint' && hasOption(args, null, 'f')) ||
			(name === 'tsc' && !hasOption(args, /^--(?:noEmit$|showConfig|listFilesOnly)/)) ||
			(/^(?:black|rustfmt)$/.test(name) && !hasOption(args, /^--(?:check|diff)/)) ||
			(/^(?:ruff|biome)$/.test(name) &&
				/^format$/.test(only?.text ?? '') &&
				!hasOption(args, /^--check/))
		return writes ? null : 'tests'
	}
	return runsTests(call) ? 'tests' : null
}

function gitOnlyReads(call: Call): boolean {
	const verb = git(call)
	if (
		hasOption(call.args, /^--output/) ||
		hasOption(call.args, /^--(?:ext-diff|open-files-in-pager)/)
	) {
		return false
	}
	const rest = operands(call.args).filter(({ text }) => text !== verb)
	if (verb === 'symbolic-ref') return rest.length < 2 && !hasOption(call.args, /^--delete/, 'd')
	if (gitReads.test(verb)) return true
	if (verb === 'branch' || verb === 'tag') {
		return rest.length === 0 || hasOption(call.args, /^--(?:list|contains|merged)/, 'l')
	}
	if (verb === 'stash') return /^(?:list|show)$/.test(rest[0]?.text ?? '')
	if (verb === 'remote') return rest.length === 0 || /^(?:get-url|show)$/.test(rest[0]?.text ?? '')
	if (verb === 'config') return hasOption(call.args, /^--(?:get|list)/, 'l')
	return verb === 'worktree' && rest[0]?.text === 'list'
}

function runsTests({ name, args }: Call): boolean {
	const words = args.filter(({ text }) => !text.startsWith('-')).map(({ text }) => text)
	const [first = '', second = ''] = words
	if (name !== null && scriptRunners.has(name)) {
		// Elsewhere, or with another shell or other rules, a script is not the one of this project.
		const elsewhere =
			/^--(?:prefix|script-shell|cwd|dir|eval|file|makefile|directory|include-dir|justfile|working-directory|filter)\b|^-[CfIdE]/
		if (args.some(({ text }) => elsewhere.test(text))) return false
		if (name === 'make' || name === 'just' || name === 'task') {
			return words.length > 0 && words.every((word) => testScripts.test(word))
		}
		return testScripts.test(first === 'run' || first === 'run-script' ? second : first)
	}
	if (name === 'cargo') return /^(?:test|check|clippy|nextest|tree|metadata)$/.test(first)
	if (name === 'go') return /^(?:test|vet|list|version|env|doc)$/.test(first)
	// After the script they would be its own.
	if (name === 'node') return /^--(?:test|check)$|^-c$/.test(args[0]?.text ?? '')
	if (name === 'python' || name === 'python3')
		return args[0]?.text === '-m' && /^(?:pytest|unittest)$/.test(first)
	if (name === 'mvn' || name === 'gradle') return /^(?:test|verify|check)$/.test(first)
	return (
		(name === 'dotnet' || name === 'deno' || name === 'swift' || name === 'mix') && first === 'test'
	)
}
