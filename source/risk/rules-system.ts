/** What changes the machine, or throws work away. */

import { astray, first, git, given, is, written } from './call.ts'
import { harmless } from './harmless.ts'
import type { Rule } from './rule.ts'
import { hasOption, operands } from './word.ts'

const systemPackages = [
	'apt',
	'apt-get',
	'dpkg',
	'dnf',
	'yum',
	'rpm',
	'pacman',
	'apk',
	'zypper',
	'snap',
	'flatpak',
	'port',
	'nix-env',
	'emerge',
	'softwareupdate',
]
const readOnlyPackages =
	/^(?:list|search|show|info|policy|--version|-l|-s|-L|-S|-Q\w*|-q\w*|depends)$/

export const systemRules: readonly Rule[] = [
	{
		id: 'other-user',
		level: 'high',
		check: (call) =>
			given(
				is(
					call,
					'sudo',
					'doas',
					'su',
					'pkexec',
					'run0',
					'runuser',
					'gosu',
					'su-exec',
					'sudoedit',
					'visudo',
				),
				'runs with the rights of another user',
			),
	},
	{
		id: 'services',
		level: 'high',
		check(call) {
			if (is(call, 'systemctl', 'service', 'launchctl', 'rc-service', 'sc')) {
				return given(
					!/^(?:status|show|list-[\w-]+|is-[\w-]+|cat|list)$/.test(first(call)),
					'changes services',
				)
			}
			if (is(call, 'crontab'))
				return given(!hasOption(call.args, null, 'l'), 'changes what runs by itself')
			return given(
				is(call, 'at', 'batch', 'update-rc.d', 'chkconfig', 'systemd-run', 'schtasks', 'loginctl'),
				'changes what runs by itself',
			)
		},
	},
	{
		id: 'system',
		level: 'high',
		check: (call) =>
			given(
				(call.name?.startsWith('mkfs') ?? false) ||
					is(
						call,
						...[
							'fdisk',
							'parted',
							'wipefs',
							'mount',
							'umount',
							'swapoff',
							'sysctl',
							'modprobe',
							'insmod',
						],
						...['rmmod', 'useradd', 'userdel', 'usermod', 'groupadd', 'adduser', 'deluser', 'chsh'],
						...[
							'iptables',
							'ip6tables',
							'nft',
							'ufw',
							'firewall-cmd',
							'reboot',
							'shutdown',
							'halt',
						],
						...['poweroff', 'init', 'telinit', 'hostnamectl', 'timedatectl', 'nsenter', 'chroot'],
						...['unshare', 'diskutil', 'defaults', 'spctl', 'csrutil', 'reg', 'netsh', 'format'],
						...[
							'lvremove',
							'vgremove',
							'zfs',
							'zpool',
							'losetup',
							'cryptsetup',
							'efibootmgr',
							'setenforce',
						],
					),
				'changes the system',
			),
	},
	{
		id: 'clock-or-name',
		level: 'high',
		check(call) {
			const [given_] = operands(call.args)
			const clock =
				is(call, 'date') &&
				(hasOption(call.args, /^--set/, 's') ||
					(/^\d/.test(given_?.text ?? '') &&
						!call.args.some(({ text }) => /^(?:-d|-r|-f|--date|--reference|--file)$/.test(text))))
			const name =
				is(call, 'hostname') &&
				(given_ !== undefined || hasOption(call.args, /^--(?:boot|file)/, 'b'))
			return given(clock || name, 'changes the clock or the name of the machine')
		},
	},
	{
		id: 'system-packages',
		level: 'high',
		check: (call) =>
			given(
				is(call, ...systemPackages) && !readOnlyPackages.test(call.args[0]?.text ?? ''),
				"changes the system's packages",
			),
	},
	{
		id: 'global-install',
		level: 'high',
		check: (call) =>
			given(
				(is(call, 'npm', 'pnpm', 'bun') &&
					hasOption(call.args, /^--(?:global|location=global)$/, 'g')) ||
					(is(call, 'yarn') && first(call) === 'global') ||
					hasOption(call.args, /^--break-system-packages$/),
				'installs outside of the project',
			),
	},
	{
		id: 'container-host',
		level: 'high',
		check(call) {
			if (!is(call, 'docker', 'podman', 'nerdctl', 'docker-compose')) return null
			const rest = written(call)
			if (/--privileged|docker\.sock|--pid[= ]host|--cap-add|--net(?:work)?[= ]host/.test(rest)) {
				return 'gives a container the rights of the host'
			}
			if (
				/(?:^| )(?:-v|--volume|--mount)[= ](?:\S*(?:source|src)=)?(?:\/|~|\$HOME)(?:[:, ]|etc|root|home[:/, ]|var\/run)/.test(
					rest,
				)
			) {
				return 'gives a container files from outside of the project'
			}
			return given(
				/\b(?:push|login)\b|\bprune\b|\bvolume rm\b|\bdown\b.*-v/.test(rest),
				'publishes or deletes containers or their data',
			)
		},
	},
	{
		id: 'container',
		level: 'medium',
		check: (call) =>
			given(
				is(
					call,
					'docker',
					'podman',
					'nerdctl',
					'docker-compose',
					'vagrant',
					'qemu-system-x86_64',
				) && !/^(?:ps|images|logs|inspect|version|info|stats|top|port)$/.test(first(call)),
				'runs containers',
			),
	},
	{
		id: 'kill',
		level: 'medium',
		check: (call) =>
			given(is(call, 'kill', 'killall', 'pkill', 'xkill', 'taskkill', 'fuser'), 'ends programs'),
	},
	{
		id: 'environment-shown',
		level: 'medium',
		check: (call) =>
			given(
				is(call, 'printenv') ||
					(is(call, 'env', 'export', 'set', 'declare') && operands(call.args).length === 0) ||
					(is(call, 'jq', 'yq') && /\benv\b|\$ENV\b|\benvsubst\b/.test(written(call))),
				'shows the environment, which may hold tokens',
			),
	},
	{
		id: 'git-lose',
		level: 'high',
		check(call) {
			const verb = git(call)
			const rest = written(call)
			const loses =
				(verb === 'reset' && /--(?:hard|merge|keep)/.test(rest)) ||
				(verb === 'clean' && !/(?:^| )(?:-\w*n\w*|--dry-run)(?: |$)/.test(rest)) ||
				(verb === 'checkout' && /(?: -f\b| --force\b| -- | \.(?: |$)| --$)/.test(`${rest} `)) ||
				(verb === 'restore' && !/--staged(?!.*--worktree)/.test(rest)) ||
				(verb === 'stash' && /\b(?:drop|clear)\b/.test(rest)) ||
				(verb === 'branch' && /(?: -D| --delete --force| -f| --force)/.test(rest)) ||
				(verb === 'switch' && /(?: -f| --discard-changes| --force)/.test(rest)) ||
				/^(?:filter-branch|filter-repo|update-ref|reflog|gc|prune)$/.test(verb)
			return given(loses, 'throws away changes or history')
		},
	},
	{
		id: 'git-outside',
		level: 'high',
		check(call) {
			if (call.name !== 'git' || harmless(call) !== null) return null
			const folder = call.args.filter((_, at) =>
				/^(?:-C|--git-dir|--work-tree)$/.test(call.args[at - 1]?.text ?? ''),
			)
			const found = astray(folder, call.place, ['outside', 'unknown'])
			return found && `changes a repository outside of the project: ${found.path}`
		},
	},
	{
		id: 'git-change',
		level: 'medium',
		check: (call) =>
			given(call.name === 'git' && harmless(call) === null, 'changes the repository'),
	},
]
