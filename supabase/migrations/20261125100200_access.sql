-- Which keys were handed to whom. Clients check what they can of it: a grant is only known to be good by
-- the device that opens it.

create index key_grants_to_device on public.key_grants (user_id, to_device, scope, epoch);

-- Scopes after p_after in which p_by was given a key that p_to was not: at most p_limit (500). What was
-- granted to p_to is counted only when it was granted by p_by, where p_again is set.
-- {scopes, left: number of all that are after p_after}.
create function public.list_key_gaps(
	p_to uuid,
	p_by uuid,
	p_after text default null,
	p_limit integer default 500,
	p_again boolean default false
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_scopes text[];
begin
	select coalesce(array_agg(gaps.scope order by gaps.scope), '{}') into v_scopes
	from (
		select distinct held.scope
		from public.key_grants as held
		where held.user_id = v_user and held.to_device = p_by
			and held.scope > coalesce(p_after, '')
			-- One look into the index for each; joined, without statistics, it is every key against every other.
			and (
				select given.epoch
				from public.key_grants as given
				where given.user_id = v_user and given.to_device = p_to
					and given.scope = held.scope and given.epoch = held.epoch
					and (not p_again or given.by_device = p_by)
				limit 1
			) is null
	) as gaps;
	return jsonb_build_object(
		'scopes', to_jsonb(v_scopes[1:styrby.page(p_limit, 500)]),
		'left', cardinality(v_scopes)
	);
end
$$;

-- Who was given the keys of which scope: scopes after p_after, at most p_limit (200), or those of p_scopes
-- alone, and of their grants all or those of one device.
-- {scopes: [{scope, epochs, grants: [{epoch, to, by, created_at}]}], more}.
create function public.list_access(
	p_after text default null,
	p_limit integer default 200,
	p_device uuid default null,
	p_scopes jsonb default null
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
	v_user uuid := styrby.me();
	v_limit integer := styrby.page(p_limit, 200);
	v_wanted text[];
	v_scopes text[];
begin
	if jsonb_typeof(p_scopes) <> 'null' then
		v_wanted := styrby.texts(p_scopes, 200);
	end if;
	select coalesce(array_agg(page.scope order by page.scope), '{}') into v_scopes
	from (
		select e.scope
		from public.key_epochs as e
		where e.user_id = v_user and e.epoch = 0 and e.scope > coalesce(p_after, '')
			and (v_wanted is null or e.scope = any (v_wanted))
		order by e.scope
		limit v_limit + 1
	) as page;
	return jsonb_build_object(
		'more', cardinality(v_scopes) > v_limit,
		'scopes', (
			select coalesce(
				jsonb_agg(
					jsonb_build_object(
						'scope', s.scope,
						'epochs', (
							select count(*) from public.key_epochs as e
							where e.user_id = v_user and e.scope = s.scope
						),
						'grants', (
							select coalesce(
								jsonb_agg(
									jsonb_build_object(
										'epoch', g.epoch,
										'to', g.to_device,
										'by', g.by_device,
										'created_at', styrby.iso(g.created_at)
									)
									order by g.epoch, g.to_device, g.by_device
								),
								'[]'
							)
							from public.key_grants as g
							where g.user_id = v_user and g.scope = s.scope
								and (p_device is null or g.to_device = p_device)
						)
					)
					order by s.scope
				),
				'[]'
			)
			from unnest(v_scopes[1:v_limit]) as s(scope)
		)
	);
end
$$;

-- Of how many sessions each device was given a key: {device, sessions}.
create function public.count_access() returns jsonb
language sql stable
set search_path = ''
as $$
	select coalesce(
		jsonb_agg(jsonb_build_object('device', c.device, 'sessions', c.sessions) order by c.device),
		'[]'
	)
	from (
		select g.to_device as device, count(distinct g.scope) as sessions
		from public.key_grants as g
		where g.user_id = (select styrby.me()) and g.scope like 'session:%'
		group by g.to_device
	) as c
$$;

revoke all on function
	public.list_key_gaps(uuid, uuid, text, integer, boolean),
	public.list_access(text, integer, uuid, jsonb),
	public.count_access()
from public, anon, authenticated;
grant execute on function
	public.list_key_gaps(uuid, uuid, text, integer, boolean),
	public.list_access(text, integer, uuid, jsonb),
	public.count_access()
to authenticated;
