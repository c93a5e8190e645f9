-- Sessions, and the keys of sessions and account: who made an epoch, and to whom it was handed. Of a
-- session the server sees its agent, its status, times, counts and cost; its project only when the person
-- chose so; its title and directory never.

create table public.sessions (
	id uuid primary key,
	user_id uuid not null references auth.users (id) on delete cascade,
	host uuid not null,
	-- Tolerant on purpose: agents and states come and go, and an old server must not refuse a new one.
	agent text not null check (agent ~ '^[a-z][a-z0-9_-]{0,39}$'),
	status text not null default 'starting' check (status ~ '^[a-z_]{1,20}$'),
	project text check (char_length(project) between 1 and 200),
	label_epoch integer check (label_epoch >= 0),
	label_nonce bytea check (octet_length(label_nonce) = 24),
	label_ciphertext bytea check (octet_length(label_ciphertext) between 16 and 6144),
	started_at timestamptz not null,
	last_activity_at timestamptz not null,
	ended_at timestamptz,
	-- Counted as messages come in: no list ever counts rows.
	last_seq bigint not null default 0 check (last_seq >= 0),
	pending integer not null default 0 check (pending >= 0),
	input_tokens bigint not null default 0 check (input_tokens >= 0),
	output_tokens bigint not null default 0 check (output_tokens >= 0),
	cache_read_tokens bigint not null default 0 check (cache_read_tokens >= 0),
	cache_write_tokens bigint not null default 0 check (cache_write_tokens >= 0),
	cost_usd double precision not null default 0 check (cost_usd >= 0),
	check (num_nulls(label_epoch, label_nonce, label_ciphertext) in (0, 3))
);
create index sessions_by_activity on public.sessions (user_id, last_activity_at desc, id desc);

create table public.key_epochs (
	user_id uuid not null references auth.users (id) on delete cascade,
	scope text not null,
	epoch integer not null check (epoch >= 0),
	record bytea not null check (octet_length(record) between 2 and 4096),
	signature bytea not null check (octet_length(signature) = 64),
	primary key (user_id, scope, epoch)
);

create table public.key_grants (
	user_id uuid not null,
	scope text not null,
	epoch integer not null,
	to_device uuid not null,
	by_device uuid not null,
	nonce bytea not null check (octet_length(nonce) = 24),
	ciphertext bytea not null check (octet_length(ciphertext) between 16 and 4096),
	created_at timestamptz not null,
	primary key (user_id, scope, epoch, to_device, by_device),
	foreign key (user_id, scope, epoch) references public.key_epochs (user_id, scope, epoch)
		on delete cascade
);

alter table public.sessions enable row level security;
alter table public.key_epochs enable row level security;
alter table public.key_grants enable row level security;
revoke all on public.sessions, public.key_epochs, public.key_grants from public, anon, authenticated;
grant select on public.sessions, public.key_epochs, public.key_grants to authenticated;

create policy own_sessions on public.sessions
	for select to authenticated using (user_id = (select auth.uid()));
create policy own_key_epochs on public.key_epochs
	for select to authenticated using (user_id = (select auth.uid()));
create policy own_key_grants on public.key_grants
	for select to authenticated using (user_id = (select auth.uid()));

create function styrby.session_json(p_session public.sessions) returns jsonb
language sql stable
return pg_catalog.jsonb_build_object(
	'id', p_session.id,
	'agent', p_session.agent,
	'status', p_session.status,
	'project', p_session.project,
	'label', case when p_session.label_epoch is not null then pg_catalog.jsonb_build_object(
		'epoch', p_session.label_epoch,
		'nonce', styrby.base64(p_session.label_nonce),
		'ciphertext', styrby.base64(p_session.label_ciphertext)
	) end,
	'host', p_session.host,
	'started_at', styrby.iso(p_session.started_at),
	'last_activity_at', styrby.iso(p_session.last_activity_at),
	'ended_at', styrby.iso(p_session.ended_at),
	'last_seq', p_session.last_seq,
	'pending', p_session.pending,
	'tokens', pg_catalog.jsonb_build_object(
		'input', p_session.input_tokens,
		'output', p_session.output_tokens,
		'cache_read', p_session.cache_read_tokens,
		'cache_write', p_session.cache_write_tokens
	),
	'cost_usd', p_session.cost_usd
);

create function styrby.tell_session(p_user uuid, p_session uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
	perform styrby.announce(
		'account:' || p_user,
		'sessions',
		jsonb_build_object('session', p_session)
	);
end
$$;

-- Stores an epoch record {scope, epoch, record, signature}. The same again changes nothing; another one
-- for a number that is taken, or a number that is not the next one, is `epoch_conflict`.
create function styrby.store_epoch(p_user uuid, p_epoch jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
	v_scope text := p_epoch ->> 'scope';
	v_epoch integer := (p_epoch ->> 'epoch')::integer;
	v_inserted boolean;
begin
	if v_scope is distinct from 'account:' || p_user and not exists (
		select from public.sessions where user_id = p_user and 'session:' || id = v_scope
			and id = substr(v_scope, 9)::uuid
	) then
		perform styrby.fail('no_such_session');
	end if;
	insert into public.key_epochs (user_id, scope, epoch, record, signature)
	values (
		p_user,
		v_scope,
		v_epoch,
		styrby.bytes(p_epoch ->> 'record'),
		styrby.bytes(p_epoch ->> 'signature')
	)
	on conflict do nothing
	returning true into v_inserted;
	if v_inserted then
		if v_epoch > 0 and not exists (
			select from public.key_epochs
			where user_id = p_user and scope = v_scope and epoch = v_epoch - 1
		) then
			perform styrby.fail('epoch_conflict', jsonb_build_object('epoch', v_epoch));
		end if;
	elsif not exists (
		select from public.key_epochs
		where user_id = p_user and scope = v_scope and epoch = v_epoch
			and record = styrby.bytes(p_epoch ->> 'record')
			and signature = styrby.bytes(p_epoch ->> 'signature')
	) then
		perform styrby.fail('epoch_conflict', jsonb_build_object('epoch', v_epoch));
	end if;
end
$$;

-- Stores grants [{scope, epoch, to, by, nonce, ciphertext, created_at}]. The first of a device for a
-- device stays. `no_such_epoch` when there is no record of the epoch.
create function styrby.store_grants(p_user uuid, p_grants jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
	if jsonb_typeof(p_grants) is distinct from 'array' or jsonb_array_length(p_grants) > 1000 then
		perform styrby.fail('malformed_grant', '{"at_most": 1000}');
	end if;
	insert into public.key_grants
		(user_id, scope, epoch, to_device, by_device, nonce, ciphertext, created_at)
	select
		p_user,
		g.scope,
		g.epoch,
		g."to",
		g."by",
		styrby.bytes(g.nonce),
		styrby.bytes(g.ciphertext),
		styrby.instant(g.created_at)
	from jsonb_to_recordset(p_grants) as g(
		scope text, epoch integer, "to" uuid, "by" uuid, nonce text, ciphertext text, created_at text
	)
	on conflict do nothing;
exception
	when foreign_key_violation then
		perform styrby.fail('no_such_epoch');
	when data_exception or check_violation or not_null_violation then
		perform styrby.fail('malformed_grant');
end
$$;

-- Stores an epoch record and grants, in one transaction. `no_such_session`, `epoch_conflict`,
-- `no_such_epoch`, `malformed_epoch`, `malformed_grant`.
create function public.put_epoch(p_epoch jsonb, p_grants jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
begin
	begin
		perform styrby.store_epoch(v_user, p_epoch);
	exception
		when data_exception or check_violation or not_null_violation then
			perform styrby.fail('malformed_epoch');
	end;
	perform styrby.store_grants(v_user, p_grants);
end
$$;

create function public.put_grants(p_grants jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
	perform styrby.store_grants(styrby.me(), p_grants);
end
$$;

-- Of at most 500 scopes: all epochs, and the grants for one device. {epochs, grants}.
create function public.read_keys(p_scopes jsonb, p_device uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_scopes text[] := styrby.texts(p_scopes, 500);
begin
	return jsonb_build_object(
		'epochs', (
			select coalesce(
				jsonb_agg(
					jsonb_build_object(
						'scope', e.scope,
						'epoch', e.epoch,
						'record', styrby.base64(e.record),
						'signature', styrby.base64(e.signature)
					)
					order by e.scope, e.epoch
				),
				'[]'
			)
			from public.key_epochs as e
			where e.user_id = v_user and e.scope = any (v_scopes)
		),
		'grants', (
			select coalesce(
				jsonb_agg(
					jsonb_build_object(
						'scope', g.scope,
						'epoch', g.epoch,
						'to', g.to_device,
						'by', g.by_device,
						'nonce', styrby.base64(g.nonce),
						'ciphertext', styrby.base64(g.ciphertext),
						'created_at', styrby.iso(g.created_at)
					)
					order by g.scope, g.epoch, g.by_device
				),
				'[]'
			)
			from public.key_grants as g
			where g.user_id = v_user and g.scope = any (v_scopes) and g.to_device = p_device
		)
	);
end
$$;

-- Makes a session {id, agent, host, project, label, started_at, epoch, grants} with its first key.
-- The same id again changes nothing, unless it brings another key (`epoch_conflict`) or belongs to
-- another account (`no_such_session`).
create function public.create_session(p_session jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_id uuid;
	v_label jsonb := nullif(p_session -> 'label', 'null');
	v_inserted boolean;
begin
	begin
		v_id := (p_session ->> 'id')::uuid;
		insert into public.sessions (
			id, user_id, host, agent, project,
			label_epoch, label_nonce, label_ciphertext, started_at, last_activity_at
		)
		values (
			v_id,
			v_user,
			(p_session ->> 'host')::uuid,
			p_session ->> 'agent',
			p_session ->> 'project',
			(v_label ->> 'epoch')::integer,
			styrby.bytes(v_label ->> 'nonce'),
			styrby.bytes(v_label ->> 'ciphertext'),
			styrby.instant(p_session ->> 'started_at'),
			styrby.instant(p_session ->> 'started_at')
		)
		on conflict (id) do nothing
		returning true into v_inserted;
		if v_inserted is null and not exists (
			select from public.sessions where id = v_id and user_id = v_user
		) then
			perform styrby.fail('no_such_session');
		end if;
		if p_session #>> '{epoch,scope}' is distinct from 'session:' || v_id then
			perform styrby.fail('malformed_session');
		end if;
		perform styrby.store_epoch(v_user, p_session -> 'epoch');
	exception
		when data_exception or check_violation or not_null_violation then
			perform styrby.fail('malformed_session');
	end;
	perform styrby.store_grants(v_user, p_session -> 'grants');
	if v_inserted then
		perform styrby.tell_session(v_user, v_id);
	end if;
end
$$;

-- Changes what p_change names: status, ended_at, label. Nothing else of a session ever changes.
create function public.update_session(p_session uuid, p_change jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_label jsonb := p_change -> 'label';
begin
	begin
		update public.sessions
		set
			status = case when p_change ? 'status' then p_change ->> 'status' else status end,
			ended_at = case
				when p_change ? 'ended_at' then styrby.instant(p_change ->> 'ended_at')
				else ended_at
			end,
			label_epoch = coalesce((v_label ->> 'epoch')::integer, label_epoch),
			label_nonce = coalesce(styrby.bytes(v_label ->> 'nonce'), label_nonce),
			label_ciphertext = coalesce(styrby.bytes(v_label ->> 'ciphertext'), label_ciphertext)
		where id = p_session and user_id = v_user;
	exception
		when data_exception or check_violation or not_null_violation then
			perform styrby.fail('malformed_session');
	end;
	if not found then
		perform styrby.fail('no_such_session');
	end if;
	perform styrby.tell_session(v_user, p_session);
end
$$;

-- Newest activity first, at most 500: after the one that was active at p_before (and has the id
-- p_before_id, where several were active in the same millisecond); p_status is an array or null.
create function public.list_sessions(
	p_limit integer,
	p_before text default null,
	p_before_id uuid default null,
	p_status jsonb default null,
	p_agent text default null
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_before timestamptz := coalesce(styrby.instant(p_before), 'infinity');
	v_before_id uuid := coalesce(p_before_id, '00000000-0000-0000-0000-000000000000');
	v_status text[];
begin
	if jsonb_typeof(p_status) <> 'null' then
		v_status := styrby.texts(p_status, 20);
	end if;
	return (
		select coalesce(
			jsonb_agg(styrby.session_json(page) order by page.last_activity_at desc, page.id desc),
			'[]'
		)
		from (
			select *
			from public.sessions as s
			where s.user_id = v_user
				and (s.last_activity_at, s.id) < (v_before, v_before_id)
				and (v_status is null or s.status = any (v_status))
				and (p_agent is null or s.agent = p_agent)
			order by s.last_activity_at desc, s.id desc
			limit styrby.page(p_limit, 500)
		) as page
	);
end
$$;

-- One session, or null.
create function public.read_session(p_session uuid) returns jsonb
language sql stable
set search_path = ''
as $$
	select styrby.session_json(s)
	from public.sessions as s
	where s.id = p_session and s.user_id = (select styrby.me())
$$;

revoke all on function
	styrby.session_json(public.sessions),
	styrby.tell_session(uuid, uuid),
	styrby.store_epoch(uuid, jsonb),
	styrby.store_grants(uuid, jsonb)
from public, anon, authenticated;
grant execute on function styrby.session_json(public.sessions) to authenticated;
revoke all on function
	public.put_epoch(jsonb, jsonb),
	public.put_grants(jsonb),
	public.read_keys(jsonb, uuid),
	public.create_session(jsonb),
	public.update_session(uuid, jsonb),
	public.list_sessions(integer, text, uuid, jsonb, text),
	public.read_session(uuid)
from public, anon, authenticated;
grant execute on function
	public.put_epoch(jsonb, jsonb),
	public.put_grants(jsonb),
	public.read_keys(jsonb, uuid),
	public.create_session(jsonb),
	public.update_session(uuid, jsonb),
	public.list_sessions(integer, text, uuid, jsonb, text),
	public.read_session(uuid)
to authenticated;
