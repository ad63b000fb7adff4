# The main path: a message sent, found, read and kept.
use strict;
use warnings;
use lib 't/lib';
use Mentara::Test;
use Test::More;

server();

my $r = call(undef, GET => '/me');
is($r->{code}, 401, 'b2: a stranger is not answered');
is($r->{json}{code}, 'token_missing', 'b2: and is told why');
like($r->{headers}->header('WWW-Authenticate'), qr/^Bearer error="invalid_token"/,
     'b2: and how to come back');

$r = call('mia', GET => '/me');
is_deeply($r->{json}, { id => 'mia', firstName => 'Mia', lastName => 'Santos',
                        avatarUrl => undef, role => 'client' },
          'b71: a person is who the directory says');

$r = call('mia', POST => '/conversations', { participantIds => ['ana'] });
is($r->{code}, 201, 'b22: a conversation is made');
my $id = $r->{json}{id};
is($r->{headers}->header('Location'), "/messaging/conversations/$id",
   'b22: and says where it is');
is($r->{json}{participants}[0]{userId}, 'ana', 'b22: the other one comes first');
is($r->{json}{participants}[1]{userId}, 'mia', 'b22: the caller last');

$r = call('mia', POST => "/conversations/$id/messages",
          { content => 'Hello Ana, how are you today?', clientId => 'c-1' });
is($r->{code}, 201, 'b25: a message is sent');
my $m = $r->{json};
is($m->{seq}, 1, 'b25: it is the first');
is($m->{senderId}, 'mia', 'b25: by its sender');
is($m->{clientId}, 'c-1', 'b25: with the key of its sender');
like($m->{createdAt}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
     'b25: times are ISO 8601 with milliseconds');
is(substr($m->{id}, 14, 1), '7', 'b25: ids are UUIDs of version 7');

$r = call('mia', POST => "/conversations/$id/messages",
          { content => 'Hello Ana, how are you today?' },
          { 'Idempotency-Key' => 'c-1' });
is($r->{code}, 201, 'b25: the same key again');
is($r->{json}{id}, $m->{id}, 'b25: is the same message');
is($r->{headers}->header('Idempotent-Replayed'), 'true', 'b25: and says so');
$r = call('mia', POST => "/conversations/$id/messages",
          { content => 'something else altogether' },
          { 'Idempotency-Key' => 'c-1' });
is($r->{json}{code}, 'idempotency_key_reused',
   'b25: another text with that key is refused');

$r = call('ana', GET => '/conversations');
is($r->{json}[0]{_count}{messages}, 1, 'b23: the other one has one unread');
is($r->{json}[0]{messages}[0]{id}, $m->{id}, 'b23: and sees it in the list');

$r = call('ana', GET => "/conversations/$id/messages");
is(scalar @{ $r->{json} }, 1, 'b24: the page holds it');
is_deeply($r->{json}[0], $m, 'b24: as it was sent');

$r = call('ana', POST => "/messages/$m->{id}/read");
is($r->{code}, 200, 'b28: it is read');
ok($r->{json}{success} && $r->{json}{readAt}, 'b28: with the time');
my $at = $r->{json}{readAt};
$r = call('ana', POST => "/messages/$m->{id}/read");
is($r->{json}{readAt}, $at, 'b11: the time of first reading never changes');
$r = call('mia', GET => "/messages/$m->{id}");
is($r->{json}{readReceipts}[0]{userId}, 'ana', 'b11: the sender sees who read it');
is($r->{json}{readReceipts}[0]{readAt}, $at, 'b11: and when');
$r = call('mia', POST => "/messages/$m->{id}/read");
is($r->{json}{readAt}, undef, 'b28: an own message has no readAt');

$r = call('ana', POST => "/messages/$m->{id}/reactions", { emoji => "\x{1F44D}" });
is($r->{code}, 201, 'b12: a reaction is added');
my $reaction = $r->{json}{id};
$r = call('ana', POST => "/messages/$m->{id}/reactions", { emoji => "\x{1F44D}" });
is($r->{json}{id}, $reaction, 'b12: again changes nothing');
$r = call('ana', DELETE => "/messages/$m->{id}/reactions/%F0%9F%91%8D");
is($r->{code}, 204, 'b29: it is removed');
is($r->{body}, '', 'b29: without a body');

$r = call('mia', GET => '/search?query=hel');
is(scalar @{ $r->{json} }, 1, 'b31: it is found by a prefix');
is_deeply($r->{json}[0]{highlight}, [[0, 3]], 'b31: and marked');
is($r->{json}[0]{conversation}{id}, $id, 'b31: with its conversation');

$r = call('mia', PUT => "/messages/$m->{id}", { content => 'Hello Ana, good evening!' });
is($r->{code}, 200, 'b9: it is edited');
ok($r->{json}{isEdited}, 'b9: and says so');
$r = call('kai', GET => "/messages/$m->{id}/revisions");
is($r->{json}[0]{content}, 'Hello Ana, how are you today?',
   'b9: the earlier text is kept for the auditor');
$r = call('ana', GET => "/messages/$m->{id}/revisions");
is($r->{code}, 403, 'b9: and for nobody else');

for my $path ("/conversations/$id", "/messages/$m->{id}") {
    $r = call('xeno', GET => $path);
    is($r->{code}, 404, "b67: an outsider does not find $path");
}
$r = call('xeno', GET => "/conversations/$id/messages");
is($r->{code}, 403, 'b67: nor its messages');

$r = call('mia', DELETE => "/messages/$m->{id}");
is($r->{code}, 204, 'b10: it is deleted');
is(call('mia', DELETE => "/messages/$m->{id}")->{code}, 204, 'b10: twice is fine');
$r = call('ana', GET => "/conversations/$id/messages");
is($r->{json}[0]{content}, '', 'b10: a tombstone stays in its place');
ok($r->{json}[0]{isDeleted}, 'b10: and says so');
is_deeply(call('mia', GET => '/search?query=hello')->{json}, [],
          'b10: the text is not found any more');

finish();
