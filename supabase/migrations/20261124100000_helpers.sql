-- Helpers of the functions to come. They live in a schema of their own that the API does not expose.
-- Every function in here and after: empty search_path, no user id among its arguments.

create schema styrby;
revoke all on schema styrby from public;
grant usage on schema styrby to authenticated;

-- Grows with each change of the functions that a client can notice.
create function public.schema_version() returns integer
language sql immutable
set search_path = ''
as $$ select 1 $$;

-- Every error of ours: a stable code as the message, JSON as the detail.
create function styrby.fail(p_code text, p_detail jsonb default '{}') returns void
language plpgsql
set search_path = ''
as $$
begin
	raise exception using errcode = 'P0001', message = p_code, detail = p_detail::text;
end
$$;

-- The signed-in account, or `not_signed_in`.
create function styrby.me() returns uuid
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

-- Standard base64 in one line: encode() breaks lines after 76 characters.
create function styrby.base64(p_bytes bytea) returns text
language sql immutable parallel safe
return pg_catalog.translate(pg_catalog.encode(p_bytes, 'base64'), E'\n', '');

create function styrby.bytes(p_text text) returns bytea
language sql immutable parallel safe
return pg_catalog.decode(p_text, 'base64');

-- ISO 8601 in UTC: milliseconds as clients write them, and microseconds where there are any, so that
-- nothing about a stored time stays hidden.
create function styrby.iso(p_at timestamptz) returns text
language sql stable parallel safe
return pg_catalog.regexp_replace(
	pg_catalog.to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
	'000Z$',
	'Z'
);

-- Reads ISO 8601 with a zone, cut to milliseconds as JavaScript cuts it. Anything else ('now', 'infinity',
-- a day alone) is a data exception.
create function styrby.instant(p_text text) returns timestamptz
language plpgsql stable parallel safe
set search_path = ''
as $$
declare
	v_parts text[];
	v_at timestamptz;
begin
	if p_text is null then
		return null;
	end if;
	v_parts := regexp_match(
		p_text,
		'^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}(?::\d{2})?)(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})$'
	);
	if v_parts is null then
		raise exception using errcode = '22007', message = 'not a time in ISO 8601 with a zone';
	end if;
	v_at := (v_parts[1] || ' ' || v_parts[2] || left(coalesce(v_parts[3], ''), 4) || v_parts[4])::timestamptz;
	if v_at < timestamptz '1970-01-01 00:00:00Z' or v_at >= timestamptz '9999-01-01 00:00:00Z' then
		raise exception using errcode = '22008', message = 'a time out of range';
	end if;
	return v_at;
end
$$;

-- The elements of a JSON array of strings of at most p_limit elements.
create function styrby.texts(p_array jsonb, p_limit integer) returns text[]
language plpgsql immutable
set search_path = ''
as $$
begin
	if p_array is null or jsonb_typeof(p_array) <> 'array' or jsonb_array_length(p_array) > p_limit
		or exists (select from jsonb_array_elements(p_array) as e where jsonb_typeof(e) <> 'string')
	then
		perform styrby.fail('malformed_argument', jsonb_build_object('at_most', p_limit));
	end if;
	return array(select jsonb_array_elements_text(p_array));
end
$$;

-- A page size between 1 and p_most.
create function styrby.page(p_limit integer, p_most integer) returns integer
language sql immutable parallel safe
return least(greatest(coalesce(p_limit, p_most), 1), p_most);

-- Tells whoever follows a topic. A hint only: nothing depends on it.
create function styrby.announce(p_topic text, p_event text, p_payload jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
	perform realtime.send(p_payload, p_event, p_topic, true);
end
$$;

revoke all on all functions in schema styrby from public, anon, authenticated;
grant execute on function
	styrby.fail(text, jsonb),
	styrby.me(),
	styrby.base64(bytea),
	styrby.iso(timestamptz),
	styrby.instant(text),
	styrby.texts(jsonb, integer),
	styrby.page(integer, integer)
to authenticated;

revoke all on function public.schema_version() from public, anon, authenticated;
grant execute on function public.schema_version() to anon, authenticated;
