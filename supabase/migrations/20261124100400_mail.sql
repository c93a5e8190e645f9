-- Boxed commands on their way to a host, each until the host deletes it.

create table public.mail (
	user_id uuid not null,
	id uuid not null,
	session_id uuid not null references public.sessions (id) on delete cascade,
	from_device uuid not null,
	to_device uuid not null,
	nonce bytea not null check (octet_length(nonce) = 24),
	ciphertext bytea not null check (octet_length(ciphertext) between 16 and 262144),
	created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
	primary key (user_id, id)
);
create index mail_to_device on public.mail (user_id, to_device, created_at, id);
create index mail_of_session on public.mail (session_id);

alter table public.mail enable row level security;
revoke all on public.mail from public, anon, authenticated;
grant select on public.mail to authenticated;
create policy own_mail on public.mail
	for select to authenticated using (user_id = (select auth.uid()));

create function styrby.mail_json(p_mail public.mail) returns jsonb
language sql stable
return pg_catalog.jsonb_build_object(
	'id', p_mail.id,
	'session', p_mail.session_id,
	'from', p_mail.from_device,
	'to', p_mail.to_device,
	'nonce', styrby.base64(p_mail.nonce),
	'ciphertext', styrby.base64(p_mail.ciphertext),
	'created_at', styrby.iso(p_mail.created_at)
);

-- Posts {id, session, from, to, nonce, ciphertext}. The same id again changes nothing and is announced
-- again. What nobody fetched for 30 days is dropped, and 1,000 may wait for a device (`mailbox_full`).
-- `no_such_session`, `malformed_mail`.
create function public.post_mail(p_mail jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_to uuid;
	v_waiting bigint;
	v_row public.mail;
	v_payload jsonb;
begin
	begin
		v_to := (p_mail ->> 'to')::uuid;
		if not exists (
			select from public.sessions
			where id = (p_mail ->> 'session')::uuid and user_id = v_user
		) then
			perform styrby.fail('no_such_session');
		end if;
		delete from public.mail
		where user_id = v_user and to_device = v_to and created_at < now() - interval '30 days';
		select count(*) into v_waiting
		from (
			select from public.mail where user_id = v_user and to_device = v_to limit 1000
		) as waiting;
		if v_waiting >= 1000 then
			perform styrby.fail('mailbox_full', '{"at_most": 1000}');
		end if;
		insert into public.mail (user_id, id, session_id, from_device, to_device, nonce, ciphertext)
		values (
			v_user,
			(p_mail ->> 'id')::uuid,
			(p_mail ->> 'session')::uuid,
			(p_mail ->> 'from')::uuid,
			v_to,
			styrby.bytes(p_mail ->> 'nonce'),
			styrby.bytes(p_mail ->> 'ciphertext')
		)
		on conflict do nothing;
		select * into v_row from public.mail where user_id = v_user and id = (p_mail ->> 'id')::uuid;
	exception
		when data_exception or check_violation or not_null_violation then
			perform styrby.fail('malformed_mail');
	end;
	if octet_length(v_row.ciphertext) <= 12288 then
		v_payload := jsonb_build_object('mail', styrby.mail_json(v_row));
	else
		v_payload := jsonb_build_object('mail', null, 'to', v_row.to_device);
	end if;
	perform styrby.announce('account:' || v_user, 'mail', v_payload);
end
$$;

-- What waits for a device, oldest first: at most 200, and no more than 4 MiB but at least one; after the
-- mail p_after, when it is given. {mail, more}.
create function public.read_mail(p_device uuid, p_after uuid default null) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_at timestamptz := '-infinity';
	v_id uuid := '00000000-0000-0000-0000-000000000000';
	v_mail jsonb;
	v_more boolean;
begin
	if p_after is not null then
		select created_at, id into v_at, v_id
		from public.mail
		where user_id = v_user and id = p_after;
		if not found then
			return jsonb_build_object('mail', '[]'::jsonb, 'more', false);
		end if;
	end if;
	with page as (
		select m, m.created_at, m.id, octet_length(m.ciphertext) as size,
			sum(octet_length(m.ciphertext)) over (order by m.created_at, m.id) as size_to,
			row_number() over (order by m.created_at, m.id) as place
		from public.mail as m
		where m.user_id = v_user and m.to_device = p_device and (m.created_at, m.id) > (v_at, v_id)
		order by m.created_at, m.id
		limit 201
	)
	select
		jsonb_agg(styrby.mail_json(m) order by created_at, id)
			filter (where place <= 200 and size_to - size < 4194304),
		bool_or(place > 200 or size_to - size >= 4194304)
	into v_mail, v_more
	from page;
	return jsonb_build_object('mail', coalesce(v_mail, '[]'), 'more', coalesce(v_more, false));
end
$$;

-- Deletes mail of one's own by its ids (at most 1,000). Deleting again changes nothing.
create function public.delete_mail(p_ids jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
begin
	delete from public.mail
	where user_id = v_user and id = any (styrby.texts(p_ids, 1000)::uuid[]);
end
$$;

revoke all on function styrby.mail_json(public.mail) from public, anon, authenticated;
grant execute on function styrby.mail_json(public.mail) to authenticated;
revoke all on function
	public.post_mail(jsonb),
	public.read_mail(uuid, uuid),
	public.delete_mail(jsonb)
from public, anon, authenticated;
grant execute on function
	public.post_mail(jsonb),
	public.read_mail(uuid, uuid),
	public.delete_mail(jsonb)
to authenticated;
