# What acceptance asks of REST and no other file shows: traces of what was deleted,
# system lines, previews, counts, order, people who change, blocks, attachments.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Mentara::Test;
use Mojo::JSON qw(encode_json);
use Mojo::UserAgent;
use Test::More;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

server(workers => 2, directives => 'mentara_attachment_url /files/;',
       locations => 'location /plain { mentara_api; }');

my $r;
sub listed { my ($user, $id) = @_;
             (grep { $_->{id} eq $id } @{ call($user, GET => '/conversations?limit=100')->{json} })[0] }
sub page { call($_[0], GET => "/conversations/$_[1]/messages?limit=100")->{json} }
sub unread { call($_[0], GET => "/conversations/$_[1]")->{json}{_count}{messages} }
sub found { my ($user, %o) = @_; call($user, POST => '/search', \%o)->{json} }

# --- b10: what was deleted is nowhere

my $dm = direct('mia', 'ana');
my $first = said('mia', $dm, 'the first one, which stays');
my $gone = said('mia', $dm, 'forgettable words of a bad day', attachmentUrl => '/files/forgettable.png',
                attachmentName => 'forgettable.png', attachmentSize => 3);
my $quote = said('ana', $dm, 'an answer to them', replyToId => $gone->{id});
call('ana', DELETE => "/messages/$quote->{id}");
call('ana', POST => "/messages/$gone->{id}/reactions", { emoji => "\x{1F44D}" });
my $again = said('ana', $dm, 'another answer to them', replyToId => $gone->{id});
is(listed('mia', $dm)->{messages}[0]{id}, $again->{id}, 'b10: the preview is the newest');
call('ana', DELETE => "/messages/$again->{id}");
is(listed('mia', $dm)->{messages}[0]{id}, $gone->{id},
   'b10: when it is deleted, the preview moves to the one before');
my $reply = said('ana', $dm, 'the answer that stays', replyToId => $gone->{id});
is(call('mia', DELETE => "/messages/$gone->{id}")->{code}, 204, 'b10: the text is deleted');
for my $user (qw(mia ana)) {
    my $all = join ' ', map { call($user, @$_)->{body} }
        [GET => '/conversations?archived=all'], [GET => "/conversations/$dm"],
        [GET => "/conversations/$dm/messages"], [GET => "/messages/$gone->{id}"],
        [GET => "/messages/$reply->{id}"], [GET => "/conversations/$dm/messages?around=$gone->{id}"],
        [GET => '/search?query=forgettable'], [POST => '/search', { query => 'bad day' }],
        [POST => "/messages/$gone->{id}/read"], [GET => "/messages/$gone->{id}/revisions"],
        [PUT => "/messages/$gone->{id}", { content => 'x y' }];
    unlike($all, qr/forgettable/, "b10: no answer to $user has anything of it");
}
$r = call('ana', GET => "/messages/$gone->{id}");
is_deeply([@{ $r->{json} }{qw(content attachmentUrl attachmentName attachmentSize replyTo replyToId
                              reactions isDeleted seq)}],
          ['', undef, undef, undef, undef, undef, [], Mojo::JSON->true, $gone->{seq}],
          'b10: a tombstone keeps its place alone');
is_deeply([map { $_->{seq} } @{ page('ana', $dm) }], [1 .. 5], 'b10: and no page shifts');
is(unread('mia', $dm), 1, 'b10: deleted ones are not unread');
$r = call('kai', GET => "/messages/$gone->{id}/revisions");
is($r->{json}[0]{content}, 'forgettable words of a bad day', 'b9: only the auditor can read it');

# --- b12: reactions with their people

call('ana', POST => "/messages/$first->{id}/reactions", { emoji => "\x{1F44D}" });
call('mia', POST => "/messages/$first->{id}/reactions", { emoji => "\x{1F44D}" });
call('ana', POST => "/messages/$first->{id}/reactions", { emoji => "\x{2764}" });
call('ana', POST => "/messages/$first->{id}/reactions", { emoji => "\x{2764}\x{FE0F}" });
is_deeply([map { "$_->{emoji} $_->{user}{firstName}" }
           @{ call('mia', GET => "/messages/$first->{id}")->{json}{reactions} }],
          ["\x{1F44D} Ana", "\x{1F44D} Mia", "\x{2764}\x{FE0F} Ana"],
          'b12: each once, in order, with whose it is');
call('mia', DELETE => "/messages/$first->{id}/reactions/%E2%9D%A4");
is(scalar @{ call('mia', GET => "/messages/$first->{id}")->{json}{reactions} }, 3,
   'b29: only one\'s own goes');
call('ana', DELETE => "/messages/$first->{id}/reactions/%E2%9D%A4");
is(scalar @{ call('mia', GET => "/messages/$first->{id}")->{json}{reactions} }, 2,
   'b29: with or without U+FE0F');
my @faces = map { chr } 0x1F600 .. 0x1F613;
my $crowded = said('mia', $dm, 'many faces look at this');
call('ana', POST => "/messages/$crowded->{id}/reactions", { emoji => $_ }) for @faces;
is(scalar @{ call('ana', GET => "/messages/$crowded->{id}")->{json}{reactions} }, 20, 'b12: 20 faces');
is(call('mia', POST => "/messages/$crowded->{id}/reactions", { emoji => chr 0x1F614 })->{code}, 400,
   'b12: the 21st is refused');
is(call('mia', POST => "/messages/$crowded->{id}/reactions", { emoji => chr 0x1F600 })->{code}, 201,
   'b12: but one of the twenty is not');

# --- b20: every change leaves its line

my $group = group('ana', 'mia', 'ben');
my $g = "/conversations/$group";
my @changes = (
    [ana => PATCH => $g, { title => 'Evening circle' }, 'renamed', undef],
    [ana => POST => "$g/participants", { userId => 'neo' }, 'participant_added', 'neo'],
    [ana => PATCH => "$g/participants/ben", { role => 'MODERATOR' }, 'role_changed', 'ben'],
    [ben => DELETE => "$g/participants/neo", undef, 'participant_removed', 'neo'],
    [ana => PATCH => $g, { isActive => \0 }, 'closed', undef],
    [ana => PATCH => $g, { isActive => \1 }, 'reopened', undef],
    [ben => DELETE => "$g/participants/ben", undef, 'participant_left', 'ben'],
);
db->query("insert into messaging.people values ('neo', 'Neo', 'Newcomer', null, 'therapist', true)");
for my $change (@changes) {
    my ($user, $method, $path, $body, $action, $whom) = @$change;
    is(call($user, $method, $path, $body)->{code} =~ /^20/, 1, "b20: $action");
    my $line = page('mia', $group)->[-1];
    is_deeply([$line->{messageType}, $line->{system}, $line->{senderId}],
              ['SYSTEM', { action => $action, userId => $whom }, $user], 'b20: tells of itself');
    like($line->{content}, qr/^\w.* \w/, 'b20: in a sentence');
}
my $lines = page('mia', $group);
is_deeply([map { $_->{seq} } @$lines], [1 .. @changes], 'b20: each has its seq');
is(unread('mia', $group), 0, 'b20: none of them is unread');
is(call('ana', PATCH => $g, { title => 'Evening circle' })->{code}, 200, 'b20: the same title again');
is(scalar @{ page('mia', $group) }, scalar @changes, 'b20: leaves no line');
$r = call('mia', GET => $g);
my ($ana) = grep { $_->{userId} eq 'ana' } @{ $r->{json}{participants} };
is(call('ana', PATCH => $g, { isMuted => \1, isArchived => \1 })->{json}{participants}[-1]{isMuted}, 1,
   'b20: one mutes for oneself');
($ana) = grep { $_->{userId} eq 'ana' } @{ call('mia', GET => $g)->{json}{participants} };
is_deeply([@$ana{qw(isMuted isArchived)}], [Mojo::JSON->false, Mojo::JSON->false],
          'b20: and nobody else sees it');
is(db->query("select count(*) from messaging.messages where system_action in"
             . " ('muted', 'archived') or conversation_id = '$group'"), scalar @changes,
   'b20: nor a line of it');

# --- who comes back sees from then on

call('ana', POST => "$g/participants", { userId => 'ben' });
said('mia', $group, 'said after ben was back');
call('ben', DELETE => "$g/participants/ben");
my $missed = said('mia', $group, 'said while ben was away');
my $id = db->query("select id from messaging.participants where user_id = 'ben'"
                   . " and conversation_id = '$group'");
$r = call('ana', POST => "$g/participants", { userId => 'ben' });
is($r->{json}{id}, $id, 'b20: who comes back keeps the id of the participation');
is(unread('ben', $group), 0, 'b20: with nothing unread');
is_deeply([map { $_->{content} } grep { !$_->{system} } @{ page('ben', $group) }], [],
          'b20: and sees nothing from before');
is(call('ben', GET => "/messages/$missed->{id}")->{code}, 404, 'b20: not by id');
is_deeply(found('ben', query => 'away'), [], 'b31: nor by search');

# --- b22, b23: the list

$r = call('ana', POST => '/conversations', { type => 'GROUP', title => 'Fresh',
                                             participantIds => ['rosa', 'jun'] });
my $fresh = $r->{json}{id};
is($r->{headers}->header('Location'), "/messaging/conversations/$fresh", 'b22: Location');
is_deeply([map { $_->{userId} } @{ $r->{json}{participants} }], [qw(jun rosa ana)],
          'b22: participants, the caller last');
is(listed($_, $fresh)->{title}, 'Fresh', "b22: $_ lists it without doing anything") for qw(rosa jun);
is(call('ana', GET => '/conversations')->{json}[0]{id}, $fresh,
   'b23: one without messages ranks by when it was made');
said('mia', $dm, 'newer than it');
is(call('ana', GET => '/conversations')->{json}[0]{id}, $dm, 'b23: newer activity comes first');
is(call('ana', GET => '/conversations')->{json}[1]{id}, $fresh, 'b23: before the empty one');
is_deeply(listed('ana', $fresh)->{messages}, [], 'b23: which has no preview');
is(listed('ana', $fresh)->{lastMessageAt}, undef, 'b23: and no time of a last message');

my $many = group('ben', 'ana');
db->query(<<"SQL");
insert into messaging.messages (conversation_id, seq, id, sender_id, content, type, created_at, updated_at)
select '$many', i, messaging.new_id(), case when i % 4 = 0 then 'ana' else 'ben' end, 'number ' || i,
       'TEXT', now(), now() from generate_series(1, 1200) i;
update messaging.conversations set seq = 1200, last_message_at = now() where id = '$many'
SQL
is(unread('ana', $many), 900, 'b23: unread is exact and own ones do not count');
is(unread('ben', $many), 300, 'b23: for each');
db->query(<<"SQL");
insert into messaging.messages (conversation_id, seq, id, sender_id, content, type, created_at, updated_at)
select '$many', i, messaging.new_id(), 'ben', 'number ' || i, 'TEXT', now(), now()
  from generate_series(1201, 1400) i;
update messaging.conversations set seq = 1400, last_message_at = now() where id = '$many'
SQL
is(unread('ana', $many), 999, 'b23: and no more than 999');
my $last = page('ana', $many)->[-1];
call('ana', POST => "/messages/$last->{id}/read");
is(unread('ana', $many), 0, 'b28: all are read in one call');

# --- b24: pages while messages arrive

my ($path, @seqs) = "/conversations/$many/messages?limit=50";
while ($path) {
    $r = call('ana', GET => $path);
    unshift @seqs, map { $_->{seq} } @{ $r->{json} };
    said('ben', $many) for 1 .. 4;
    ($path) = ($r->{headers}->header('Link') // '') =~ /^<(.*)>; rel="next"$/;
}
is_deeply(\@seqs, [1 .. 1400], 'b24: every message once, while 100 more were sent');
my $links = 0;
@seqs = ();
$path = "/conversations/$many/messages?after=1300&limit=40";
while ($path) {
    $r = call('ana', GET => $path);
    push @seqs, map { $_->{seq} } @{ $r->{json} };
    ($path) = ($r->{headers}->header('Link') // '') =~ /^<(.*)>; rel="next"$/;
    like($path, qr{^/messaging/\S+after=\d+}, 'b24: a page by after goes on by after') if $path;
}
is_deeply(\@seqs, [1301 .. $seqs[-1]], 'b24: also forwards');
is_deeply(call('ana', GET => "/conversations/$many/messages?$_")->{json}, [], "b24: $_ is empty")
    for 'before=1', 'before=0', 'page=9007199254740991&limit=100', 'after=9007199254740991';
is_deeply(call('ana', GET => '/conversations?page=9007199254740991&limit=100')->{json}, [],
          'b23: so is the last page that can be named');

# --- b56: 10,000 messages, 50 readers

db->query(<<'SQL');
insert into messaging.people (id, role) select 'reader' || i, 'therapist' from generate_series(1, 50) i;
select messaging.conversation_make('00000000-0000-7000-8000-00000000b056', 'GROUP', 'ana',
    (select array_agg('reader' || i) from generate_series(1, 50) i), 'Lecture', null);
insert into messaging.messages (conversation_id, seq, id, sender_id, content, type, created_at, updated_at)
select '00000000-0000-7000-8000-00000000b056', i, messaging.new_id(), 'ana', 'line ' || i, 'TEXT', now(),
       now() from generate_series(1, 10000) i;
update messaging.conversations set seq = 10000, last_message_at = now()
 where id = '00000000-0000-7000-8000-00000000b056'
SQL
my $lecture = '00000000-0000-7000-8000-00000000b056';
my $end = page('ana', $lecture)->[-1]{id};
call("reader$_", POST => "/messages/$end/read") for 1 .. 50;
is(db->query("select count(*) from messaging.read_marks where conversation_id = '$lecture'"), 50,
   'b56: 10,000 messages read by 50 cost 50 rows');
is(unread('reader50', $lecture), 0, 'b56: and are read');
my $middle = call('ana', GET => "/conversations/$lecture/messages?before=5001&limit=1")->{json}[0];
is(scalar @{ $middle->{readReceipts} }, 20, 'b56: a page tells the 20 earliest');
is(scalar @{ call('ana', GET => "/messages/$middle->{id}")->{json}{readReceipts} }, 50,
   'b56: a single one all of them');
db->query("update messaging.messages set sender_id = 'reader1', content = 'the durian line'
            where conversation_id = '$lecture' and seq in (5000, 10000);
            update messaging.participants set delivered_seq = 10000
            where conversation_id = '$lecture' and user_id <> 'ana'");
for my $place ('page', 'search', 'list') {
    my ($m) = $place eq 'page' ? call('ana', GET => "/conversations/$lecture/messages?before=5001&limit=1")->{json}[0]
        : $place eq 'search' ? grep({ $_->{seq} == 5000 } @{ found('ana', query => 'durian') })
        : map { $_->{messages}[0] } grep { $_->{id} eq $lecture } @{ call('ana', GET => '/conversations?limit=100')->{json} };
    is_deeply([map { $_->{userId} } @{ $m->{readReceipts} }], [map { "reader$_" } 2 .. 21],
              "b56: the 20 earliest, less the author who was the very first: $place");
    is_deeply($m->{deliveredTo}, [map { "reader$_" } 10 .. 19, 2, 20 .. 28],
              "b56: and 20 of those it was delivered to: $place");
}

# --- b14, b30: blocks

call('jun', POST => '/block', { userId => 'ana', reason => 'Grund: „zu laut“' });
call('jun', POST => '/block', { userId => 'ben' });
my $blocks = call('jun', GET => '/block')->{json};
is_deeply([map { [@$_{qw(userId reason)}] } @$blocks], [['ana', 'Grund: „zu laut“'], ['ben', undef]],
          'b14: with a reason or without, oldest first');
like($blocks->[0]{createdAt}, qr/^\d{4}-.*Z$/, 'b30: with its date');
my $at = $blocks->[0]{createdAt};
call('jun', POST => '/block', { userId => 'ana' });
is_deeply([@{ call('jun', GET => '/block')->{json}[0] }{qw(reason createdAt)}], [undef, $at],
          'b30: again updates the reason, not the date');
for my $path ('/me', '/block', '/contacts?limit=100', '/conversations') {
    unlike(call('ana', GET => $path)->{body}, qr/laut/, "b14: the blocked one sees nothing of it: $path");
}
is(scalar(grep { $_->{id} eq 'jun' } @{ call('ana', GET => '/contacts?limit=100')->{json} }), 0,
   'b42: neither finds the other among the contacts');
call('jun', DELETE => "/block/$_") for qw(ana ben);
is_deeply(call('jun', GET => '/block')->{json}, [], 'b30: unblocked');

# --- b19, b31: search

my $club = group('ben', 'mia', 'neo');
my @said = map { said($_->[0], $club, $_->[1])->{id} } ['ben', 'Rambutan in the garden'],
    ['mia', 'more RAMBUTAN, please'], ['ben', "rambutans' skins"], ['mia', 'a rámbutan with an accent'];
is_deeply([map { $_->{id} } @{ found('mia', query => 'rambutan') }], [reverse @said],
          'b19: found in any case, accent and by prefix, newest first');
my $first_hit = found('mia', query => 'rambutan', limit => 1);
is_deeply($first_hit->[0]{highlight}, [[2, 8]], 'b31: marked where it is');
is_deeply([map { $_->{id} } @{ found('mia', query => 'rambutan', senderId => 'ben') }], [@said[2, 0]],
          'b31: of one sender');
is_deeply(found('mia', query => 'rambutan', from => '2099-01-01T00:00:00Z'), [], 'b31: not before from');
is_deeply(found('mia', query => 'rambutan', to => '2020-01-01T00:00:00Z'), [], 'b31: nor after to');
my $exact = call('mia', GET => "/messages/$said[1]")->{json}{createdAt};
ok((grep { $_->{id} eq $said[1] }
    @{ found('mia', query => 'rambutan', from => $exact, to => $exact) }), 'b31: both inclusive');
is_deeply(found('mia', query => 'rambutan', messageType => 'FILE'), [], 'b31: of one type');
my ($next, @hits) = '/search?query=rambutan&limit=3';
while ($next) {
    $r = call('mia', GET => $next);
    push @hits, map { $_->{id} } @{ $r->{json} };
    ($next) = ($r->{headers}->header('Link') // '') =~ /^<(.*)>; rel="next"$/;
}
is_deeply(\@hits, [reverse @said], 'b31: in pages');
call('ben', PUT => "/messages/$said[0]", { content => 'Durian in the garden' });
is(scalar @{ found('mia', query => 'rambutan garden') }, 0, 'b31: an earlier text is not found');
is(scalar @{ found('mia', query => 'durian') }, 1, 'b31: the present one is');
call('ben', DELETE => "/conversations/$club/participants/neo");
is_deeply(found('neo', query => 'rambutan'), [], 'b31: nothing of a conversation that one has left');
is_deeply(found('mia', query => $_), [], "b31: $_ is no operator")
    for 'rambutan & !durian', "rambutan' or '1'='1", 'rambutan:*B', '\\', "'", '-', '* *', "x'); drop";

# --- b8, b21: attachments

is(Mojo::UserAgent->new->post(nginx->url . "/plain/conversations/$dm/messages" => as('mia'),
   json => { content => 'x', attachmentUrl => '/elsewhere/a' })->res->code, 400,
   'b21: a foreign place is refused');
for my $url ('/files/../secret', '/files/a/../../b', '/files/./a', '/files/a/..', '/files/%2e%2e/a',
             '/files/.%2E/a', '/files/..?x', '/files/..#x', '/files/..\\a', "/files/a\tb", '/files/a b',
             "/files/.\n./a", '/files/', '/Files/a', 'files/a', ' /files/a', '/files\\a',
             'JAVASCRIPT:alert(1)', 'https://cdn.example/files/a', '//evil.example/files/a') {
    $r = call('mia', POST => "/conversations/$dm/messages",
              { content => 'see there', attachmentUrl => $url });
    is($r->{code}, 400, 'b21: not ' . encode_json([$url]));
    like($r->{json}{message}[0] // '', qr/attachmentUrl/, 'b21: it is named');
}
is(call('mia', POST => "/conversations/$dm/messages", { content => 'see there', attachmentUrl => $_ })->{code},
   201, "b21: $_ is fine") for '/files/a..b', '/files/...', '/files/.a/b.', '/files/a?p=../b#/../c',
    '/files/%2e%2ea', '/files/%252e%252e/a';
$r = call('mia', POST => "/conversations/$dm/messages",
          { attachmentUrl => '/files/scan.pdf', messageType => 'FILE', attachmentName => 'Скан 1.pdf',
            attachmentSize => 9007199254740991 });
is_deeply([$r->{code}, @{ $r->{json} }{qw(content attachmentName attachmentSize)}],
          [201, '', 'Скан 1.pdf', 9007199254740991], 'b8: a file without a text');
$r = call('mia', PUT => "/messages/$r->{json}{id}", { content => 'the scan that you asked for' });
is($r->{json}{attachmentUrl}, '/files/scan.pdf', 'b8: an edit keeps the attachment');

# --- b71: people are who the directory says, at once

my $old = said('mia', $dm, 'said under the old name');
db->query("update messaging.people set first_name = 'Amihan', avatar_url = '/a.png' where id = 'mia'");
nginx->wait_for(sub { call('mia', GET => '/me')->{json}{firstName} eq 'Amihan' }, 'the new name', 1);
$r = call('ana', GET => "/messages/$old->{id}");
is_deeply([@{ $r->{json}{sender} }{qw(firstName avatarUrl)}], ['Amihan', '/a.png'],
          'b71: also on what was said before');
is(scalar @{ call('ana', GET => '/contacts?query=amih')->{json} }, 1, 'b71: and among the contacts');
is(call('mia', GET => '/me')->{code}, 200, 'b71: who is active');
db->query("update messaging.people set is_active = false where id = 'mia'");
nginx->wait_for(sub { call('mia', GET => '/me')->{code} == 403 }, 'the end of it', 1);
is(call('mia', POST => "/conversations/$dm/messages", { content => 'let me in again' })->{json}{code},
   'user_inactive', 'b71: within a second is not');
db->query("delete from messaging.people where id = 'mia'");
$r = call('ana', GET => "/messages/$old->{id}");
is_deeply($r->{json}{sender}, { id => 'mia', firstName => '', lastName => '', avatarUrl => undef,
                                role => 'client' }, 'b71: who is gone leaves what was said');
is($r->{json}{content}, 'said under the old name', 'b71: as it was');

# an existing table of users, as the replaced service had it
db->query(<<'SQL');
create table "User" (id text primary key, "firstName" text, "lastName" text, "avatarUrl" text,
                     email text, role text, "isActive" boolean);
insert into "User" values ('user_2abc', 'Lea', 'Bautista', null, 'lea@example', 'client', true),
    ('9b2e6d9e-0000-4000-8000-000000000000', 'Otto', 'Reyes', '/o.png', 'o@example', 'therapist', true);
create or replace view messaging.directory as
    select id, "firstName" as first_name, "lastName" as last_name, "avatarUrl" as avatar_url, role,
           "isActive" as is_active from "User"
SQL
$r = call('user_2abc', POST => '/conversations',
          { participantIds => ['9b2e6d9e-0000-4000-8000-000000000000'] });
is($r->{code}, 201, 'b71: an existing table is plugged in by its view');
is($r->{json}{participants}[0]{user}{firstName}, 'Otto', 'b71: with its names');
unlike($r->{body}, qr/example/, 'b71: and never an e-mail address');
is(call('ana', GET => '/me')->{code}, 403, 'b71: who is not in that table is nobody');

# --- b73: a changed role counts within a second

is(call('user_2abc', GET => '/support')->{code}, 403, 'b73: a client');
db->query(q(update "User" set role = 'moderator' where id = 'user_2abc'));
nginx->wait_for(sub { call('user_2abc', GET => '/support')->{code} == 200 }, 'the role', 1);
db->query(q(update "User" set role = 'client' where id = 'user_2abc'));
nginx->wait_for(sub { call('user_2abc', GET => '/support')->{code} == 403 }, 'its end', 1);
pass('b73: who becomes staff, and ceases to be, is so within a second');

finish();
