/** What reaches other machines. */

import { downloaders, first, git, given, is, second, written } from './call.ts'
import type { Rule } from './rule.ts'
import type { Call } from './shell.ts'
import { hasOption, operands } from './word.ts'
import { optionValue } from './wrappers.ts'

const local = /^(?:\w+:\/\/)?(?:[^/@]*@)?(?:localhost|127(?:\.\d+){3}|\[::1\]|0\.0\.0\.0)(?:[:/]|$)/

function isLocal(call: Call): boolean {
	const hosts = operands(call.args).filter(({ text }) => /[.:/]|^localhost/.test(text))
	return hosts.length > 0 && hosts.every(({ text }) => local.test(text))
}

const packageManagers = [
	'npm',
	'pnpm',
	'yarn',
	'bun',
	'cargo',
	'gem',
	'poetry',
	'uv',
	'hatch',
	'flit',
	'mvn',
	'gradle',
	'dotnet',
	'helm',
	'vsce',
	'ovsx',
	'jsr',
	'deno',
	'wrangler',
	'vercel',
	'netlify',
	'firebase',
	'fly',
	'flyctl',
	'heroku',
	'railway',
	'twine',
	'goreleaser',
	'serverless',
	'sls',
	'cdk',
	'pulumi',
	'eb',
	'supabase',
]

const installers: Readonly<Record<string, RegExp>> = {
	npm: /^(?:i|install|ci|add|update|upgrade|uninstall|remove|rm|link|exec|create|init|audit|dedupe|rebuild)$/,
	pnpm: /^(?:i|install|add|update|up|upgrade|remove|rm|link|dlx|exec|create)$/,
	yarn: /^(?:install|add|up|upgrade|remove|link|dlx|create)$/,
	bun: /^(?:i|install|add|update|remove|link|x|create)$/,
	pip: /^(?:install|uninstall|download)$/,
	pip3: /^(?:install|uninstall|download)$/,
	pipx: /^(?:install|run|upgrade|uninstall|inject)$/,
	uv: /^(?:add|remove|sync|pip|tool|lock|venv|python)$/,
	poetry: /^(?:install|add|remove|update|lock)$/,
	cargo: /^(?:add|remove|install|update|fetch)$/,
	go: /^(?:get|install|mod)$/,
	gem: /^(?:install|update|uninstall)$/,
	bundle: /^(?:install|add|update|)$/,
	composer: /^(?:install|require|update|remove|create-project)$/,
	conda: /^(?:install|create|update|remove|env)$/,
	brew: /^(?:install|uninstall|upgrade|reinstall|tap|link)$/,
	dotnet: /^(?:add|restore|tool)$/,
	deno: /^(?:install|add|cache)$/,
	rustup: /^(?:update|install|toolchain|component|target|default)$/,
	nvm: /^(?:install|use)$/,
	mix: /^(?:deps\.get|deps\.update|archive\.install)$/,
	npx: /./,
	bunx: /./,
	uvx: /./,
}

/** Whether a call installs packages, or runs one that it fetches first. */
export function installs(call: Call): boolean {
	const python =
		is(call, 'python', 'python3') && /^-m (?:pip|ensurepip|venv) /.test(`${written(call)} `)
	const name = call.name ?? ''
	const installer = Object.hasOwn(installers, name) && installers[name]?.test(first(call)) === true
	return python || installer || (is(call, 'yarn') && call.args.length === 0)
}

export const networkRules: readonly Rule[] = [
	{
		id: 'git-push',
		level: 'high',
		check: (call) =>
			given(/^(?:push|send-email|send-pack)$/.test(git(call)), 'pushes to another machine'),
	},
	{
		id: 'publish',
		level: 'high',
		check(call) {
			const verb = operands(call.args)
				.slice(0, 3)
				.find(({ text }) =>
					/^(?:publish|unpublish|deprecate|upload|deploy|release|yank|dist-tag|owner|token|login|adduser|npm-publish)$/.test(
						text,
					),
				)
			return given(
				(is(call, ...packageManagers) && verb !== undefined && !is(call, 'bun', 'deno')) ||
					(is(call, 'bun', 'deno') && verb?.text === 'publish'),
				'publishes, or changes what is published',
			)
		},
	},
	{
		id: 'forge',
		level: 'high',
		check(call) {
			if (!is(call, 'gh', 'glab', 'hub', 'tea')) return null
			const reads = /^(?:view|list|status|diff|checks|watch|search|browse|help|version)$/
			if (reads.test(first(call)) || reads.test(second(call))) return null
			return 'acts on a code hosting service in your name'
		},
	},
	{
		id: 'cloud',
		level: 'high',
		check(call) {
			const tool = is(
				call,
				...[
					'kubectl',
					'terraform',
					'tofu',
					'aws',
					'gcloud',
					'az',
					'gsutil',
					'doctl',
					'oc',
					'ansible',
				],
				...[
					'ansible-playbook',
					'helm',
					'pulumi',
					'cdk',
					'rclone',
					's3cmd',
					'nomad',
					'vault',
					'consul',
				],
			)
			const reads =
				/^(?:get|describe|list|ls|logs|version|plan|validate|fmt|show|explain|top|diff|status|template|lint|output|help|describe-[\w-]+|list-[\w-]+|get-[\w-]+)$/
			const verbs = operands(call.args).slice(0, 3)
			return given(
				tool && !verbs.some(({ text }) => reads.test(text)),
				'may change machines or services elsewhere',
			)
		},
	},
	{
		id: 'other-machine',
		level: 'high',
		check(call) {
			const remote =
				is(call, 'rsync') && operands(call.args).some(({ text }) => /^[\w.-]+@?[\w.-]*:/.test(text))
			const connects = is(
				call,
				...[
					'ssh',
					'scp',
					'sftp',
					'mosh',
					'telnet',
					'ftp',
					'lftp',
					'nc',
					'ncat',
					'netcat',
					'socat',
					'sshpass',
				],
				...[
					'rsh',
					'rexec',
					'ngrok',
					'cloudflared',
					'tailscale',
					'wg',
					'autossh',
					'smbclient',
					'mail',
				],
				...['sendmail', 'mutt', 'swaks', 'croc', 'wormhole', 'magic-wormhole', 'openvpn'],
			)
			return given(remote || connects, 'connects to another machine')
		},
	},
	{
		id: 'send-data',
		level: 'high',
		check(call) {
			const curl =
				is(call, 'curl') &&
				(hasOption(call.args, /^--(?:data|form|upload-file|json|config|url-query)/) ||
					call.args.some(({ text }) => /^-[A-Za-z]*[dFTK]/.test(text) && !text.startsWith('--')) ||
					/^(?:POST|PUT|PATCH|DELETE)$/i.test(
						optionValue(call.args, /^(?:-X|--request)$/)?.text ??
							call.args.find(({ text }) => /^-X./.test(text))?.text.slice(2) ??
							'',
					))
			const wget = is(call, 'wget') && hasOption(call.args, /^--(?:post|body|method)/)
			const http =
				is(call, 'http', 'https', 'xh') && /\b(?:POST|PUT|PATCH|DELETE)\b|[^=]=/.test(written(call))
			return given((curl || wget || http) && !isLocal(call), 'sends data to another machine')
		},
	},
	{
		id: 'network-address-unknown',
		level: 'high',
		check: (call) =>
			given(
				is(call, 'curl', 'wget') && call.args.some(({ known }) => !known),
				'reaches the network with something that is only known when it runs',
			),
	},
	{
		id: 'install',
		level: 'medium',
		check: (call) => given(installs(call), 'installs or runs packages from the network'),
	},
	{
		id: 'network',
		level: 'medium',
		check: (call) =>
			given(
				(call.name !== null && downloaders.has(call.name)) ||
					is(
						call,
						'https',
						'ping',
						'dig',
						'host',
						'nslookup',
						'whois',
						'traceroute',
						'nmap',
						'lynx',
						'w3m',
					) ||
					/^(?:fetch|pull|clone|ls-remote|submodule|remote|lfs)$/.test(git(call)),
				'uses the network',
			),
	},
]
