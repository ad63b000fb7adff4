# Conversations of all types, the list, participants, support.
use strict;
use warnings;
use lib 't/lib';
use Mentara::Test;
use Mojo::JSON qw(decode_json encode_json);
use Test::More;

server(workers => 2);

sub create { call($_[0], POST => '/conversations', $_[1]) }

# --- DIRECT

is(create('mia', { participantIds => $_ })->{code}, 400, 'b3: a DIRECT needs one other')
    for [], ['ana', 'ben'], ['mia'], ['nobody'];
is(db->query('select count(*) from messaging.conversations'), 0,
   'b3: and nothing was stored');

my @pids;
for my $user (('mia', 'ana') x 10) {
    my $pid = fork // die;
    if (!$pid) {
        my $other = $user eq 'mia' ? 'ana' : 'mia';
        my $r = create($user, { participantIds => [$other] });
        POSIX::_exit($r->{code} == 201 ? 1 : $r->{code} == 200 ? 0 : 2);
    }
    push @pids, $pid;
}
my @codes = map { waitpid $_, 0; $? >> 8 } @pids;
is(scalar(grep { $_ == 1 } @codes), 1, 'b3: of twenty at once one is 201');
is(scalar(grep { $_ == 0 } @codes), 19, 'b3: and nineteen are 200');
is(db->query('select count(*) from messaging.conversations'), 1, 'b3: one row');

my $dm = direct('mia', 'ana');
my $r = call('mia', PATCH => "/conversations/$dm", { title => 'Us' });
is($r->{code}, 409, 'a DIRECT has no title');
is($r->{json}{code}, 'direct_conversation', 'and that is said');
is(call('mia', POST => "/conversations/$dm/participants", { userId => 'ben' })->{code},
   409, 'nobody is added to a DIRECT');

# --- may_contact: two clients may not, as shipped

is(create('mia', { participantIds => ['jun'] })->{json}{code}, 'cannot_contact',
   'b73: the policy decides who may contact whom');
db->query("update messaging.people set role = 'therapist' where id = 'jun'");
is(create('mia', { participantIds => ['jun'] })->{code}, 201,
   'b73: a changed account role counts at once');
db->query("update messaging.people set role = 'client' where id = 'jun'");

# --- GROUP

$r = create('ana', { type => 'GROUP', title => 'Circle',
                     participantIds => ['mia', 'mia', 'ben'] });
is($r->{code}, 201, 'b4: a group is made');
is(scalar @{ $r->{json}{participants} }, 3, 'b4: each member once');
my $group = $r->{json}{id};
for my $user (qw(ana mia ben)) {
    my ($c) = grep { $_->{id} eq $group } @{ call($user, GET => '/conversations')->{json} };
    is($c->{title}, 'Circle', "b4: $user lists it with its title");
}
is(create('ana', { type => 'GROUP', participantIds => [map { "u$_" } 1 .. 200] })->{code},
   400, 'b4: 200 others are too many');

# --- the matrix of roles (b7)

call('ana', PATCH => "/conversations/$group/participants/ben", { role => 'MODERATOR' });
my %who = (MEMBER => 'mia', MODERATOR => 'ben', ADMIN => 'ana');
my %by = map { $_ => said($who{$_}, $group, "words of a $_ in the circle") } keys %who;
my $members = said('mia', $group, 'another one by the member');
my @matrix = (
    # action            MEMBER MODERATOR ADMIN
    ['read',            200, 200, 200],
    ['send',            201, 201, 201],
    ['edit own',        200, 200, 200],
    ['edit other\'s',   403, 403, 403],
    ['rename',          403, 200, 200],
    ['add',             403, 201, 201],
    ['remove member',   403, 204, 204],
    ['add as ADMIN',    403, 403, 201],
    ['remove admin',    403, 403, 204],
    ['change role',     403, 403, 200],
    ['close',           403, 403, 200],
    ['delete admin\'s', 403, 403, 204],
);
my $n = 0;
for my $row (@matrix) {
    my ($action, @expected) = @$row;
    for my $role (qw(MEMBER MODERATOR ADMIN)) {
        my $user = $who{$role};
        my $own = $by{$role}{id};
        my $other = $by{$role eq 'ADMIN' ? 'MEMBER' : 'ADMIN'}{id};
        my $c = "/conversations/$group";
        call('ana', DELETE => "$c/participants/jun") if $action =~ /^add/;
        call('ana', POST => "$c/participants", { userId => 'jun' }) if $action eq 'remove member';
        call('ana', POST => "$c/participants", { userId => 'jun', role => 'ADMIN' })
            if $action eq 'remove admin';
        my %call = (
            'read' => [GET => "$c/messages"],
            'send' => [POST => "$c/messages", { content => 'a word from somebody' }],
            'edit own' => [PUT => "/messages/$own", { content => 'changed by ' . $n++ . ' edits' }],
            'edit other\'s' => [PUT => "/messages/$other", { content => 'not mine to change' }],
            'rename' => [PATCH => $c, { title => "Title " . $n++ }],
            'add' => [POST => "$c/participants", { userId => 'jun' }],
            'remove member' => [DELETE => "$c/participants/jun"],
            'add as ADMIN' => [POST => "$c/participants", { userId => 'jun', role => 'ADMIN' }],
            'remove admin' => [DELETE => "$c/participants/jun"],
            'change role' => [PATCH => "$c/participants/mia", { role => 'MEMBER' }],
            'close' => [PATCH => $c, { isActive => \1 }],
            'delete admin\'s' => [DELETE => "/messages/$by{ADMIN}{id}"],
        );
        my $got = call($user, @{ $call{$action} });
        is($got->{code}, shift @expected, "b7: $role: $action")
            or diag $got->{body};
    }
}
is(call('ben', DELETE => "/messages/$members->{id}")->{code}, 204,
   'b7: a moderator deletes what a member wrote');

$r = call('ana', DELETE => "/conversations/$group/participants/ana");
is($r->{json}{code}, 'last_admin', 'the last admin cannot go');

# --- what a newcomer sees

my $group2 = group('ana', 'mia');
my $before = said('mia', $group2, 'said before anybody came');
is(call('ana', POST => "/conversations/$group2/participants", { userId => 'ben' })->{code},
   201, 'somebody is added');
$r = call('ben', GET => "/conversations/$group2/messages");
is_deeply([map { $_->{content} } grep { !$_->{system} } @{ $r->{json} }], [],
          'a newcomer does not see what was before');
is(call('ben', GET => "/messages/$before->{id}")->{code}, 404, 'nor by its id');
is(call('ben', GET => '/search?query=anybody')->{json}[0], undef, 'nor by search');
is($r->{json}[0]{system}{action}, 'participant_added', 'b20: a system line tells of it');
is($r->{json}[0]{system}{userId}, 'ben', 'b20: and of whom');
$r = call('ana', POST => "/conversations/$group2/participants", { userId => 'ben' });
is($r->{code}, 200, 'adding again is 200');
is(call('ben', DELETE => "/conversations/$group2/participants/ben")->{code}, 204,
   'b20: one may leave');
is(call('ben', GET => "/conversations/$group2")->{code}, 404, 'and is a stranger then');

# --- SESSION

$r = create('ana', { type => 'SESSION', sessionId => 's-1', participantIds => ['mia'] });
is($r->{code}, 201, 'b5: a session conversation');
my $session = $r->{json}{id};
is($r->{json}{sessionId}, 's-1', 'b5: shows its session');
$r = create('mia', { type => 'SESSION', sessionId => 's-1', participantIds => ['ana'] });
is($r->{code}, 200, 'b5: a second create by a participant');
is($r->{json}{id}, $session, 'b5: is the first');
is(create('ben', { type => 'SESSION', sessionId => 's-1', participantIds => ['mia'] })
   ->{json}{code}, 'cannot_contact', 'b5: a stranger does not get in');
is(call('mia', GET => '/conversations?sessionId=s-1')->{json}[0]{id}, $session,
   'b5: found by its session');
is(create('ana', { type => 'SESSION', participantIds => ['mia'] })->{code}, 400,
   'b5: a SESSION needs a sessionId');
my %role = map { $_->{userId} => $_->{role} }
    @{ call('ana', GET => "/conversations/$session")->{json}{participants} };
is_deeply(\%role, { ana => 'ADMIN', mia => 'MEMBER' },
          'the therapist is admin there, the client is not');
db->query("select messaging.end_session('s-1')");
$r = call('mia', GET => "/conversations/$session/messages");
is($r->{json}[-1]{system}{action}, 'session_ended', 'b72: the end leaves a system line');
db->query("update messaging.settings set value = 'on' where name = 'session_end_closes'");
db->query("select messaging.end_session('s-1')");
is(call('mia', POST => "/conversations/$session/messages", { content => 'one more' })
   ->{json}{code}, 'conversation_closed', 'b72: and closes it if so configured');

# --- SUPPORT

is(create('ana', { type => 'SUPPORT' })->{code}, 403, 'b6: support is for clients');
$r = create('rosa', { type => 'SUPPORT' });
is($r->{code}, 201, 'b6: a client opens it without naming staff');
my $support = $r->{json}{id};
is(create('rosa', { type => 'SUPPORT' })->{json}{id}, $support,
   'b6: while one is open the second is the first');
said('rosa', $support, 'please help me with my account');
$r = call('sol', GET => '/support?status=unclaimed');
is($r->{json}[0]{id}, $support, 'b6: every moderator sees it');
is_deeply($r->{json}[0]{messages}, [], 'b6: without any text');
is(call('ana', GET => '/support')->{code}, 403, 'b6: others do not');
is(call('sol', GET => "/conversations/$support/messages")->{code}, 403,
   'b6: who has not claimed it cannot read it');
is(call('sol', POST => "/conversations/$support/claim")->{code}, 200, 'b6: one claims it');
is(call('tess', POST => "/conversations/$support/claim")->{json}{code}, 'already_claimed',
   'b6: the second is told');
is_deeply(call('tess', GET => '/support')->{json}, [], 'b6: it has left the list');
$r = call('rosa', GET => "/conversations/$support/messages");
is($r->{json}[-1]{system}{action}, 'claimed', 'b6: the client sees a system line');
$r = call('sol', GET => "/conversations/$support/messages");
is($r->{json}[0]{content}, 'please help me with my account', 'the claimant sees all');
$r = call('rosa', GET => "/conversations/$support/access");
is($r->{code}, 200, 'the client sees who has looked');
is($r->{json}[0]{user}{id}, 'sol', 'and it was the claimant');
is(call('tess', DELETE => "/conversations/$support/claim")->{code}, 404,
   'an outsider cannot give it back');
is(call('rosa', DELETE => "/conversations/$support/claim")->{code}, 403, 'nor the client');
is(call('sol', DELETE => "/conversations/$support/claim")->{code}, 204, 'the claimant can');
is(call('tess', GET => '/support')->{json}[0]{id}, $support, 'and it is in the list again');

# --- mute, archive

$r = call('mia', PATCH => "/conversations/$group2", { isArchived => \1 });
is($r->{code}, 200, 'b20: one archives for oneself');
ok($r->{json}{participants}[-1]{isArchived}, 'and sees it in the own entry');
ok(!(grep { $_->{id} eq $group2 } @{ call('mia', GET => '/conversations')->{json} }),
   'it has left the list');
ok((grep { $_->{id} eq $group2 } @{ call('mia', GET => '/conversations?archived=true')->{json} }),
   'and is in the archive');
ok((grep { $_->{id} eq $group2 } @{ call('ana', GET => '/conversations')->{json} }),
   'others keep it');
said('ana', $group2, 'a new word for the archived one');
ok((grep { $_->{id} eq $group2 } @{ call('mia', GET => '/conversations')->{json} }),
   'a new message brings it back');
call('mia', PATCH => "/conversations/$group2", { isArchived => \1, isMuted => \1 });
said('ana', $group2, 'a new word for the muted one');
ok(!(grep { $_->{id} eq $group2 } @{ call('mia', GET => '/conversations')->{json} }),
   'unless it is muted');

# --- close

is(call('ana', PATCH => "/conversations/$group2", { isActive => \0 })->{json}{isActive}, 0,
   'b20: an admin closes it');
is(call('mia', POST => "/conversations/$group2/messages", { content => 'anyone there?' })
   ->{json}{code}, 'conversation_closed', 'nobody sends then');
is(call('mia', GET => "/conversations/$group2/messages")->{code}, 200, 'reading goes on');
my $events = db->query('select count(*) from messaging.events');
is(call('ana', PATCH => "/conversations/$group2", { isActive => \0 })->{code}, 200,
   'closing again is 200');
is(db->query('select count(*) from messaging.events'), $events, 'without an event');

# --- Idempotency-Key of a create

my %key = ('Idempotency-Key' => 'make-1');
$r = call('ana', POST => '/conversations',
          { type => 'GROUP', title => 'Twice', participantIds => ['ben'] }, \%key);
is($r->{code}, 201, 'a create with a key');
my $twice = $r->{json}{id};
$r = call('ana', POST => '/conversations',
          { type => 'GROUP', title => 'Twice', participantIds => ['ben'] }, \%key);
is($r->{code}, 200, 'repeated it is 200');
is($r->{json}{id}, $twice, 'with the same conversation');
is(call('ana', POST => '/conversations',
        { type => 'GROUP', title => 'Other', participantIds => ['ben'] }, \%key)
   ->{json}{code}, 'idempotency_key_reused', 'another body is refused');

# --- the list: cursor, without a miss or a repeat while messages arrive

db->query(<<'SQL');
select messaging.conversation_make(messaging.new_id(), 'GROUP', 'kai',
    array['sol'], 'List ' || i, null) from generate_series(1, 250) i
SQL
my ($path, %seen, @all) = ('/conversations?limit=20');
my $first = 1;
while ($path) {
    $r = call('kai', GET => $path);
    push @all, map { $_->{id} } @{ $r->{json} };
    ($path) = ($r->{headers}->header('Link') // '') =~ /^<(.*)>; rel="next"$/;
    if ($first) {
        my @ids = map { $_->[0] } db->rows(
            "select conversation_id from messaging.participants where user_id = 'kai'
              order by random() limit 40");
        said('sol', $_, 'while the list is being paged') for @ids;
        $first = 0;
    }
}
$seen{$_}++ for @all;
is(scalar(keys %seen), 250, 'b23: paging finds every conversation');
is(scalar(grep { $_ > 1 } values %seen), 0, 'b23: and none twice');
is(call('kai', GET => '/conversations?cursor=abc')->{code}, 400, 'a bad cursor is 400');
like(call('kai', GET => '/conversations?cursor=abc')->{body}, qr/cursor/, 'and named');
like(call('kai', GET => '/conversations?limit=0&page=0')->{body}, qr/page.*limit/s,
     'all faults are reported at once');
$r = call('kai', GET => '/conversations?page=13&limit=20');
is(scalar @{ $r->{json} }, 10, 'b23: old page and limit work too');

finish();
