-- The demo's people and a few conversations.  Can be run twice.

begin;

insert into messaging.people (id, first_name, last_name, avatar_url, role)
values
    ('user_therapist_ana', 'Ana', 'Reyes', '/avatars/ana.svg', 'therapist'),
    ('user_therapist_ben', 'Ben', 'Okafor', '/avatars/ben.svg', 'therapist'),
    ('user_client_mia', 'Mia', 'Santos', '/avatars/mia.svg', 'client'),
    ('user_client_jun', 'Jun', 'Castillo', '/avatars/jun.svg', 'client'),
    ('user_client_rosa', 'Rosa', 'Dela Cruz', null, 'client'),
    ('user_moderator_sol', 'Sol', 'Navarro', '/avatars/sol.svg', 'moderator'),
    ('user_admin_kai', 'Kai', 'Lindqvist', null, 'admin')
on conflict (id) do nothing;

-- in the demo anyone may contact anyone
create or replace function messaging.may_contact(p_from text, p_to text)
returns boolean
language sql stable
set search_path = messaging, pg_temp
as $$ select true $$;

do $$
declare
    v_id uuid;
    v_message uuid;
begin
    if exists (select from messaging.conversations) then
        return;
    end if;

    select id into v_id from messaging.conversation_create(
        'user_client_mia', 'DIRECT', array['user_therapist_ana'], null, null,
        null, null) where kind = 'c';
    select id into v_message from messaging.message_send('user_client_mia',
        v_id, messaging.new_id(), 'Good morning, may I move our appointment?',
        'TEXT', null, null, null, null, null, null) where kind = 'm';
    perform messaging.message_read('user_therapist_ana', v_message);
    perform messaging.message_send('user_therapist_ana', v_id,
        messaging.new_id(), 'Of course. Would Thursday at ten suit you?',
        'TEXT', v_message, null, null, null, null, null);

    select id into v_id from messaging.conversation_create(
        'user_client_jun', 'DIRECT', array['user_therapist_ben'], null, null,
        null, null) where kind = 'c';
    perform messaging.message_send('user_client_jun', v_id,
        messaging.new_id(), 'Salamat po, the breathing exercise helped.',
        'TEXT', null, null, null, null, null, null);

    select id into v_id from messaging.conversation_create(
        'user_therapist_ana', 'GROUP',
        array['user_client_mia', 'user_client_jun', 'user_client_rosa'],
        'Sleep and rest', null, null, null) where kind = 'c';
    perform messaging.message_send('user_therapist_ana', v_id,
        messaging.new_id(), 'Welcome, everybody. We begin on Monday.',
        'TEXT', null, null, null, null, null, null);

    select id into v_id from messaging.conversation_create(
        'user_client_rosa', 'SUPPORT', array[]::text[], null, null, null,
        null) where kind = 'c';
    perform messaging.message_send('user_client_rosa', v_id,
        messaging.new_id(), 'I cannot find my next appointment.',
        'TEXT', null, null, null, null, null, null);
end
$$;

commit;
