# Messages: pages, types, edits, reading, reactions, blocks, search.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Mentara::Test;
use Mojo::Util qw(encode url_escape);
use Test::More;

server(workers => 2, directives => 'mentara_attachment_url /files/ https://cdn.example/;');

my $dm = direct('mia', 'ana');
my $c = "/conversations/$dm";
my $r;

# --- pages

said('mia', $dm, "message number $_") for 1 .. 25;
sub seqs { [map { $_->{seq} } @{ $_[0]{json} }] }
sub next_of { ($_[0]{headers}->header('Link') // '') =~ /^<(.*)>; rel="next"$/ ? $1 : undef }

$r = call('ana', GET => "$c/messages?limit=10");
is_deeply(seqs($r), [16 .. 25], 'b24: the newest page, oldest first');
my ($path, @all) = ("$c/messages?limit=7");
my $n = 0;
while ($path) {
    $r = call('ana', GET => $path);
    unshift @all, @{ seqs($r) };
    said('mia', $dm, 'sent while the pages are read') if $n++ < 3;
    $path = next_of($r);
}
is_deeply(\@all, [1 .. 25], 'b24: following the links returns every message once');
$r = call('ana', GET => "$c/messages?after=0&limit=20");
is_deeply(seqs($r), [1 .. 20], 'b24: after');
$r = call('ana', GET => next_of($r));
is_deeply(seqs($r), [21 .. 28], 'b24: and its next');
is(next_of($r), undef, 'b24: no link at the end');
my $middle = call('ana', GET => "$c/messages?after=11&limit=1")->{json}[0];
$r = call('ana', GET => "$c/messages?around=$middle->{id}&limit=5");
is_deeply(seqs($r), [10 .. 14], 'b24: around has it in the middle');
is(next_of($r), undef, 'b24: and no link');
is(call('ana', GET => "$c/messages?around=00000000-0000-7000-8000-000000000000")->{code},
   404, 'b24: around an unknown one is 404');
is_deeply(seqs(call('ana', GET => "$c/messages?page=2&limit=10")), [9 .. 18],
          'b24: old page and limit work as before');
is(call('ana', GET => "$c/messages?$_")->{code}, 400, "b24: $_ is 400")
    for 'limit=0', 'limit=101', 'limit=x', 'page=0', 'page=-1', 'page=1&before=3',
        'after=1&before=3', 'limit=1e9', 'around=12', 'before=9223372036854775808';

# --- types

is(call('mia', POST => "$c/messages", { content => 'a picture', messageType => $_ })->{code},
   400, "b8: $_ needs an attachment") for qw(IMAGE FILE VOICE VIDEO);
for my $type (qw(TEXT IMAGE FILE VOICE VIDEO)) {
    $r = call('mia', POST => "$c/messages", { messageType => $type, content => '',
              attachmentUrl => '/files/a.png', attachmentName => 'a.png',
              attachmentSize => 12 });
    is($r->{code}, 201, "b8: $type with one");
    is($r->{json}{messageType}, $type, 'b8: the type returned is the type sent');
    is($r->{json}{attachmentSize}, 12, 'b8: with its size');
}
is(call('mia', POST => "$c/messages", { content => 'the session ended', messageType => 'SYSTEM' })
   ->{json}{code}, 'system_message', 'b8: SYSTEM from a client is refused');
is(call('mia', POST => "$c/messages", { content => 'where I am', messageType => $_ })->{code}, 400,
   "b8: $_ cannot be sent") for qw(LOCATION POLL);
is(call('mia', POST => "$c/messages", { content => 'a bad link', attachmentUrl => $_ })->{code}, 400,
   "an attachment from elsewhere is refused: $_")
    for 'javascript:alert(1)', 'https://evil.example/a', '//files/a', '/file', 'https://cdn.example';

# --- replies

my $quoted = said('ana', $dm, 'the words that are quoted');
$r = call('mia', POST => "$c/messages", { content => 'a reply to them', replyToId => $quoted->{id} });
is($r->{json}{replyTo}{content}, 'the words that are quoted', 'b77: a reply carries its quote');
my $reply = $r->{json}{id};
my $other = direct('mia', 'ben');
is(call('mia', POST => "/conversations/$other/messages",
        { content => 'a reply elsewhere', replyToId => $quoted->{id} })->{code}, 400,
   'a message of another conversation cannot be quoted');
is(call('ana', DELETE => "/messages/$quoted->{id}")->{code}, 204, 'the original is deleted');
$r = call('mia', GET => "/messages/$reply");
is($r->{json}{replyTo}{content}, '', 'b10: no quote carries its text');
ok($r->{json}{replyTo}{isDeleted}, 'b10: and says so');

# --- edits

my $m = said('mia', $dm, 'the first wording of it');
is(call('ana', PUT => "/messages/$m->{id}", { content => 'not mine' })->{code}, 403,
   'b9: nobody else edits');
$r = call('mia', PUT => "/messages/$m->{id}", { content => 'the first wording of it' });
ok(!$r->{json}{isEdited}, 'an equal text changes nothing');
$r = call('mia', PUT => "/messages/$m->{id}", { content => 'the second wording of it' });
is($r->{json}{content}, 'the second wording of it', 'b26: an edit is returned');
ok($r->{json}{editedAt}, 'b9: with its time');
is(call('mia', PUT => "/messages/$quoted->{id}", { content => 'x y z' })->{code}, 403,
   'a deleted one of another');
my $gone = said('mia', $dm, 'this one will be deleted');
call('mia', DELETE => "/messages/$gone->{id}");
is(call('mia', PUT => "/messages/$gone->{id}", { content => 'back again' })->{code}, 400,
   'b9: a deleted one cannot be edited');
is(call('mia', DELETE => "/messages/$reply")->{body}, '', 'b27: 204 has no body');
is(call('ana', DELETE => "/messages/$m->{id}")->{code}, 403, 'b27: nobody deletes for others here');

# --- reading

my $two = direct('jun', 'ana');
my @m = map { said('jun', $two, "line $_ of jun") } 1 .. 5;
my $mine = said('ana', $two, 'an answer of ana');
sub unread { my ($u, $id) = @_; call($u, GET => "/conversations/$id")->{json}{_count}{messages} }
is(unread('ana', $two), 5, 'b28: five unread, the own one does not count');
$r = call('ana', POST => "/conversations/$two/messages/read-batch",
          { messageIds => [$m[0]{id}, $m[2]{id}] });
is_deeply($r->{json}, { success => Mojo::JSON->true, count => 2 }, 'a batch counts what it names');
is(unread('ana', $two), 2, 'b28: and reads all before');
is(call('ana', POST => "/messages/$m[4]{id}/read")->{code}, 200, 'b28: the last one is read');
is(unread('ana', $two), 0, 'b28: nothing is unread');
my $at = call('jun', GET => "/messages/$m[0]{id}")->{json}{readReceipts}[0]{readAt};
call('ana', POST => "/messages/$m[0]{id}/read");
is(unread('ana', $two), 0, 'b28: the mark never moves back');
is(call('jun', GET => "/messages/$m[0]{id}")->{json}{readReceipts}[0]{readAt}, $at,
   'b11: nor does a receipt change');
is_deeply(call('jun', GET => "/messages/$mine->{id}")->{json}{readReceipts}, [],
          'b11: no receipt by the sender');
is(call('ana', POST => "/conversations/$two/messages/read-batch", { messageIds => [$m->{id}] })
   ->{code}, 400, 'a batch names messages of that conversation');
my $count = db->query("select count(*) from messaging.read_marks");
ok($count <= 3, 'b56: marks are stored per advance, not per message');

# --- reactions

for my $emoji ("\x{1F44D}", "\x{2764}\x{FE0F}", "\x{2764}", "\x{1F44D}\x{1F3FD}",
               "\x{1F468}\x{200D}\x{1F469}\x{200D}\x{1F467}", "1\x{FE0F}\x{20E3}",
               "\x{1F1F5}\x{1F1ED}") {
    $r = call('ana', POST => "/messages/$m->{id}/reactions", { emoji => $emoji });
    is($r->{code}, 201, 'b12: an emoji: ' . join ' ', map { sprintf '%X', ord } split //, $emoji);
    is(call('ana', DELETE => "/messages/$m->{id}/reactions/" . url_escape(encode('UTF-8', $emoji)))
       ->{code}, 204, 'b29: and removed by its path');
    is_deeply(call('ana', GET => "/messages/$m->{id}")->{json}{reactions}, [], 'b29: it has gone');
}
is(call('ana', POST => "/messages/$m->{id}/reactions", { emoji => $_ })->{code}, 400,
   'b12: not one emoji') for 'not-emoji', "\x{1F44D}" x 3, '', 'a', "\x{1F3FD}", "\x{200D}", '5';
$r = call('ana', POST => "/messages/$m->{id}/reactions", { emoji => "\x{2764}" });
is($r->{json}{emoji}, "\x{2764}\x{FE0F}", 'it is kept in its fully qualified form');
is(call('ana', POST => "/messages/$gone->{id}/reactions", { emoji => "\x{2764}" })->{code}, 400,
   'not on a deleted one');

# --- blocks

is(call('mia', POST => '/block', { userId => 'mia' })->{code}, 400, 'b30: not oneself');
is(call('mia', POST => '/block', { userId => 'nobody' })->{code}, 404, 'b30: not an unknown one');
is_deeply(call('mia', POST => '/block', { userId => 'ana', reason => 'rude' })->{json},
          { success => Mojo::JSON->true }, 'b30: a block');
is(call('mia', POST => '/block', { userId => 'ana', reason => 'very rude' })->{code}, 201,
   'b30: again is fine');
$r = call('mia', GET => '/block');
is($r->{json}[0]{reason}, 'very rude', 'b30: with the new reason');
is($r->{json}[0]{user}{firstName}, 'Ana', 'b30: and who it is');
is_deeply(call('ana', GET => '/block')->{json}, [], 'b30: the blocked one sees nothing of it');
for my $user (qw(mia ana)) {
    my $own = call($user, GET => "$c/messages?limit=50")->{json};
    my ($x) = grep { $_->{senderId} eq $user && !$_->{isDeleted} } @$own;
    is(call($user, POST => "$c/messages", { content => 'can you hear me?' })->{json}{code},
       'cannot_contact', "b42: $user cannot send");
    $x //= $m;
    is(call($user, PUT => "/messages/$x->{id}", { content => 'changed ' . rand })->{json}{code},
       'cannot_contact', "b42: $user cannot edit") if $x->{senderId} eq $user;
    is(call($user, POST => "/messages/$m->{id}/reactions", { emoji => "\x{1F44D}" })->{json}{code},
       'cannot_contact', "b42: $user cannot react");
    is(call($user, POST => '/conversations', { participantIds => [$user eq 'mia' ? 'ana' : 'mia'] })
       ->{json}{code}, 'cannot_contact', "b42: $user cannot make it anew");
    is(call($user, GET => "$c/messages")->{code}, 200, "b42: $user can read what was");
}
is(call('ana', POST => "/messages/$m->{id}/read")->{code}, 200, 'reading moves the own mark');
is_deeply(call('mia', GET => "/messages/$m->{id}")->{json}{readReceipts}, [],
          'but no receipt crosses a block');
is(call('mia', DELETE => '/block/ana')->{code}, 204, 'b30: unblocked');
is(call('mia', DELETE => '/block/ana')->{code}, 204, 'b30: twice is fine');
is_deeply(call('mia', GET => "/messages/$m->{id}")->{json}{readReceipts}, [],
          'nor after it is gone');
is(call('ana', POST => "$c/messages", { content => 'hello again Mia' })->{code}, 201,
   'b42: all is as before');

# --- search

my $s = direct('rosa', 'ben');
said('rosa', $s, 'Ang café ay bukas na: 100%_of "it" is (fine)');
said('ben', $s, 'Kumusta ka, Josefa? Über die Brücke');
sub found { call('rosa', POST => '/search', { query => $_[0] })->{json} }
is(scalar @{ found($_) }, 1, 'b31: ' . encode('UTF-8', $_))
    for 'cafe', 'CAFÉ', 'caf', 'café bukas', 'kumusta', 'JOSEFA', 'uber bruc', 'bukas ang';
is(scalar @{ found($_) }, 0, 'b31: not: ' . encode('UTF-8', $_))
    for 'cafes', 'afe', 'cafe kumusta', '%', '_', '"', '!!', '( | )', 'cafe | kumusta';
is(scalar @{ found('100%_of') }, 1, 'b31: signs are plain text');
$r = found('uber');
is_deeply($r->[0]{highlight}, [[20, 4]], 'b31: the place is marked in UTF-16 units');
is_deeply(call('ana', POST => '/search', { query => 'cafe' })->{json}, [],
          'b31: nobody else finds it');
is_deeply(call('rosa', GET => '/search?query=cafe&senderId=ben')->{json}, [], 'b31: by sender');
is(scalar @{ call('rosa', GET => "/search?query=cafe&conversationId=$s&messageType=TEXT"
                  . '&from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z')->{json} }, 1,
   'b31: with all filters');
is_deeply(call('rosa', GET => "/search?query=cafe&conversationId=$dm")->{json}, [],
          'b31: nothing in a foreign conversation');
is(call('rosa', GET => "/search?query=cafe&from=yesterday")->{code}, 400, 'b31: a bad time');

# --- contacts

$r = call('mia', GET => '/contacts?query=a');
is_deeply([map { $_->{id} } @{ $r->{json} }], ['ana'], 'contacts by a prefix of the name');
is_deeply([grep { $_->{role} eq 'client' } @{ call('mia', GET => '/contacts?limit=100')->{json} }],
          [], 'only whom the policy allows');

finish();
