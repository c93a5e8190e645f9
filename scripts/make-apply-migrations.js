// Writes the psql script that applies what a Supabase project lacks of supabase/migrations, and notes it as
// Supabase's own tool does, so that either can go on where the other left off.
import { writeFileSync } from 'node:fs'
import path from 'node:path'

const head = `-- Applies the migrations of styrby-tui that this database lacks, all or nothing:
-- psql "$DATABASE_URL" -f apply-migrations.sql
\\set ON_ERROR_STOP on
\\set QUIET on
set client_min_messages = warning;
begin;
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
	version text not null primary key,
	statements text[],
	name text
);
lock table supabase_migrations.schema_migrations in share row exclusive mode;
`

const one = ({ name, version }) => `
select not exists (
	select from supabase_migrations.schema_migrations where version = '${version}'
) as lacks \\gset
\\if :lacks
\\echo applying ${name}
\\ir ../supabase/migrations/${name}
insert into supabase_migrations.schema_migrations (version, name)
values ('${version}', '${name.slice(version.length + 1).replace(/\.sql$/, '')}');
\\endif
`

const tail = `
notify pgrst, 'reload schema';
commit;
\\echo the migrations of styrby-tui are applied
`

/** Writes \`apply-migrations.sql\` into \`dist\`. */
export function makeApplyMigrations(dist, { migrations }) {
	const text = head + migrations.map(one).join('') + tail
	writeFileSync(path.join(dist, 'apply-migrations.sql'), text)
}
