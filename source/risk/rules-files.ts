/** What deletes or writes files, and what touches keys. */

import { astray, deletedPaths, first, git, given, is, written, writtenPaths } from './call.ts'
import { isAbove, isSecret, isTrigger, whereIs } from './paths.ts'
import type { Rule } from './rule.ts'
import { hasOption } from './word.ts'

export const fileRules: readonly Rule[] = [
	{
		id: 'delete-project',
		level: 'high',
		check(call) {
			const found = astray(deletedPaths(call), call.place, ['project'])
			if (found) return 'deletes the whole project'
			const git = deletedPaths(call).find(({ text }) => /(?:^|\/)\.git\/?$/.test(text))
			return given(git !== undefined, "deletes the project's history")
		},
	},
	{
		id: 'delete-outside',
		level: 'high',
		check(call) {
			const found = astray(deletedPaths(call), call.place, ['outside', 'unknown'])
			if (!found) return null
			return found.where === 'unknown'
				? 'deletes files that are only known when it runs'
				: `deletes outside of the project: ${found.path}`
		},
	},
	{
		id: 'delete',
		level: 'medium',
		check: (call) => given(deletedPaths(call).length > 0 && !is(call, 'mv'), 'deletes files'),
	},
	{
		id: 'write-outside',
		level: 'high',
		check(call) {
			const paths = writtenPaths(call)
			const above = paths.find(({ text }) => isAbove(text, call.place))
			if (above) return `writes outside of the project: ${above.text}`
			const found = astray(paths, call.place, ['outside', 'unknown'])
			if (!found) return null
			return found.where === 'unknown'
				? 'writes to a place that is only known when it runs'
				: `writes outside of the project: ${found.path}`
		},
	},
	{
		id: 'write-trigger',
		level: 'high',
		check(call) {
			const path = writtenPaths(call).find(({ text }) => isTrigger(text))
			return path ? `changes what is run without asking: ${path.text}` : null
		},
	},
	{
		id: 'write',
		level: 'medium',
		check: (call) =>
			given(
				writtenPaths(call).some(({ text }) => whereIs(text, call.place) !== 'nowhere'),
				'writes files',
			),
	},
	{
		id: 'secrets',
		level: 'high',
		check(call) {
			const found = call.args.find(({ text }) => isSecret(text))
			if (found) return `touches keys or passwords: ${found.text}`
			return call.text !== null && isSecret(call.text) ? 'touches keys or passwords' : null
		},
	},
	{
		id: 'secret-tools',
		level: 'high',
		check: (call) =>
			given(
				is(
					call,
					...[
						'ssh-keygen',
						'ssh-add',
						'ssh-copy-id',
						'secret-tool',
						'security',
						'pass',
						'op',
						'bw',
					],
					...['gpg', 'gpg2', 'keyctl', 'age', 'sops', 'certutil', 'keytool', 'htpasswd', 'passwd'],
				) ||
					(is(call, 'git') && git(call) === 'credential') ||
					(is(call, 'openssl') && !/^(?:version|s_client|x509|dgst|rand)$/.test(first(call))),
				'handles keys or passwords',
			),
	},
	{
		id: 'permissions',
		level: 'high',
		check(call) {
			if (is(call, 'chown', 'chgrp', 'setfacl', 'chattr', 'setcap', 'umask', 'xattr', 'icacls')) {
				return 'changes permissions or owners'
			}
			if (!is(call, 'chmod')) return null
			const [mode, ...paths] = call.args.filter(
				({ text }) => !/^-[A-Za-z]{2,}$|^-[RvcfhH]$|^--/.test(text),
			)
			const risky = /^[0-7]*[2367]$|^[1-7][0-7]{3}$|[ugoa]*[+=][rwx]*s|(?:^|[oa,])[+=][rx]*w/.test(
				mode?.text ?? '',
			)
			const away = astray(paths, call.place, ['outside', 'unknown', 'project'])
			return given(
				risky || away !== null || hasOption(call.args, /^--recursive$/, 'R'),
				'changes permissions',
			)
		},
	},
	{
		id: 'make-executable',
		level: 'medium',
		check: (call) => given(is(call, 'chmod'), 'changes permissions of a file'),
	},
	{
		id: 'database',
		level: 'high',
		check: (call) =>
			given(
				(is(
					call,
					'psql',
					'mysql',
					'mariadb',
					'sqlite3',
					'mongosh',
					'mongo',
					'redis-cli',
					'clickhouse-client',
				) &&
					/\b(?:drop|delete|truncate|flushall|flushdb|dropdatabase|update|alter|grant)\b/i.test(
						`${written(call)} ${call.text ?? ''}`,
					)) ||
					is(call, 'dropdb', 'dropuser') ||
					/\b(?:db:(?:drop|reset|purge)|migrate:?\s?(?:reset|fresh)|database:drop|db reset)\b/.test(
						written(call),
					),
				'changes or deletes in a database',
			),
	},
]
