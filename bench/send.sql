-- message_send as the module calls it: one of 100 DIRECT conversations, an
-- id that rises, an Idempotency-Key, the digest of a body.
\set k random(2, 101)
\set person :k - 1
\set conversation 100000000000 + :k
\set s :s + 1
\set number 8000000000000000 + :s * 1000 + :client_id
select * from messaging.message_send(('bench_' || :person::text)::text, ('00000000000070008000' || :conversation::text)::uuid, (:run::text || :number::text)::uuid, 'I feel better today, mostly about the walk and what we said of it. Could we speak of it again?', 'TEXT', null::uuid, null::text, null::text, null::bigint, (:run::text || :number::text)::text, '5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef');
