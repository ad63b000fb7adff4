# b54: the schema is the same however often it is made, and keeps what is in it;
# b55: every call of the API goes by an index, however long the history.
use strict;
use warnings;
use lib 't/lib';
use File::Temp qw(tempfile);
use Mentara::Postgres;
use Test::More;

my $db = Mentara::Postgres->new(empty => 1);

sub migrate { system('sql/migrate.sh', $db->conninfo) == 0 }
# newer versions write a line with a random word
sub dumped {
    my @lines = grep { !/^\\(un)?restrict / } `pg_dump -d "@{[$db->conninfo]}" @_`;
    return join '', @lines;
}

# --- b54

ok(migrate(), 'b54: an empty database gets the schema');
my $schema = dumped('--schema-only');
like($schema, qr/CREATE TABLE messaging\.messages /, 'b54: which has tables');
like($schema, qr/CREATE FUNCTION messaging\.message_send\(/, 'b54: and functions');
ok(migrate(), 'b54: a second time');
is(dumped('--schema-only'), $schema, 'b54: changes nothing');
is(Mentara::Postgres->new->query('select messaging.schema_version()'),
   $db->query('select messaging.schema_version()'), 'b54: the version is the same');

$db->query(<<'SQL');
insert into messaging.people (id, first_name, role)
    select 'p' || i, 'Person ' || i, case when i % 2 = 0 then 'client' else 'therapist' end
      from generate_series(1, 4000) i;
select messaging.conversation_make(messaging.new_id(), 'DIRECT', 'p' || i, array['p' || i % 200 + 1], null,
    null, least('p' || i, 'p' || i % 200 + 1), greatest('p' || i, 'p' || i % 200 + 1))
  from generate_series(1, 200) i;
select messaging.conversation_make('00000000-0000-7000-8000-000000000055', 'GROUP', 'p1',
    array['p2', 'p3'], 'Long history', null);
select messaging.message_send('p1', '00000000-0000-7000-8000-000000000055', messaging.new_id(),
    'line ' || i, 'TEXT', null, null, null, null, 'key ' || i, 'hash') from generate_series(1, 50) i;
select messaging.reaction_add('p2', (select id from messaging.messages where seq = 7
    and conversation_id = '00000000-0000-7000-8000-000000000055'), U&'\+01F44D');
select messaging.block_add('p9', 'p11', 'a reason')
SQL
my $data = dumped('--data-only');
ok(migrate(), 'b54: again, over data');
is(dumped('--data-only'), $data, 'b54: keeps every id, time and text');

# in place of what ships, a clinic's own
$db->query(<<'SQL');
create or replace function messaging.may_contact(p_from text, p_to text) returns boolean
language sql stable as $$ select p_to <> 'p7' $$;
create or replace view messaging.directory as
    select id, first_name, last_name, avatar_url, role, is_active and id <> 'p8' as is_active
      from messaging.people
SQL
ok(migrate(), 'b54: again, over what a clinic has replaced');
is(join(' ', map { scalar $db->query("select $_") } "messaging.may_contact('p2', 'p4')",
        "messaging.may_contact('p1', 'p7')", "is_active from messaging.directory where id = 'p8'"),
   't f f', 'b54: which stays as the clinic made it');

# --- b55

my $c = '00000000-0000-7000-8000-000000000055';

# a conversation gets so many messages more, the others together ten times as many, and
# so do other tables
sub lengthen {
    my ($n) = @_;
    my $last = $db->query("select seq from messaging.conversations where id = '$c'");
    my $upto = $last + $n;
    my $new = "generate_series($last + 1, $upto) i";
    my $others = "messaging.conversations c, generate_series($last + 1, $last + $n / 20) i"
        . " where c.type = 'DIRECT'";

    $db->query($_) for <<"SQL", 'vacuum analyze';
insert into messaging.messages (conversation_id, seq, id, sender_id, content, type, created_at, updated_at)
    select '$c', i, messaging.new_id(), 'p' || 1 + i % 3, 'line ' || i || ' of word' || i % 1000, 'TEXT',
           now(), now() from $new;
insert into messaging.events (conversation_id, event_seq, kind, actor, message_seq, xid)
    select '$c', 100000 + i, 'new_message', 'p1', i, (1 + i % 500)::text::xid8 from $new;
insert into messaging.messages (conversation_id, seq, id, sender_id, content, type, created_at, updated_at)
    select c.id, i, messaging.new_id(), c.created_by, 'line ' || i || ' of term' || i % 1000, 'TEXT',
           now(), now() from $others;
insert into messaging.events (conversation_id, event_seq, kind, actor, message_seq, xid)
    select c.id, 100000 + i, 'new_message', c.created_by, i, (1 + i % 500)::text::xid8 from $others;
insert into messaging.read_marks (conversation_id, user_id, from_seq, upto_seq, read_at)
    select c.id, c.direct_low, i, i, now() from $others;
insert into messaging.reactions (conversation_id, seq, user_id, emoji, message_id, created_at)
    select c.id, i, c.direct_low, 'x', messaging.new_id(), now() from $others;
update messaging.participants set last_read_seq = $last + $n / 20 where conversation_id <> '$c';
update messaging.conversations set seq = $upto, event_seq = 100000 + $upto, last_message_at = now()
 where id = '$c';
insert into messaging.read_marks (conversation_id, user_id, from_seq, upto_seq, read_at)
    select '$c', 'p2', i, i, now() from generate_series($last + 1, $upto - 5) i;
insert into messaging.reactions (conversation_id, seq, user_id, emoji, message_id, created_at)
    select '$c', i, 'p3', 'x', messaging.new_id(), now() from $new;
insert into messaging.access_log (conversation_id, user_id, action, at)
    select gen_random_uuid(), 'p5', 'read', now() from $new;
insert into messaging.message_revisions (message_id, conversation_id, content, edited_at, edited_by)
    select gen_random_uuid(), '$c', 'x', now(), 'p1' from $new;
insert into messaging.blocks (blocker_id, blocked_id, created_at)
    select 'q' || i, 'q' || i + 1, now() from $new;
insert into messaging.conversation_keys (user_id, key, conversation_id, body_hash)
    select 'q' || i, 'key', '$c', 'x' from $new;
insert into messaging.conversations (id, type, created_by, session_id, is_active, created_at, updated_at)
    select gen_random_uuid(), 'SESSION', 'q' || i, 's' || i, true, now(), now() from $new;
insert into messaging.participants (conversation_id, user_id, role, joined_at)
    select c.id, x, 'MEMBER', now() from messaging.conversations c, unnest(array[c.created_by, 'r']) x
     where c.type = 'SESSION' on conflict do nothing;
insert into messaging.memberships (conversation_id, user_id, joined_event_seq)
    select conversation_id, user_id, 1 from messaging.participants on conflict do nothing
SQL
}

# statement => a call of it; where it writes, all is rolled back
my $own = "(select id from messaging.messages where conversation_id = '$c' and seq = 40)";
my %calls = (
    account => "'p1'",
    conversation_create => "'p1', 'DIRECT', array['p4'], null, null, 'key', 'hash'",
    conversation_list => "'p1', 1, 20, null, null, 'false'",
    conversation_get => "'p1', '$c'",
    conversation_update => "'p1', '$c', true, 'Title', true, false, null",
    participant_add => "'p1', '$c', 'p6', 'MEMBER'",
    participant_update => "'p1', '$c', 'p2', 'MODERATOR'",
    participant_remove => "'p1', '$c', 'p2'",
    support_list => "'p1', 20, 1", support_claim => "'p1', '$c'", support_unclaim => "'p1', '$c'",
    message_page => "'p1', '$c', 'before', 30, null, 50",
    message_send => "'p1', '$c', messaging.new_id(), 'text', 'TEXT', $own, null, null, null, 'new', 'hash'",
    message_get => "'p1', $own", message_edit => "'p1', $own, 'other text'",
    message_delete => "'p1', $own", message_revisions => "'p1', $own", message_read => "'p2', $own",
    message_read_batch => "'p2', '$c', array[$own]",
    reaction_add => "'p2', $own, 'y'", reaction_remove => "'p2', $own, 'x'",
    block_add => "'p1', 'p2', null", block_remove => "'p9', 'p11'", block_list => "'p9'",
    message_search => "'p4', 'word7 line', null, null, null, null, null, 1, 20",
    contact_list => "'p1', 'Per', 20", access_list => "'p1', '$c'",
    health => '', server_key => '', sweep_delta => 'pg_current_snapshot()',
    sweep_events => "array['$c']::uuid[], array[100010]::bigint[], 50",
    attach => "'p1', pg_snapshot_xmin(pg_current_snapshot()), array[]::uuid[], array[]::bigint[], 50",
    presence_contacts => "'p1'", accounts_check => "array['p1'], array['client']",
    deliver_marks => "array['$c']::uuid[], array['p2'], array[40]::bigint[]",
);
my $statements = do { open my $fh, '<', 'src/pg/ngx_mentara_statements.c' or die; local $/; <$fh> };
is_deeply([sort keys %calls], [sort keys %{ { map { $_ => 1 } $statements =~ /from messaging\.(\w+)\(/g } }],
          'b55: every statement of the module is looked at');

# the plans of all that a call does, and how many pages of memory it touched
sub plans_of {
    my ($name) = @_;
    my ($fh, $file) = tempfile(UNLINK => 1);

    print $fh <<"SQL";
\\o /dev/null
begin;
select count(*) from messaging.$name($calls{$name});
load 'auto_explain';
set auto_explain.log_min_duration = 0;
set auto_explain.log_nested_statements = on;
set auto_explain.log_analyze = on;
set auto_explain.log_timing = off;
set client_min_messages = log;
savepoint before;
select * from messaging.$name($calls{$name});
rollback
SQL
    close $fh;

    return scalar qx(psql -Xq -d "@{[$db->conninfo]}" -f $file 2>&1);
}

# a function in SQL that is not part of its caller's plan is planned at each call
my %parts = (
    reaction_items => "'$c', 1, 9", mark_items => "'$c', 1, 9", delivered_items => "'$c', 1",
    extra_items => "'$c', 1, 9", message_extras => "'$c', 1", participant_items => "'$c', 'p1'",
    conversation_item => "'$c', 'p1'", user_item => "'p1'", contacts_of => "'p1'",
    missed => "'p1', '3', null, null, 9",
);

for my $name (sort keys %parts) {
    my $plan = join "\n", map { $_->[0] }
        $db->rows("explain select * from messaging.$name($parts{$name})");
    unlike($plan, qr/Function Scan on $name/, "$name is part of the plan that it is used in");
}

my $large = join '|', qw(messages conversations participants memberships read_marks reactions blocks events
                         message_revisions access_log conversation_keys);
lengthen(2_000);
my %first;
for my $name (sort keys %calls) {
    my $plans = plans_of($name);
    unlike($plans, qr/ERROR/, "b55: $name runs") or diag($plans =~ /(.*ERROR.*)/);
    my @scans = $plans =~ /(Seq Scan on (?:messaging\.)?(?:$large)\b.*)/g;
    is("@scans", '', "b55: $name goes by an index");
    unlike($plans, qr/^JIT:/m, "and nothing of $name is compiled");
    $first{$name} = rows_of($plans);
}

# rows that were looked at, over all plans: what a call costs, without a clock
sub rows_of {
    my ($plans) = @_;
    my $sum = 0;

    $sum += $1 * $2 while $plans =~ /\(actual rows=(\d+) loops=(\d+)\)/g;
    $sum += $1 while $plans =~ /Rows Removed by (?:Filter|Index Recheck|Join Filter): (\d+)/g;

    return $sum;
}

# plans may differ a little, but what grows with the history would be four times as much
lengthen(6_000);
for my $name (sort keys %calls) {
    next if $name eq 'message_search';   # measured by bench/
    my $now = rows_of(plans_of($name));
    cmp_ok($now, '<=', 1.25 * $first{$name} + 100, "b55: $name: as much work with four times the history");
}

done_testing();
