/**
 * What a hosted project demands of the migrations: its role `postgres` is no superuser, its PostgreSQL is
 * 15 or 17, and its schemas are not ours. That they run on 15 as no superuser is for test/system to show.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Row } from '../../source/server/engine.ts'
import { findTemplate, readSchema } from '../../source/server/package-files.ts'
import { openPglite, type PgliteEngine } from '../../source/server/pglite-engine.ts'
import { migrationFiles } from './migrations/database.ts'

interface Rule {
	what: string
	pattern: RegExp
	/** Statements that the rule must find, so that it is known to find anything. */
	finds: string[]
}

const rules: Rule[] = [
	{
		what: 'what only a superuser may do',
		pattern:
			/\b(superuser|bypassrls|replication|event trigger|alter system|session authorization|load '|create (or replace )?(trusted )?(procedural )?language|create extension|alter extension|create (role|user|database|tablespace|subscription|server|foreign)|alter (role|user|database)|pg_read_\w+|pg_write_\w+|pg_ls_\w+|lo_import|lo_export|dblink|copy)\b/,
		finds: [
			'create extension pgcrypto',
			'alter role anon bypassrls',
			"copy x from '/etc/passwd'",
			'create event trigger t on ddl_command_end',
			"select pg_read_file('x')",
		],
	},
	{
		what: 'what PostgreSQL 15 does not know',
		pattern:
			/\b(any_value|json_table|json_value|json_query|json_exists|json_scalar|json_serialize|json_array|json_arrayagg|json_object|json_objectagg|is (not )?json|pg_input_is_valid|pg_input_error_info|array_sample|array_shuffle|array_sort|array_reverse|random_normal|erfc?|date_add|date_subtract|to_bin|to_oct|xmltext|uuidv[47]|uuid_extract_\w+|casefold|crc32c?|gamma|system_user|merge into|merge_action|virtual|not enforced|without overlaps|returning (old|new)|maintain|\d+_\d+|0[xob][0-9a-f]+)\b/,
		finds: [
			'select uuidv7()',
			'select any_value(x)',
			'update t set a = 1 returning old.a',
			'create table t (a int, b int generated always as (a) virtual)',
			'select 1_000',
			'merge into t using u on true when matched then delete',
			"select json_value(x, '$.a')",
		],
	},
	{
		what: 'what changes schemas that are not ours',
		pattern: new RegExp(
			`\\b(${[
				'(create|alter|drop)( or replace)? (table|function|view|type|schema|sequence)( if (not )?exists)?',
				'(create|drop)( or replace)?( unique)? (trigger|index|rule) [^;]*? on',
				'truncate( table)?|insert into|update|comment on \\w+',
				// That one is tried, and done without where it is not allowed.
				'delete from(?! auth\\.sessions where)',
				'(grant|revoke) [^;]*? on( table| function| schema| all \\w+ in schema)?',
			].join('|')}) (auth|realtime|storage|extensions|vault|graphql|cron|net)\\b`,
		),
		finds: [
			'alter table auth.users add column x int',
			'create table realtime.more (n int)',
			'drop function realtime.send(jsonb, text, text, boolean)',
			'grant select on auth.users to anon',
			'create function auth.mine() returns int',
			'create or replace function realtime.send() returns void',
			'create trigger t after insert on auth.users execute function f()',
			'create schema auth',
			"insert into realtime.messages values ('x')",
		],
	},
	{
		what: 'a policy anywhere but on our tables and on realtime.messages',
		pattern: /\b(create|drop|alter) policy \w+\s+on (?!public\.|realtime\.messages\b)/,
		finds: ['create policy p on auth.users for select using (true)', 'create policy p on machines'],
	},
	{
		what: 'a policy that asks for the account once a row',
		pattern: /(?<!select )\bauth\.(uid|jwt|role)\(\)/,
		finds: ['create policy p on public.t using (user_id = auth.uid())'],
	},
	{
		what: 'default privileges, or rights for everyone',
		pattern: /\balter default privileges\b|\bgrant\b[^;]*\bto\b[^;]*\bpublic\b/,
		finds: [
			'alter default privileges in schema public grant all on tables to anon',
			'grant all on t to public',
		],
	},
	{
		what: 'a search path that is set for the session',
		pattern: /(^|;)\s*set\s+(local\s+)?(search_path|role|session)\b|set_config\(/,
		finds: ["set search_path = ''", '; set role anon', "select set_config('role', 'x', true)"],
	},
]

/** Lower case, one space, no comments. Strings stay: names of what is forbidden in one are no less odd. */
function plain(sql: string): string {
	return sql
		.replaceAll(/--[^\n]*/g, '')
		.replaceAll(/\s+/g, ' ')
		.toLowerCase()
		.trim()
}

const files = migrationFiles()

describe.each(rules)('no migration has $what', ({ what, pattern, finds }) => {
	test.each(finds)('which %s is', (statement) => {
		expect(plain(statement)).toMatch(pattern)
	})

	test.each(files)('$name', ({ sql }) => {
		// In a function the account is asked for once, as a variable.
		const text = what.startsWith('a policy that') ? policiesOf(plain(sql)) : plain(sql)
		expect(text).not.toMatch(pattern)
	})
})

function policiesOf(sql: string): string {
	return [...sql.matchAll(/create policy [^;]*;/g)].join('\n')
}

test('files are named by the time they were written, each its own, in order', () => {
	const versions = files.map(({ name }) => name.split('_')[0] ?? '')
	for (const [index, version] of versions.entries()) {
		expect(files[index]?.name).toMatch(/^\d{14}_[a-z_]+\.sql$/)
		const time = version.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z')
		expect(Date.parse(time), version).not.toBeNaN()
	}
	expect(versions).toEqual([...new Set(versions)].sort())
})

describe('what the migrations make', () => {
	let folder: string
	let engine: PgliteEngine
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), 'styrby-lint-'))
		const template = findTemplate(readSchema())
		expect(template, 'run `npm run build`').not.toBeNull()
		engine = await openPglite({ folder: join(folder, 'pg'), template })
	}, 60_000)
	afterAll(async () => {
		await engine.close()
		await rm(folder, { recursive: true })
	})

	const ours = `('public'::regnamespace, 'styrby'::regnamespace)`
	const functions = (where: string): Promise<Row[]> =>
		engine.query(`select p.oid::regprocedure::text as name from pg_proc p
			join pg_language l on l.oid = p.prolang
			where p.pronamespace in ${ours} and (${where})`)

	test('functions with their owner’s rights have an empty search path', async () => {
		const guarded = `'search_path=""' = any (coalesce(p.proconfig, '{}'))`
		expect((await functions('p.prosecdef')).length).toBeGreaterThan(5)
		expect(await functions(`p.prosecdef and not ${guarded}`)).toEqual([])
		// Text that is parsed when it runs; a body that was parsed when it was made names what it means.
		expect(await functions(`p.prosqlbody is null and not ${guarded}`)).toEqual([])
	})

	test('functions build no SQL of what they are given', async () => {
		expect(await functions(`p.prosrc ~* '\\mexecute\\M'`)).toEqual([])
	})

	test('functions of the API take no account: it is that of the token', async () => {
		const named = `p.pronamespace = 'public'::regnamespace and array_to_string(p.proargnames, ' ') ~ 'user|account|owner'`
		expect(await functions(named)).toEqual([])
	})

	test('every function and table says for itself who may use it', async () => {
		const open = `p.proacl is null or exists (
			select from aclexplode(p.proacl) a where a.grantee = 0 or a.is_grantable and a.grantee <> p.proowner)`
		expect(await functions(open)).toEqual([])
		const tables = await engine.query(`select c.oid::regclass::text as name from pg_class c
			where c.relnamespace in ${ours} and c.relkind in ('r', 'p', 'v', 'm', 'S') and (
				c.relacl is null or exists (select from aclexplode(c.relacl) a where a.grantee = 0
					or (a.grantee <> c.relowner and a.grantee <> 'service_role'::regrole
						and a.privilege_type <> 'SELECT'))
			)`)
		expect(tables).toEqual([])
	})

	test('the embedded stand-ins are Supabase’s: only policies of ours are added to them', async () => {
		const added = await engine.query(`select schemaname || '.' || tablename as name from pg_policies
			where schemaname not in ('public') group by 1`)
		expect(added).toEqual([{ name: 'realtime.messages' }])
	})
})
