-- A device that wants to join leaves a sealed request under an id that only the code on its screen gives;
-- a registered device answers it, once. The server can open neither.

create table public.pairings (
	user_id uuid not null references auth.users (id) on delete cascade,
	id bytea not null check (octet_length(id) = 16),
	nonce bytea not null check (octet_length(nonce) = 24),
	ciphertext bytea not null check (octet_length(ciphertext) between 16 and 16384),
	created_at timestamptz not null default clock_timestamp(),
	answer_nonce bytea check (octet_length(answer_nonce) = 24),
	answer_ciphertext bytea check (octet_length(answer_ciphertext) between 16 and 16384),
	primary key (user_id, id),
	check (num_nulls(answer_nonce, answer_ciphertext) in (0, 2))
);

alter table public.pairings enable row level security;
revoke all on public.pairings from public, anon, authenticated;
grant select on public.pairings to authenticated;
create policy own_pairings on public.pairings
	for select to authenticated
	using (user_id = (select auth.uid()) and not (select styrby.sign_in_ended()));

create function styrby.pairing_lives(p_created timestamptz) returns boolean
language sql stable
return p_created > now() - interval '10 minutes';

-- Posts {id, nonce, ciphertext}, for ten minutes. The same again changes nothing, another request under the
-- same id is `pairing_conflict`; 20 may wait (`too_many_pairings`). `malformed_pairing`.
create function public.post_pairing(p_pairing jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
begin
	delete from public.pairings where user_id = v_user and not styrby.pairing_lives(created_at);
	if (select count(*) from public.pairings where user_id = v_user) >= 20 then
		perform styrby.fail('too_many_pairings', '{"at_most": 20}');
	end if;
	begin
		insert into public.pairings (user_id, id, nonce, ciphertext)
		values (
			v_user,
			styrby.bytes(p_pairing ->> 'id'),
			styrby.bytes(p_pairing ->> 'nonce'),
			styrby.bytes(p_pairing ->> 'ciphertext')
		)
		on conflict do nothing;
	exception
		when data_exception or check_violation or not_null_violation then
			perform styrby.fail('malformed_pairing');
	end;
	if not exists (
		select from public.pairings
		where user_id = v_user and id = styrby.bytes(p_pairing ->> 'id')
			and ciphertext = styrby.bytes(p_pairing ->> 'ciphertext')
			and nonce = styrby.bytes(p_pairing ->> 'nonce')
	) then
		perform styrby.fail('pairing_conflict');
	end if;
end
$$;

-- {id, nonce, ciphertext, created_at, answer: {nonce, ciphertext} or null}; null when there is none, or it
-- is over ten minutes old.
create function public.read_pairing(p_id text) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
begin
	return (
		select jsonb_build_object(
			'id', styrby.base64(p.id),
			'nonce', styrby.base64(p.nonce),
			'ciphertext', styrby.base64(p.ciphertext),
			'created_at', styrby.iso(p.created_at),
			'answer', case when p.answer_nonce is not null then jsonb_build_object(
				'nonce', styrby.base64(p.answer_nonce),
				'ciphertext', styrby.base64(p.answer_ciphertext)
			) end
		)
		from public.pairings as p
		where p.user_id = v_user and p.id = styrby.bytes(p_id) and styrby.pairing_lives(p.created_at)
	);
exception
	when data_exception then
		perform styrby.fail('malformed_pairing');
		return null;
end
$$;

-- Answers a request {id, nonce, ciphertext}. The same again changes nothing; `pairing_answered` when it has
-- another answer, `no_such_pairing` when it is not there or too old. `malformed_pairing`.
create function public.answer_pairing(p_answer jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_nonce bytea;
	v_ciphertext bytea;
	v_pairing public.pairings;
begin
	begin
		v_nonce := styrby.bytes(p_answer ->> 'nonce');
		v_ciphertext := styrby.bytes(p_answer ->> 'ciphertext');
		select * into v_pairing from public.pairings
		where user_id = v_user and id = styrby.bytes(p_answer ->> 'id')
		for update;
		if v_pairing.id is null or not styrby.pairing_lives(v_pairing.created_at) then
			perform styrby.fail('no_such_pairing');
		end if;
		if v_pairing.answer_nonce is not null then
			if v_pairing.answer_nonce is distinct from v_nonce
				or v_pairing.answer_ciphertext is distinct from v_ciphertext
			then
				perform styrby.fail('pairing_answered');
			end if;
			return;
		end if;
		if v_nonce is null or v_ciphertext is null then
			perform styrby.fail('malformed_pairing');
		end if;
		update public.pairings
		set answer_nonce = v_nonce, answer_ciphertext = v_ciphertext
		where user_id = v_user and id = v_pairing.id;
	exception
		when data_exception or check_violation then
			perform styrby.fail('malformed_pairing');
	end;
end
$$;

-- Takes a request back. Deleting again changes nothing.
create function public.delete_pairing(p_id text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
begin
	delete from public.pairings where user_id = v_user and id = styrby.bytes(p_id);
exception
	when data_exception then
		perform styrby.fail('malformed_pairing');
end
$$;

revoke all on function styrby.pairing_lives(timestamptz) from public, anon, authenticated;
grant execute on function styrby.pairing_lives(timestamptz), styrby.bytes(text) to authenticated;
revoke all on function
	public.post_pairing(jsonb),
	public.read_pairing(text),
	public.answer_pairing(jsonb),
	public.delete_pairing(text)
from public, anon, authenticated;
grant execute on function
	public.post_pairing(jsonb),
	public.read_pairing(text),
	public.answer_pairing(jsonb),
	public.delete_pairing(text)
to authenticated;
