# The role of sql/roles.sql, with which nginx is told to connect: it is enough for every
# operation, and for nothing else.
use strict;
use warnings;
use lib 't/lib';
use Mentara::Postgres;
use Mentara::Test;
use Test::More;

my $db = Mentara::Postgres->new;
$db->file('sql/roles.sql') for 1, 2;
my $app = $db->conninfo =~ s/user=postgres/user=mentara_app/r;

server(db => $db, conninfo => $app, directives => 'mentara_attachment_url /files/;');

my $dm = direct('mia', 'ana');
my $message = said('mia', $dm, 'said by way of the small role');
my $other = said('ana', $dm, 'answered by way of it');
my $group = group('ana', 'mia', 'ben');
my $support = call('rosa', POST => '/conversations', { type => 'SUPPORT' })->{json}{id};
my ($c, $g, $m) = ("/conversations/$dm", "/conversations/$group", "/messages/$message->{id}");

for my $x (
    [mia => GET => '/me'], [mia => GET => '/conversations'], [mia => GET => $c],
    [mia => PATCH => $c, { isMuted => \1 }], [ana => PATCH => $g, { title => 'Small role' }],
    [ana => POST => "$g/participants", { userId => 'tess' }],
    [ana => PATCH => "$g/participants/mia", { role => 'MODERATOR' }],
    [ana => DELETE => "$g/participants/tess"], [sol => GET => '/support'],
    [sol => POST => "/conversations/$support/claim"],
    [sol => GET => "/conversations/$support/messages"],
    [sol => DELETE => "/conversations/$support/claim"], [mia => GET => "$c/messages"],
    [mia => POST => "$c/messages", { content => 'with a quote', replyToId => $other->{id} }],
    [mia => GET => "$c/access"], [mia => GET => $m], [mia => PUT => $m, { content => 'said again' }],
    [kai => GET => "$m/revisions"], [ana => POST => "$m/read"],
    [mia => POST => "$c/messages/read-batch", { messageIds => [$other->{id}] }],
    [ana => POST => "$m/reactions", { emoji => "\x{1F44D}" }],
    [ana => DELETE => "$m/reactions/%F0%9F%91%8D"], [mia => DELETE => $m],
    [mia => POST => '/block', { userId => 'ben' }], [mia => GET => '/block'],
    [mia => DELETE => '/block/ben'], [mia => GET => '/search?query=answered'],
    [mia => POST => '/search', { query => 'answered' }], [mia => GET => '/contacts'],
    [sol => GET => '/health'], [mia => POST => '/logout'],
) {
    my ($user, $method, $path, $body) = @$x;
    my $r = call($user, $method, $path, $body);
    like($r->{code}, qr/^20/, "b54: the role is enough for $method "
         . $path =~ s/[0-9a-f-]{36}/{id}/gr) or diag($r->{body});
}

for ('select content from messaging.messages', 'select 1 from messaging.directory',
     'insert into messaging.blocks values (1, 2, null, now())', 'delete from messaging.access_log',
     'select key from messaging.server_keys', 'update messaging.people set role = null',
     'create table messaging.x ()', 'create function messaging.x() returns int language sql as $$ select 1 $$',
     q(select messaging.end_session('s-1')), q(select messaging.system_message(null, 'mia', 'x', null, 'x')),
     q(select messaging.join_conversation(null, 'mia', 'ADMIN', 1, 1))) {
    like(scalar(qx(psql -XqAt -d "$app" -c '@{[s/'/'\\''/gr]}' 2>&1)), qr/permission denied/,
         "b54: but not for: $_");
}
is($db->query(q(select count(*) from pg_proc where pronamespace = 'messaging'::regnamespace and prosecdef
                and not coalesce(array_to_string(proconfig, ' '), '') like '%search_path=messaging, pg_temp%')),
   0, 'b54: what runs with more rights has its search_path pinned');

finish();
