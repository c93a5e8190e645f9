-- Ends what a revoked device is signed in with. A sign-in belongs to the device that it names first; once
-- the log revokes that device, the sign-in may read the log, so that the device can check its own
-- revocation, and nothing else.

create table styrby.sign_ins (
	user_id uuid not null references auth.users (id) on delete cascade,
	session_id uuid not null,
	machine_id uuid not null,
	primary key (user_id, session_id),
	foreign key (user_id, machine_id) references public.machines (user_id, id) on delete cascade
);
create index sign_ins_of_machine on styrby.sign_ins (user_id, machine_id);

alter table styrby.sign_ins enable row level security;
revoke all on styrby.sign_ins from public, anon, authenticated;

-- Whether the sign-in of whoever asks belongs to a device that was revoked.
create function styrby.sign_in_ended() returns boolean
language sql stable security definer
set search_path = ''
as $$
	select exists (
		select from styrby.sign_ins as s
		join public.machine_keys as k on k.user_id = s.user_id and k.machine_id = s.machine_id
		where s.user_id = (select auth.uid())
			and s.session_id::text = (select auth.jwt() ->> 'session_id')
			and k.revoked_at is not null
	)
$$;

-- The signed-in account, also for a device that was revoked; or `not_signed_in`.
create function styrby.even_revoked() returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
	v_user uuid := auth.uid();
begin
	if v_user is null then
		perform styrby.fail('not_signed_in');
	end if;
	return v_user;
end
$$;

-- The signed-in account, or `not_signed_in`, or `sign_in_revoked`.
create or replace function styrby.me() returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
	v_user uuid := styrby.even_revoked();
begin
	if styrby.sign_in_ended() then
		perform styrby.fail('sign_in_revoked');
	end if;
	return v_user;
end
$$;

-- Also deletes the sign-in itself, so that it can't be renewed. Where the role that owns this function may
-- not do that, the sign-in can be renewed, and is as useless.
create function styrby.end_sign_ins() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
	begin
		delete from auth.sessions
		where user_id = new.user_id and id in (
			select session_id from styrby.sign_ins
			where user_id = new.user_id and machine_id = new.machine_id
		);
	exception
		when insufficient_privilege or undefined_table or undefined_column then
			null;
	end;
	return null;
end
$$;
create trigger end_sign_ins
	after update of revoked_at on public.machine_keys
	for each row
	when (old.revoked_at is null and new.revoked_at is not null)
	execute function styrby.end_sign_ins();

-- Notes that a device was here, at most once a minute, and whose sign-in this is.
create or replace function public.touch_device(p_device uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_session text := auth.jwt() ->> 'session_id';
begin
	update public.machines
	set last_seen_at = now()
	where user_id = v_user and id = p_device
		and (last_seen_at is null or last_seen_at < now() - interval '1 minute');
	if v_session ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
		insert into styrby.sign_ins (user_id, session_id, machine_id)
		select v_user, v_session::uuid, k.machine_id
		from public.machine_keys as k
		where k.user_id = v_user and k.machine_id = p_device
			-- A recovery key has no sign-in of its own: it uses that of the device it brings back.
			and k.kind = 'device'
		on conflict do nothing;
	end if;
end
$$;

-- Entries after p_after, ascending, at most 1,000: {seq, entry, signature}.
create or replace function public.read_log(p_after bigint) returns jsonb
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
		where user_id = (select styrby.even_revoked()) and seq > coalesce(p_after, -1)
		order by seq
		limit 1000
	) as page
$$;

alter policy own_machines on public.machines
	using (user_id = (select auth.uid()) and not (select styrby.sign_in_ended()));
alter policy own_machine_keys on public.machine_keys
	using (user_id = (select auth.uid()) and not (select styrby.sign_in_ended()));
alter policy own_sessions on public.sessions
	using (user_id = (select auth.uid()) and not (select styrby.sign_in_ended()));
alter policy own_key_epochs on public.key_epochs
	using (user_id = (select auth.uid()) and not (select styrby.sign_in_ended()));
alter policy own_key_grants on public.key_grants
	using (user_id = (select auth.uid()) and not (select styrby.sign_in_ended()));
alter policy own_session_messages on public.session_messages
	using (user_id = (select auth.uid()) and not (select styrby.sign_in_ended()));
alter policy own_permission_requests on public.permission_requests
	using (user_id = (select auth.uid()) and not (select styrby.sign_in_ended()));
alter policy own_mail on public.mail
	using (user_id = (select auth.uid()) and not (select styrby.sign_in_ended()));

-- As before, but not for a device that was revoked.
alter policy styrby_listen on realtime.messages
	using (
		extension = 'broadcast'
		and not (select styrby.sign_in_ended())
		and (
			(select realtime.topic()) = 'account:' || (select auth.uid())
			or exists (
				select from public.sessions as s
				where s.user_id = (select auth.uid())
					and s.id = (select case
						when realtime.topic() ~ '^session:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
						then substr(realtime.topic(), 9)::uuid
					end)
			)
		)
	);
alter policy styrby_send on realtime.messages
	with check (
		extension = 'broadcast'
		and not (select styrby.sign_in_ended())
		and exists (
			select from public.sessions as s
			where s.user_id = (select auth.uid())
				and s.id = (select case
					when realtime.topic() ~ '^session:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
					then substr(realtime.topic(), 9)::uuid
				end)
		)
	);

create or replace function public.schema_version() returns integer
language sql immutable
set search_path = ''
as $$ select 2 $$;

revoke all on function
	styrby.sign_in_ended(),
	styrby.even_revoked(),
	styrby.end_sign_ins()
from public, anon, authenticated;
grant execute on function styrby.sign_in_ended(), styrby.even_revoked() to authenticated;
