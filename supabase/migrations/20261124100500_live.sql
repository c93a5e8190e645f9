-- Who may join which topic. `account:<id>` is the account's own and only listened to; `session:<id>` is
-- for the owner of the session, whose devices may also send: text while it is written, and heartbeats.

create policy styrby_listen on realtime.messages
	for select to authenticated
	using (
		extension = 'broadcast'
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

create policy styrby_send on realtime.messages
	for insert to authenticated
	with check (
		extension = 'broadcast'
		and exists (
			select from public.sessions as s
			where s.user_id = (select auth.uid())
				and s.id = (select case
					when realtime.topic() ~ '^session:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
					then substr(realtime.topic(), 9)::uuid
				end)
		)
	);
