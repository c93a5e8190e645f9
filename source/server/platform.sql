-- What Supabase brings along and a plain PostgreSQL lacks: its roles, auth.uid() and friends, and
-- broadcasts from the database. Applied before supabase/migrations, to the embedded backend and to plain
-- PostgreSQL (15 or newer), never to Supabase. Applying it again changes nothing.

do $$
declare
	v_role text;
begin
	foreach v_role in array array['anon', 'authenticated', 'service_role'] loop
		if not exists (select 1 from pg_catalog.pg_roles where rolname = v_role) then
			execute format('create role %I nologin noinherit', v_role);
		end if;
		-- Whoever serves requests takes these roles on, one transaction at a time.
		if not pg_catalog.pg_has_role(current_user, v_role, 'member') then
			execute format('grant %I to %I', v_role, current_user);
		end if;
	end loop;
	if (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
		alter role service_role bypassrls;
	end if;
end
$$;

-- As upstream: whatever is made in public is open to the three roles unless it says otherwise. The
-- migrations say otherwise, and are tested against these defaults.
grant usage on schema public to anon, authenticated, service_role;
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;

create schema if not exists auth;
grant usage on schema auth to anon, authenticated, service_role;

create table if not exists auth.users (
	id uuid primary key default gen_random_uuid(),
	email text unique,
	is_anonymous boolean not null default false,
	created_at timestamptz not null default now()
);
alter table auth.users enable row level security;

-- The claims of the verified token, set by the server for one transaction.
create or replace function auth.jwt() returns jsonb
language sql stable
set search_path = ''
as $$
	select nullif(current_setting('request.jwt.claims', true), '')::jsonb
$$;

create or replace function auth.uid() returns uuid
language sql stable
set search_path = ''
as $$
	select nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid
$$;

create or replace function auth.role() returns text
language sql stable
set search_path = ''
as $$
	select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
$$;

create schema if not exists realtime;
grant usage on schema realtime to anon, authenticated, service_role;

create table if not exists realtime.messages (
	id uuid primary key default gen_random_uuid(),
	topic text not null,
	extension text not null,
	event text,
	payload jsonb,
	private boolean not null default false,
	inserted_at timestamptz not null default now()
);
-- Old broadcasts are deleted by age.
create index if not exists messages_inserted_at on realtime.messages (inserted_at);
alter table realtime.messages enable row level security;
-- Who may join a topic is decided by the policies on this table, tried with a row that is rolled back.
grant select, insert on realtime.messages to anon, authenticated, service_role;

-- The topic that someone wants to join, set by the server for one transaction.
create or replace function realtime.topic() returns text
language sql stable
set search_path = ''
as $$
	select nullif(current_setting('realtime.topic', true), '')
$$;

-- Like upstream: a broadcast that fails is a warning, never the end of what was to be announced.
create or replace function realtime.send(
	payload jsonb,
	event text,
	topic text,
	private boolean default true
) returns void
language plpgsql
set search_path = ''
as $$
declare
	v_id uuid := gen_random_uuid();
begin
	insert into realtime.messages (id, topic, extension, event, payload, private)
	values (
		v_id,
		send.topic,
		'broadcast',
		send.event,
		case
			when jsonb_typeof(send.payload) = 'object' and not send.payload ? 'id'
			then send.payload || jsonb_build_object('id', v_id)
			else send.payload
		end,
		send.private
	);
exception
	when others then
		raise warning 'a broadcast failed: %', sqlerrm;
end
$$;
revoke all on function realtime.send(jsonb, text, text, boolean) from public, anon, authenticated;

-- A notification holds 8,000 bytes at most: it names the row, and the server reads it.
create or replace function realtime.notify_message() returns trigger
language plpgsql
set search_path = ''
as $$
begin
	perform pg_catalog.pg_notify('realtime', new.id::text);
	return null;
end
$$;
create or replace trigger notify_message
	after insert on realtime.messages
	for each row
	when (new.extension = 'broadcast')
	execute function realtime.notify_message();
