-- What was spent: the messages that carry token counts or a cost, of all sessions.

create index session_messages_spent
	on public.session_messages (user_id, created_at, session_id, seq)
	where input_tokens + output_tokens + cache_read_tokens + cache_write_tokens > 0 or cost_usd > 0;

-- A page of those messages, newest first: those before the place that the three name, or from the newest
-- on; at most 500, and no more than 4 MiB of ciphertext but at least one row. {rows, more}.
create function public.read_spending(
	p_before text default null,
	p_session uuid default null,
	p_seq bigint default null,
	p_limit integer default 500
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_limit integer := styrby.page(p_limit, 500);
	v_before timestamptz := styrby.instant(p_before);
	v_rows jsonb;
	v_more boolean;
begin
	with page as (
		select m as message, m.created_at as at, m.session_id as session, m.seq,
			octet_length(m.ciphertext) as size
		from public.session_messages as m
		where m.user_id = v_user
			and (
				m.input_tokens + m.output_tokens + m.cache_read_tokens + m.cache_write_tokens > 0
				or m.cost_usd > 0
			)
			and (
				v_before is null
				or (m.created_at, m.session_id, m.seq) < (v_before, p_session, p_seq)
			)
		order by m.created_at desc, m.session_id desc, m.seq desc
		limit v_limit + 1
	), sized as (
		select message, at, session, seq, size,
			row_number() over (order by at desc, session desc, seq desc) as place,
			sum(size) over (order by at desc, session desc, seq desc) as size_to
		from page
	)
	select
		jsonb_agg(styrby.message_json(message) order by at desc, session desc, seq desc)
			filter (where place <= v_limit and size_to - size < 4194304),
		bool_or(place > v_limit or size_to - size >= 4194304)
	into v_rows, v_more
	from sized;
	return jsonb_build_object('rows', coalesce(v_rows, '[]'), 'more', coalesce(v_more, false));
end
$$;

revoke all on function public.read_spending(text, uuid, bigint, integer)
from public, anon, authenticated;
grant execute on function public.read_spending(text, uuid, bigint, integer) to authenticated;
