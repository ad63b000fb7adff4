-- message_send as a socket calls it: one of the 50 pairs of the rows of
-- latency, no Idempotency-Key.
\set k 2 * random(1, 50) - 1
\set conversation 100000000000 + :k
\set s :s + 1
\set number 8000000000000000 + :s * 1000 + :client_id
select * from messaging.message_send(('live_' || :k::text)::text, ('00000000000070008000' || :conversation::text)::uuid, (:run::text || :number::text)::uuid, 'Better 0000000000000001', 'TEXT', null::uuid, null::text, null::text, null::bigint, null::text, null::text);
