-- The device log, and what the server makes of it: a projection that clients check and never trust.

create table public.machines (
	user_id uuid not null references auth.users (id) on delete cascade,
	id uuid not null,
	added_at timestamptz not null,
	last_seen_at timestamptz,
	primary key (user_id, id)
);

-- A key is never changed and never deleted: revoking one leaves it, and all that it signed, in place.
create table public.machine_keys (
	user_id uuid not null references auth.users (id) on delete cascade,
	machine_id uuid not null,
	kind text not null check (kind ~ '^[a-z_]{1,20}$'),
	box bytea not null check (octet_length(box) = 32),
	sign bytea not null check (octet_length(sign) = 32),
	added_at timestamptz not null,
	revoked_at timestamptz,
	primary key (user_id, machine_id),
	foreign key (user_id, machine_id) references public.machines (user_id, id)
);

create table public.device_log (
	user_id uuid not null references auth.users (id) on delete cascade,
	seq bigint not null check (seq >= 0),
	entry bytea not null check (octet_length(entry) between 2 and 65536),
	signature bytea not null check (octet_length(signature) = 64),
	created_at timestamptz not null default now(),
	primary key (user_id, seq)
);

alter table public.machines enable row level security;
alter table public.machine_keys enable row level security;
alter table public.device_log enable row level security;
revoke all on public.machines, public.machine_keys, public.device_log from public, anon, authenticated;
grant select on public.machines, public.machine_keys, public.device_log to authenticated;

create policy own_machines on public.machines
	for select to authenticated using (user_id = (select auth.uid()));
create policy own_machine_keys on public.machine_keys
	for select to authenticated using (user_id = (select auth.uid()));
create policy own_device_log on public.device_log
	for select to authenticated using (user_id = (select auth.uid()));

-- Takes over what an entry of version 1 says of devices. Later versions are kept, not understood.
create function styrby.project_entry(p_user uuid, p_entry jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
	v_device jsonb := p_entry -> 'device';
	v_at timestamptz;
begin
	if p_entry -> 'v' is distinct from to_jsonb(1) then
		return;
	end if;
	v_at := styrby.instant(p_entry ->> 'at');
	if p_entry ->> 'type' in ('genesis', 'add') then
		insert into public.machines (user_id, id, added_at)
		values (p_user, (v_device ->> 'id')::uuid, v_at)
		on conflict do nothing;
		insert into public.machine_keys (user_id, machine_id, kind, box, sign, added_at)
		values (
			p_user,
			(v_device ->> 'id')::uuid,
			v_device ->> 'kind',
			styrby.bytes(v_device ->> 'box'),
			styrby.bytes(v_device ->> 'sign'),
			v_at
		)
		on conflict do nothing;
	elsif p_entry ->> 'type' = 'revoke' then
		update public.machine_keys
		set revoked_at = v_at
		where user_id = p_user and machine_id = (v_device #>> '{}')::uuid and revoked_at is null;
	end if;
end
$$;

-- Appends the next entry. The same entry again changes nothing; another one at a number that is taken, or
-- a number that is not the next one, is `log_conflict` with {"next": n}.
create function public.append_log(p_seq bigint, p_entry text, p_signature text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_bytes bytea;
	v_signature bytea;
	v_next bigint;
begin
	select coalesce(max(seq) + 1, 0) into v_next from public.device_log where user_id = v_user;
	begin
		v_bytes := styrby.bytes(p_entry);
		v_signature := styrby.bytes(p_signature);
		if exists (
			select from public.device_log
			where user_id = v_user and seq = p_seq and entry = v_bytes and signature = v_signature
		) then
			return;
		end if;
		if p_seq is distinct from v_next then
			perform styrby.fail('log_conflict', jsonb_build_object('next', v_next));
		end if;
		insert into public.device_log (user_id, seq, entry, signature)
		values (v_user, p_seq, v_bytes, v_signature);
		perform styrby.project_entry(v_user, convert_from(v_bytes, 'UTF8')::jsonb);
	exception
		when unique_violation then
			perform styrby.fail('log_conflict', jsonb_build_object('next', v_next + 1));
		when data_exception or check_violation or not_null_violation or program_limit_exceeded then
			perform styrby.fail('malformed_entry');
	end;
	perform styrby.announce('account:' || v_user, 'log', jsonb_build_object('seq', p_seq));
end
$$;

-- Entries after p_after, ascending, at most 1,000: {seq, entry, signature}.
create function public.read_log(p_after bigint) returns jsonb
language sql stable
set search_path = ''
as $$
	select coalesce(
		jsonb_agg(
			jsonb_build_object(
				'seq', page.seq,
				'entry', styrby.base64(page.entry),
				'signature', styrby.base64(page.signature)
			)
			order by page.seq
		),
		'[]'
	)
	from (
		select seq, entry, signature
		from public.device_log
		where user_id = (select styrby.me()) and seq > coalesce(p_after, -1)
		order by seq
		limit 1000
	) as page
$$;

-- The projection: {device, box, sign, kind, added_at, revoked_at, last_seen_at}, oldest first.
create function public.list_machine_keys() returns jsonb
language sql stable
set search_path = ''
as $$
	select coalesce(
		jsonb_agg(
			jsonb_build_object(
				'device', k.machine_id,
				'box', styrby.base64(k.box),
				'sign', styrby.base64(k.sign),
				'kind', k.kind,
				'added_at', styrby.iso(k.added_at),
				'revoked_at', styrby.iso(k.revoked_at),
				'last_seen_at', styrby.iso(m.last_seen_at)
			)
			order by k.added_at, k.machine_id
		),
		'[]'
	)
	from public.machine_keys as k
	join public.machines as m on m.user_id = k.user_id and m.id = k.machine_id
	where k.user_id = (select styrby.me())
$$;

-- Notes that a device was here, at most once a minute.
create function public.touch_device(p_device uuid) returns void
language sql security definer
set search_path = ''
as $$
	update public.machines
	set last_seen_at = now()
	where user_id = styrby.me() and id = p_device
		and (last_seen_at is null or last_seen_at < now() - interval '1 minute')
$$;

revoke all on function styrby.project_entry(uuid, jsonb) from public, anon, authenticated;
revoke all on function
	public.append_log(bigint, text, text),
	public.read_log(bigint),
	public.list_machine_keys(),
	public.touch_device(uuid)
from public, anon, authenticated;
grant execute on function
	public.append_log(bigint, text, text),
	public.read_log(bigint),
	public.list_machine_keys(),
	public.touch_device(uuid)
to authenticated;
