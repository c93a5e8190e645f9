-- Accounts and sign-ins of the embedded backend; the part of Supabase Auth that the server in this
-- folder answers for. Applied after platform.sql, never to Supabase. Applying it again changes nothing.

alter table auth.users
	add column if not exists password_hash text,
	add column if not exists user_metadata jsonb not null default '{}',
	add column if not exists updated_at timestamptz not null default now(),
	add column if not exists last_sign_in_at timestamptz;

create table if not exists auth.sessions (
	id uuid primary key,
	user_id uuid not null references auth.users (id) on delete cascade,
	created_at timestamptz not null default now(),
	refreshed_at timestamptz not null default now()
);
create index if not exists sessions_user_id on auth.sessions (user_id);
alter table auth.sessions enable row level security;

-- A refresh token works once. Only its SHA-256 is kept.
create table if not exists auth.refresh_tokens (
	hash bytea primary key,
	session_id uuid not null references auth.sessions (id) on delete cascade,
	parent bytea,
	created_at timestamptz not null default now(),
	used_at timestamptz
);
create index if not exists refresh_tokens_session_id on auth.refresh_tokens (session_id);
create index if not exists refresh_tokens_parent on auth.refresh_tokens (parent);
alter table auth.refresh_tokens enable row level security;

revoke all on auth.users, auth.sessions, auth.refresh_tokens from anon, authenticated, service_role;

-- Exchanges a refresh token for the next one. `outcome` is 'rotated', 'unknown' or 'reused'. A token
-- that was used may be used again within the grace period, or for as long as nothing that it was
-- exchanged for was used (the answer got lost). Any other second use ends the session for everyone.
create or replace function auth.rotate_refresh_token(
	p_presented text,
	p_next text,
	p_grace interval
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
	v_presented bytea := decode(p_presented, 'hex');
	v_session uuid;
	v_user uuid;
	v_used timestamptz;
begin
	select s.id, s.user_id into v_session, v_user
	from auth.refresh_tokens t
	join auth.sessions s on s.id = t.session_id
	where t.hash = v_presented
	for update of s;
	if not found then
		return jsonb_build_object('outcome', 'unknown');
	end if;

	select t.used_at into v_used from auth.refresh_tokens t where t.hash = v_presented;
	if v_used < clock_timestamp() - p_grace and exists (
		select 1 from auth.refresh_tokens t
		where t.parent = v_presented and t.used_at is not null
	) then
		delete from auth.sessions s where s.id = v_session;
		return jsonb_build_object('outcome', 'reused');
	end if;

	update auth.refresh_tokens t
	set used_at = coalesce(t.used_at, clock_timestamp())
	where t.hash = v_presented;
	insert into auth.refresh_tokens (hash, session_id, parent)
	values (decode(p_next, 'hex'), v_session, v_presented);
	update auth.sessions s set refreshed_at = clock_timestamp() where s.id = v_session;
	-- Long chains need no memory of their beginning.
	delete from auth.refresh_tokens t
	where t.session_id = v_session
		and t.used_at < clock_timestamp() - interval '30 days'
		and t.hash <> v_presented;
	return jsonb_build_object('outcome', 'rotated', 'session', v_session, 'user', v_user);
end
$$;
revoke all on function auth.rotate_refresh_token(text, text, interval) from public, anon, authenticated, service_role;

-- Whoever is joined to a topic with a sign-in that ends is to be dropped at once.
create or replace function auth.notify_sign_out() returns trigger
language plpgsql
set search_path = ''
as $$
begin
	perform pg_catalog.pg_notify('sign_out', old.id::text);
	return null;
end
$$;
revoke all on function auth.notify_sign_out() from public, anon, authenticated, service_role;
create or replace trigger notify_sign_out
	after delete on auth.sessions
	for each row
	execute function auth.notify_sign_out();
