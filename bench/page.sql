-- message_page as the module calls it: the newest 50 of a DIRECT.
\set k random(2, 101)
\set person :k - 1
\set conversation 100000000000 + :k
select * from messaging.message_page(('bench_' || :person::text)::text, ('00000000000070008000' || :conversation::text)::uuid, 'page', 1::bigint, null::uuid, 50::bigint);
