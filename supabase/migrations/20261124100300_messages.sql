-- Messages: ciphertext that is only ever appended, and the bare state of the permission requests in it.

create table public.session_messages (
	session_id uuid not null references public.sessions (id) on delete cascade,
	seq bigint not null check (seq >= 1),
	user_id uuid not null,
	epoch integer not null check (epoch >= 0),
	nonce bytea not null check (octet_length(nonce) = 24),
	ciphertext bytea not null check (octet_length(ciphertext) between 16 and 262144),
	signature bytea not null check (octet_length(signature) = 64),
	-- When the host sealed it, repeated inside: no server's clock has a say in it.
	created_at timestamptz not null check (created_at >= '1970-01-01Z' and created_at < '9999-01-01Z'),
	input_tokens bigint not null default 0 check (input_tokens between 0 and 1000000000000),
	output_tokens bigint not null default 0 check (output_tokens between 0 and 1000000000000),
	cache_read_tokens bigint not null default 0 check (cache_read_tokens between 0 and 1000000000000),
	cache_write_tokens bigint not null default 0 check (cache_write_tokens between 0 and 1000000000000),
	cost_usd double precision not null default 0 check (cost_usd between 0 and 1000000),
	primary key (session_id, seq)
) partition by hash (session_id);

-- Ciphertext does not compress.
alter table public.session_messages alter column ciphertext set storage external;

do $$
begin
	for v_part in 0..15 loop
		execute format(
			'create table styrby.session_messages_%s partition of public.session_messages '
			'for values with (modulus 16, remainder %s)',
			v_part,
			v_part
		);
		execute format('alter table styrby.session_messages_%s enable row level security', v_part);
		execute format(
			'revoke all on styrby.session_messages_%s from public, anon, authenticated',
			v_part
		);
	end loop;
end
$$;

create table public.permission_requests (
	user_id uuid not null,
	id uuid not null,
	session_id uuid not null references public.sessions (id) on delete cascade,
	seq bigint not null,
	status text not null default 'pending'
		check (status in ('pending', 'approved', 'denied', 'expired', 'cancelled')),
	created_at timestamptz not null,
	expires_at timestamptz not null,
	closed_at timestamptz,
	primary key (user_id, id),
	check ((status = 'pending') = (closed_at is null))
);
create index permission_requests_by_time
	on public.permission_requests (user_id, created_at desc, id desc);
create index permission_requests_of_session
	on public.permission_requests (session_id, created_at desc, id desc);
create index permission_requests_pending
	on public.permission_requests (user_id, created_at, id) where status = 'pending';

alter table public.session_messages enable row level security;
alter table public.permission_requests enable row level security;
revoke all on public.session_messages, public.permission_requests from public, anon, authenticated;
grant select on public.session_messages, public.permission_requests to authenticated;

create policy own_session_messages on public.session_messages
	for select to authenticated using (user_id = (select auth.uid()));
create policy own_permission_requests on public.permission_requests
	for select to authenticated using (user_id = (select auth.uid()));

create function styrby.message_json(p_row public.session_messages) returns jsonb
language sql stable
return pg_catalog.jsonb_build_object(
	'session_id', p_row.session_id,
	'seq', p_row.seq,
	'epoch', p_row.epoch,
	'nonce', styrby.base64(p_row.nonce),
	'ciphertext', styrby.base64(p_row.ciphertext),
	'signature', styrby.base64(p_row.signature),
	'created_at', styrby.iso(p_row.created_at),
	'input_tokens', p_row.input_tokens,
	'output_tokens', p_row.output_tokens,
	'cache_read_tokens', p_row.cache_read_tokens,
	'cache_write_tokens', p_row.cache_write_tokens,
	'cost_usd', p_row.cost_usd
);

-- Reads rows as clients send them.
create function styrby.parse_messages(p_rows jsonb) returns setof public.session_messages
language sql stable
set search_path = ''
as $$
	select
		r.session_id,
		r.seq,
		null::uuid,
		r.epoch,
		styrby.bytes(r.nonce),
		styrby.bytes(r.ciphertext),
		styrby.bytes(r.signature),
		styrby.instant(r.created_at),
		coalesce(r.input_tokens, 0),
		coalesce(r.output_tokens, 0),
		coalesce(r.cache_read_tokens, 0),
		coalesce(r.cache_write_tokens, 0),
		coalesce(r.cost_usd, 0)
	from jsonb_to_recordset(p_rows) as r(
		session_id uuid, seq bigint, epoch integer, nonce text, ciphertext text, signature text,
		created_at text, input_tokens bigint, output_tokens bigint, cache_read_tokens bigint,
		cache_write_tokens bigint, cost_usd double precision
	)
$$;

-- Opens and closes the permission requests that the rows from p_from on name, in their order. Only a
-- pending request is closed, once. Returns by how many the session has more pending ones now.
create function styrby.settle_requests(
	p_user uuid,
	p_session uuid,
	p_rows jsonb,
	p_from bigint
) returns integer
language plpgsql
set search_path = ''
as $$
declare
	v_row record;
	v_more integer := 0;
begin
	for v_row in
		select r.seq, styrby.instant(r.created_at) as at, r.opens, r.closes
		from jsonb_to_recordset(p_rows) as r(seq bigint, created_at text, opens jsonb, closes jsonb)
		where r.seq >= p_from and (r.opens is not null or r.closes is not null)
		order by r.seq
	loop
		if jsonb_typeof(v_row.opens) <> 'null' then
			insert into public.permission_requests
				(user_id, id, session_id, seq, created_at, expires_at)
			values (
				p_user,
				(v_row.opens ->> 'request')::uuid,
				p_session,
				v_row.seq,
				v_row.at,
				styrby.instant(v_row.opens ->> 'expires_at')
			)
			on conflict do nothing;
			if found then
				v_more := v_more + 1;
				perform styrby.tell_request(
					p_user, p_session, (v_row.opens ->> 'request')::uuid, 'pending'
				);
			end if;
		end if;
		if jsonb_typeof(v_row.closes) <> 'null' then
			if v_row.closes ->> 'status' is null or v_row.closes ->> 'status' = 'pending' then
				raise exception using errcode = '22023', message = 'a request is closed with a result';
			end if;
			update public.permission_requests
			set status = v_row.closes ->> 'status', closed_at = v_row.at
			where user_id = p_user and id = (v_row.closes ->> 'request')::uuid
				and session_id = p_session and status = 'pending';
			if found then
				v_more := v_more - 1;
				perform styrby.tell_request(
					p_user,
					p_session,
					(v_row.closes ->> 'request')::uuid,
					v_row.closes ->> 'status'
				);
			end if;
		end if;
	end loop;
	return v_more;
end
$$;

create function styrby.tell_request(
	p_user uuid,
	p_session uuid,
	p_request uuid,
	p_status text
) returns void
language plpgsql
set search_path = ''
as $$
begin
	perform styrby.announce(
		'account:' || p_user,
		'request',
		jsonb_build_object('request', p_request, 'session', p_session, 'status', p_status)
	);
end
$$;

-- One broadcast an append, with the rows in it when they are small.
create function styrby.tell_messages(p_session uuid, p_from bigint, p_to bigint) returns void
language plpgsql
set search_path = ''
as $$
declare
	v_size bigint;
	v_rows jsonb;
begin
	select sum(octet_length(ciphertext) * 4 / 3 + 480) into v_size
	from public.session_messages
	where session_id = p_session and seq between p_from and p_to;
	if v_size <= 16384 then
		select jsonb_agg(styrby.message_json(m) order by m.seq) into v_rows
		from public.session_messages as m
		where m.session_id = p_session and m.seq between p_from and p_to;
	end if;
	perform styrby.announce(
		'session:' || p_session,
		'messages',
		jsonb_build_object('session', p_session, 'from', p_from, 'to', p_to, 'rows', v_rows)
	);
end
$$;

-- Appends rows to a session of one's own, all or none: {session_id, seq, epoch, nonce, ciphertext,
-- signature, created_at, token counts, cost_usd, opens?, closes?}, at most 500 and 16 MiB of text. Rows
-- that are there already, byte for byte, are skipped. Returns {last_seq}. `no_such_session`,
-- `append_gap` {last_seq}, `append_conflict` {seq}, `malformed_row`, `too_many_rows`.
create function public.append_messages(p_session uuid, p_rows jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_last bigint;
	v_count bigint;
	v_size bigint;
	v_from bigint;
	v_to bigint;
	v_dense boolean;
	v_here boolean;
	v_conflict bigint;
	v_more integer;
begin
	if jsonb_typeof(p_rows) is distinct from 'array' then
		perform styrby.fail('malformed_row');
	end if;
	if jsonb_array_length(p_rows) > 500 then
		perform styrby.fail('too_many_rows', '{"at_most": 500}');
	end if;
	-- The lock makes appends to one session take turns: numbers are dense and in the order of commits.
	select last_seq into v_last
	from public.sessions
	where id = p_session and user_id = v_user
	for update;
	if not found then
		perform styrby.fail('no_such_session');
	end if;
	if p_rows = '[]' then
		return jsonb_build_object('last_seq', v_last);
	end if;
	begin
		select
			count(*),
			sum(octet_length(r.ciphertext)),
			min(r.seq),
			max(r.seq),
			count(distinct r.seq) = count(*),
			bool_and(r.session_id = p_session)
		into v_count, v_size, v_from, v_to, v_dense, v_here
		from jsonb_to_recordset(p_rows) as r(session_id uuid, seq bigint, ciphertext text);
		if v_from is null or v_from < 1 or not v_dense or v_here is distinct from true then
			perform styrby.fail('malformed_row');
		end if;
		if v_size > 16777216 then
			perform styrby.fail('too_many_rows', '{"at_most_bytes": 16777216}');
		end if;
		if v_from > v_last + 1 or v_to - v_from + 1 <> v_count then
			perform styrby.fail('append_gap', jsonb_build_object('last_seq', v_last));
		end if;
		if v_from <= v_last then
			select min(r.seq) into v_conflict
			from styrby.parse_messages(p_rows) as r
			join public.session_messages as m on m.session_id = p_session and m.seq = r.seq
			where (m.epoch, m.nonce, m.ciphertext, m.signature, m.created_at, m.input_tokens,
					m.output_tokens, m.cache_read_tokens, m.cache_write_tokens, m.cost_usd)
				is distinct from
				(r.epoch, r.nonce, r.ciphertext, r.signature, r.created_at, r.input_tokens,
					r.output_tokens, r.cache_read_tokens, r.cache_write_tokens, r.cost_usd);
			if v_conflict is not null then
				perform styrby.fail('append_conflict', jsonb_build_object('seq', v_conflict));
			end if;
		end if;
		if v_to <= v_last then
			return jsonb_build_object('last_seq', v_last);
		end if;
		v_from := v_last + 1;
		insert into public.session_messages (
			session_id, seq, user_id, epoch, nonce, ciphertext, signature, created_at,
			input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd
		)
		select
			p_session, r.seq, v_user, r.epoch, r.nonce, r.ciphertext, r.signature, r.created_at,
			r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_tokens, r.cost_usd
		from styrby.parse_messages(p_rows) as r
		where r.seq > v_last
		order by r.seq;
		v_more := styrby.settle_requests(v_user, p_session, p_rows, v_from);
		update public.sessions as s
		set
			last_seq = v_to,
			last_activity_at = greatest(s.last_activity_at, added.last_activity_at),
			pending = s.pending + v_more,
			input_tokens = s.input_tokens + added.input_tokens,
			output_tokens = s.output_tokens + added.output_tokens,
			cache_read_tokens = s.cache_read_tokens + added.cache_read_tokens,
			cache_write_tokens = s.cache_write_tokens + added.cache_write_tokens,
			cost_usd = s.cost_usd + added.cost_usd
		from (
			select
				max(m.created_at) as last_activity_at,
				sum(m.input_tokens) as input_tokens,
				sum(m.output_tokens) as output_tokens,
				sum(m.cache_read_tokens) as cache_read_tokens,
				sum(m.cache_write_tokens) as cache_write_tokens,
				sum(m.cost_usd) as cost_usd
			from public.session_messages as m
			where m.session_id = p_session and m.seq between v_from and v_to
		) as added
		where s.id = p_session;
	exception
		when data_exception or check_violation or not_null_violation then
			perform styrby.fail('malformed_row');
	end;
	perform styrby.tell_messages(p_session, v_from, v_to);
	perform styrby.tell_session(v_user, p_session);
	return jsonb_build_object('last_seq', v_to);
end
$$;

-- A page of a session, ascending: rows after p_after, or the last rows before p_before; at most 500, and
-- no more than 4 MiB of ciphertext but at least one row. {rows, more}: `more` when the page is short for
-- its size only. `no_such_session`.
create function public.read_messages(
	p_session uuid,
	p_after bigint default null,
	p_before bigint default null,
	p_limit integer default 500
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_limit integer := styrby.page(p_limit, 500);
	v_rows jsonb;
	v_more boolean;
begin
	if not exists (select from public.sessions where id = p_session and user_id = v_user) then
		perform styrby.fail('no_such_session');
	end if;
	if p_before is null then
		with page as (
			select m, m.seq, sum(octet_length(m.ciphertext)) over (order by m.seq) as size_to,
				octet_length(m.ciphertext) as size
			from public.session_messages as m
			where m.session_id = p_session and m.user_id = v_user and m.seq > coalesce(p_after, 0)
			order by m.seq
			limit v_limit
		)
		select
			jsonb_agg(styrby.message_json(m) order by seq) filter (where size_to - size < 4194304),
			bool_or(size_to - size >= 4194304)
		into v_rows, v_more
		from page;
	else
		with page as (
			select m, m.seq, sum(octet_length(m.ciphertext)) over (order by m.seq desc) as size_to,
				octet_length(m.ciphertext) as size
			from public.session_messages as m
			where m.session_id = p_session and m.user_id = v_user and m.seq < p_before
			order by m.seq desc
			limit v_limit
		)
		select
			jsonb_agg(styrby.message_json(m) order by seq) filter (where size_to - size < 4194304),
			bool_or(size_to - size >= 4194304)
		into v_rows, v_more
		from page;
	end if;
	return jsonb_build_object('rows', coalesce(v_rows, '[]'), 'more', coalesce(v_more, false));
end
$$;

create function styrby.request_json(p_request public.permission_requests) returns jsonb
language sql stable
return pg_catalog.jsonb_build_object(
	'id', p_request.id,
	'session', p_request.session_id,
	'seq', p_request.seq,
	'status', p_request.status,
	'created_at', styrby.iso(p_request.created_at),
	'expires_at', styrby.iso(p_request.expires_at),
	'closed_at', styrby.iso(p_request.closed_at)
);

-- Pending requests oldest first, or (p_status 'all') all of them newest first; at most 500.
create function public.list_requests(
	p_status text,
	p_limit integer,
	p_session uuid default null
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_limit integer := styrby.page(p_limit, 500);
begin
	if p_status = 'pending' then
		return (
			select coalesce(jsonb_agg(styrby.request_json(page) order by created_at, id), '[]')
			from (
				select * from public.permission_requests
				where user_id = v_user and status = 'pending'
					and (p_session is null or session_id = p_session)
				order by created_at, id
				limit v_limit
			) as page
		);
	end if;
	return (
		select coalesce(jsonb_agg(styrby.request_json(page) order by created_at desc, id desc), '[]')
		from (
			select * from public.permission_requests
			where user_id = v_user and (p_session is null or session_id = p_session)
			order by created_at desc, id desc
			limit v_limit
		) as page
	);
end
$$;

-- One request, or null.
create function public.read_request(p_request uuid) returns jsonb
language sql stable
set search_path = ''
as $$
	select styrby.request_json(r)
	from public.permission_requests as r
	where r.user_id = (select styrby.me()) and r.id = p_request
$$;

revoke all on function
	styrby.message_json(public.session_messages),
	styrby.parse_messages(jsonb),
	styrby.settle_requests(uuid, uuid, jsonb, bigint),
	styrby.tell_request(uuid, uuid, uuid, text),
	styrby.tell_messages(uuid, bigint, bigint),
	styrby.request_json(public.permission_requests)
from public, anon, authenticated;
grant execute on function
	styrby.message_json(public.session_messages),
	styrby.request_json(public.permission_requests)
to authenticated;
revoke all on function
	public.append_messages(uuid, jsonb),
	public.read_messages(uuid, bigint, bigint, integer),
	public.list_requests(text, integer, uuid),
	public.read_request(uuid)
from public, anon, authenticated;
grant execute on function
	public.append_messages(uuid, jsonb),
	public.read_messages(uuid, bigint, bigint, integer),
	public.list_requests(text, integer, uuid),
	public.read_request(uuid)
to authenticated;
