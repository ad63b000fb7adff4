# docs/openapi.yaml: every operation and every status of it is driven, and every
# answer is as described.  b66: no operation works without a good token; b67:
# none works for who is not in the conversation.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Mentara::OpenApi;
use Mentara::Test;
use Mentara::Token qw(token);
use Mojo::Util qw(encode url_escape);
use Test::More;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my $api = Mentara::OpenApi->new;
my %operation = map { $_->{id} => $_ } $api->operations;
my @ids = sort keys %operation;
my %codes;

server(workers => 2, directives => 'mentara_attachment_url /files/;');

# --- what there is

use constant UNKNOWN => '00000000-0000-7000-8000-000000000000';
use constant HEART => "\x{2764}\x{FE0F}";

my $dm = direct('mia', 'ana');
my $blocked = direct('ben', 'mia');
my $hidden = said('mia', $blocked);
call('ben', POST => '/block', { userId => 'mia', reason => 'not now' });

my $group = group('ana', 'mia', 'ben', 'jun');
my $message = said('mia', $group, 'pandesal and coffee in the morning');
said('ana', $group, 'pandesal again, and a quote', replyToId => $message->{id});
call('jun', DELETE => "/conversations/$group/participants/jun");
my ($system) = grep { $_->{system} } @{ call('ana', GET => "/conversations/$group/messages")->{json} };

my $closed = group('ana', 'mia');
my $late = said('mia', $closed);
call('ana', PATCH => "/conversations/$closed", { isActive => \0 });

# the open request of rosa, unclaimed; an earlier one is closed
sub support {
    for (1 .. 2) {
        my $r = call('rosa', POST => '/conversations', { type => 'SUPPORT' });
        return $r->{json}{id} if $r->{code} == 201;
        for my $who (qw(rosa sol)) {
            last if call($who, PATCH => "/conversations/$r->{json}{id}",
                         { isActive => \0 })->{code} == 200;
        }
    }
    die 'no support';
}

my $helped = support();
said('rosa', $helped);
call('sol', POST => "/conversations/$helped/claim");
call('sol', GET => "/conversations/$helped/messages");

# --- a request of each operation that works, made anew by each call

my $n = 0;
my %works = (
    conversationCreate => sub {
        { user => 'ana', body => { type => 'GROUP', title => 'Sleep',
                                   participantIds => ['mia', 'ben'] } } },
    conversationList => sub { { user => 'mia', query => 'limit=1&archived=all' } },
    conversationGet => sub { { user => 'mia', id => $group } },
    conversationUpdate => sub {
        { user => 'ana', id => $group, body => { title => 'Circle ' . ++$n, isMuted => \1 } } },
    participantAdd => sub {
        { user => 'ana', id => group('ana', 'mia'),
          body => { userId => 'ben', role => 'MODERATOR' } } },
    participantUpdate => sub {
        { user => 'ana', id => group('ana', 'mia'), userId => 'mia', body => { role => 'ADMIN' } } },
    participantRemove => sub {
        { user => 'ana', id => group('ana', 'mia'), userId => 'mia' } },
    supportList => sub { support(); { user => 'sol', query => 'status=unclaimed' } },
    supportClaim => sub { { user => 'sol', id => support() } },
    supportUnclaim => sub {
        my $id = support();
        call('sol', POST => "/conversations/$id/claim");
        { user => 'sol', id => $id } },
    messagePage => sub { { user => 'mia', id => $group, query => 'limit=2' } },
    messageSend => sub {
        { user => 'mia', id => $group, body => {
            content => 'a picture of the garden ' . ++$n, messageType => 'IMAGE',
            replyToId => $message->{id}, attachmentUrl => '/files/garden.png',
            attachmentName => 'garden.png', attachmentSize => 1234, clientId => "garden $n" } } },
    messageGet => sub { { user => 'mia', id => $message->{id} } },
    messageEdit => sub {
        { user => 'mia', id => said('mia', $group)->{id},
          body => { content => 'said in other words ' . ++$n } } },
    messageDelete => sub { { user => 'mia', id => said('mia', $group)->{id} } },
    messageRevisions => sub {
        my $id = said('mia', $group)->{id};
        call('mia', PUT => "/messages/$id", { content => 'changed, and looked at later' });
        { user => 'kai', id => $id } },
    messageRead => sub { { user => 'ana', id => said('mia', $group)->{id} } },
    messageReadBatch => sub {
        { user => 'ana', id => $group, body => { messageIds => [said('mia', $group)->{id}] } } },
    accessList => sub { { user => 'rosa', id => $helped } },
    reactionAdd => sub {
        { user => 'ana', id => $message->{id}, body => { emoji => HEART } } },
    reactionRemove => sub { { user => 'ana', id => $message->{id}, emoji => HEART } },
    blockAdd => sub { { user => 'xeno', body => { userId => 'tess', reason => 'for the test' } } },
    blockList => sub { { user => 'ben' } },
    blockRemove => sub { { user => 'xeno', userId => 'tess' } },
    searchGet => sub { { user => 'mia', query => 'query=pandesal&limit=1&senderId=mia' } },
    searchPost => sub {
        { user => 'mia', body => { query => 'pandesal', limit => 1,
                                   from => '2020-01-01T00:00:00Z' } } },
    contactList => sub { { user => 'mia', query => 'query=a' } },
    me => sub { { user => 'mia' } },
    logout => sub { { user => 'mia' } },
    health => sub { { } },
);
is_deeply([sort keys %works], \@ids, 'the document has the operations that are tested');

# those that need something special for a status
my %special = (
    'conversationCreate 200' => sub { { user => 'mia', body => { participantIds => ['ana'] } } },
    'conversationUpdate 409' => sub { { user => 'mia', id => $dm, body => { title => 'Us' } } },
    'participantAdd 200' => sub { { user => 'ana', id => $group, body => { userId => 'mia' } } },
    'participantAdd 409' => sub { { user => 'mia', id => $dm, body => { userId => 'ben' } } },
    'participantUpdate 409' => sub {
        { user => 'mia', id => $dm, userId => 'ana', body => { role => 'ADMIN' } } },
    'participantRemove 409' => sub { { user => 'ana', id => $group, userId => 'ana' } },
    'supportClaim 409' => sub {
        my $id = support();
        call('sol', POST => "/conversations/$id/claim");
        { user => 'tess', id => $id } },
    'messagePage 404' => sub { { user => 'mia', id => $group, query => 'around=' . UNKNOWN } },
    'blockAdd 404' => sub { { user => 'mia', body => { userId => 'nobody' } } },
    'health 401' => sub { { headers => { Authorization => 'Bearer x' } } },
);

# --- asking

sub ask {
    my ($id, $r) = @_;
    my $path = $operation{$id}{path} =~ s/\{(\w+)\}/url_escape(encode('UTF-8', $r->{$1}))/ger;

    $path .= "?$r->{query}" if defined $r->{query};

    return call($r->{user}, $operation{$id}{method}, $path, $r->{body}, $r->{headers},
                nginx => $r->{server});
}

# the answer has this status and is as described
sub answers {
    my ($id, $status, $r, $why) = @_;
    my $answer = ask($id, $r);
    my @accepted = $answer->{code} < 300 && ref $r->{body} ? (request => $r->{body}) : ();
    my @faults = $api->faults($id, $answer, @accepted);

    $codes{ $answer->{json}{code} // '' }++ if $answer->{code} >= 400;
    is(join("\n", $answer->{code}, @faults), $status, join ' ', $id, $status, $why // ());

    return $answer;
}

# a request that is refused with this status, whatever the operation is
sub refused {
    my ($id, $status, $r) = @_;
    my $path = $operation{$id}{path};

    return { %$r, user => undef } if $status == 401;
    return { %$r, user => 'nobody' } if $status == 403;
    return { %$r, id => UNKNOWN } if $status == 404;
    return { %$r, body => '{"content":"' . 'x' x (300 * 1024) . '"}' } if $status == 413;
    return { %$r, body => '{}', headers => { 'Content-Type' => 'text/plain' } } if $status == 415;
    die "$id $status" if $status != 400;
    return { %$r, id => '12' } if $path =~ /\{id\}/;
    return { %$r, userId => 'x' x 256 } if $path =~ /\{userId\}/;
    return { %$r, query => 'limit=0' } if $operation{$id}{method} eq 'GET';
    return { %$r, body => { nonsense => 1 } };
}

# --- what works, then what is refused

my %ready = map { $_ => $works{$_}->() } @ids;

for my $id (@ids) {
    for my $status (grep { $_ < 300 } @{ $operation{$id}{statuses} }) {
        my $answer = answers($id, $status, ($special{"$id $status"} // $works{$id})->());
        ok($answer->{headers}->header('Link'), "$id: a link to the next page")
            if $id =~ /^(conversationList|messagePage|searchPost)$/;
    }
}

for my $id (@ids) {
    for my $status (grep { $_ >= 400 && $_ < 500 && $_ != 429 } @{ $operation{$id}{statuses} }) {
        answers($id, $status, $special{"$id $status"} ? $special{"$id $status"}->()
                : refused($id, $status, $ready{$id}));
    }
}

my ($token) = as('mia')->{Authorization} =~ /Bearer (.*)/;
my %cookie = (user => undef, headers => { Cookie => "__session=$token" });
for my $x (
    [messageSend => 201, { user => 'mia', id => $group, body => { content => 'sent twice, kept once' },
                           headers => { 'Idempotency-Key' => 'twice' } }, 'the first'],
    [messageSend => 201, { user => 'mia', id => $group, body => { content => 'sent twice, kept once' },
                           headers => { 'Idempotency-Key' => 'twice' } }, 'a repeat'],
    [messageSend => 400, { user => 'mia', id => $group, body => { content => 'sent a third time' },
                           headers => { 'Idempotency-Key' => 'twice' } }, 'another with its key'],
    [messageSend => 400, { user => 'mia', id => $group, body => '{' }, 'malformed'],
    [messageSend => 400, { user => 'mia', id => $group, body => {} }, 'nothing'],
    [messageSend => 403, { user => 'xeno', id => $group, body => { content => 'an outsider' } }, 'foreign'],
    [messageSend => 403, { user => 'mia', id => $blocked, body => { content => 'hello?' } }, 'blocked'],
    [messageSend => 403, { user => 'mia', id => $closed, body => { content => 'too late' } }, 'closed'],
    [messageSend => 403, { user => 'mia', id => $group, body => { content => 'x', messageType => 'SYSTEM' } },
     'SYSTEM'],
    [messageSend => 403, { %{ $ready{messageSend} }, %cookie }, 'csrf'],
    [messageEdit => 403, { user => 'ana', id => $message->{id}, body => { content => 'not mine' } },
     'foreign'],
    [messageEdit => 403, { user => 'mia', id => $late->{id}, body => { content => 'later' } }, 'closed'],
    [messageEdit => 403, { user => 'mia', id => $hidden->{id}, body => { content => 'hm' } }, 'blocked'],
    [messageDelete => 403, { user => 'ana', id => $system->{id} }, 'SYSTEM'],
    [messageDelete => 403, { user => 'ben', id => $message->{id} }, 'without the role'],
    [messageRevisions => 403, { user => 'mia', id => $message->{id} }, 'without the role'],
    [reactionAdd => 403, { user => 'mia', id => $hidden->{id}, body => { emoji => HEART } }, 'blocked'],
    [reactionAdd => 400, { user => 'mia', id => $message->{id}, body => { emoji => 'x' } }, 'no emoji'],
    [reactionRemove => 400, { user => 'mia', id => $message->{id}, emoji => 'x' }, 'no emoji'],
    [conversationCreate => 403, { user => 'mia', body => { participantIds => ['jun'] } }, 'may_contact'],
    [conversationUpdate => 403, { user => 'mia', id => $group, body => { title => 'Mine' } }, 'no role'],
    [participantUpdate => 409, { user => 'ana', id => $group, userId => 'ana', body => { role => 'MEMBER' } },
     'the last admin'],
    [participantRemove => 404, { user => 'ana', id => $group, userId => 'tess' }, 'who is not in'],
    [supportList => 403, { user => 'mia' }, 'without the role'],
    [supportUnclaim => 403, { user => 'rosa', id => $helped }, 'not the claimant'],
    [messagePage => 200, { user => 'rosa', id => $helped }, 'with SYSTEM messages'],
    [messageRead => 200, { user => 'mia', id => $message->{id} }, 'an own one'],
    [conversationList => 200, { user => 'mia' }, 'all'],
    [health => 200, { user => 'sol' }, 'for staff'],
    [searchGet => 200, { user => 'mia', query => 'query=%21%21' }, 'without words'],
) {
    answers(@$x);
}

# --- methods that a path does not have, OPTIONS, HEAD

for my $path ($api->paths) {
    my %has = map { $_ => 1 } @{ $path->{methods} };
    my $real = $path->{path} =~ s/\{(?:id)\}/UNKNOWN/er =~ s/\{\w+\}/mia/gr;
    my $allow = join ', ', grep { $_ eq 'OPTIONS' || $has{ $_ eq 'HEAD' ? 'GET' : $_ } }
        qw(GET HEAD POST PUT PATCH DELETE OPTIONS);

    for my $method (grep { !$has{$_} } qw(GET POST PUT PATCH DELETE)) {
        my $answer = call('mia', $method => $real);
        is(join("\n", $answer->{code}, $api->other_faults($path->{path}, $answer)), 405,
           "$method $path->{path} 405");
        is($answer->{headers}->header('Allow'), $allow, 'with what is allowed');
        $codes{ $answer->{json}{code} }++;
    }

    my $answer = call(undef, OPTIONS => $real);
    is($answer->{code}, 204, "OPTIONS $path->{path}");
    is($answer->{headers}->header('Allow'), $allow, 'says what is allowed');
}

for my $id (grep { $operation{$_}{method} eq 'GET' } @ids) {
    my $path = $operation{$id}{path} =~ s/\{id\}/$ready{$id}{id}/r;
    my $answer = call($ready{$id}{user}, HEAD => $path . "?" . ($ready{$id}{query} // ''));
    is("$answer->{code} $answer->{body}", '200 ', "HEAD of $id");
}

# --- budgets

my @limited = grep { grep { $_ == 429 } @{ $operation{$_}{statuses} } } @ids;

server(limits => 1, directives =>
       'mentara_limit send=1/60s react=1/60s search=1/60s create=1/60s;');
for my $id (@limited) {
    my $r = { %{ $ready{$id} }, user => 'tess' };
    ask($id, $r);
    my $answer = answers($id, 429, $r);
    like($answer->{headers}->header($_), qr/^\d+$/, "with $_")
        for qw(RateLimit-Limit RateLimit-Remaining RateLimit-Reset);
}
answers('messageSend', 400, { %{ $ready{messageSend} }, user => 'xeno' }, 'attachments are off');

# --- b66: no operation works without a good token

server(directives => 'mentara_jwt_require iss=https://issuer.example aud=mentara;'
       . ' mentara_jwt_leeway 0s;');

my %claims = (sub => 'mia', iss => 'https://issuer.example', aud => 'mentara', exp => time + 3600);
sub bearer {
    my (%o) = @_;
    my $text = token(key => secret_of, %o, claims => { %claims, %{ $o{claims} // {} } });
    return $o{cut} ? substr($text, 0, -$o{cut}) : $text;
}
my %bad = (
    'no token at all' => [token_missing => undef],
    'no JWT' => [token_invalid => 'x'],
    'expired' => [token_expired => bearer(claims => { exp => time - 60 })],
    'not valid yet' => [token_invalid => bearer(claims => { nbf => time + 60 })],
    'without an end' => [token_invalid => bearer(claims => { exp => undef })],
    'another issuer' => [token_invalid => bearer(claims => { iss => 'https://evil.example' })],
    'another audience' => [token_invalid => bearer(claims => { aud => 'else' })],
    'another secret' => [token_invalid => bearer(key => 'x' x 40)],
    'algorithm none' => [token_invalid => bearer(header => { alg => 'none' })],
    'an algorithm that is not configured' => [token_invalid => bearer(header => { alg => 'HS512' })],
    'truncated' => [token_invalid => bearer(cut => 5)],
);
my $before = state_of_data();

for my $id (@ids) {
    for my $why (sort keys %bad) {
        my ($code, $bad) = @{ $bad{$why} };
        next if !defined $bad && !$operation{$id}{secured};
        my @ways = !defined $bad ? {} : ({ Authorization => "Bearer $bad" },
            { Cookie => "__session=$bad", Origin => nginx->url });
        for my $headers (@ways) {
            my $answer = answers($id, 401, { %{ $ready{$id} }, user => undef, headers => $headers },
                                 "b66: $why, " . join ' ', sort keys %$headers);
            is($answer->{json}{code}, $code, "b66: $why is $code");
        }
    }
}
is(state_of_data(), $before, 'b66: and nothing was changed');
is(call({ Authorization => 'Bearer ' . bearer() }, GET => '/me')->{code}, 200,
   'b66: but the good one works');

# --- b67: none works for who is not in the conversation

server(directives => 'mentara_attachment_url /files/;');

my %inside = (conversations => [$group, $dm, $closed, $helped],
              messages => [$message->{id}, $hidden->{id}, $late->{id}, $system->{id}]);
my @strangers = (['xeno', 'a stranger'], ['jun', 'who has left'], ['kai', 'an admin of the site']);
$before = state_of_data();

for my $id (grep { $operation{$_}{path} =~ /\{id\}/ } @ids) {
    my ($kind) = $operation{$id}{path} =~ m{^/(\w+)};
    my $status = $id =~ /^(messagePage|messageSend)$/ ? 403 : 404;

    for my $stranger (@strangers) {
        my ($user, $who) = @$stranger;
        next if $user eq 'kai' && $id =~ /^(messageRevisions|supportClaim)$/;
        my $none = ask($id, { %{ $ready{$id} }, user => $user, id => UNKNOWN });
        my $expected = $none->{body} =~ s/"requestId":"\w+"//r;

        for my $known (@{ $inside{$kind} }) {
            my $answer = answers($id, $status, { %{ $ready{$id} }, user => $user, id => $known },
                                 "b67: $who");
            is($answer->{body} =~ s/"requestId":"\w+"//r, $expected,
               'b67: and cannot tell whether it exists');
        }
    }
}
is(state_of_data(), $before, 'b67: and nothing was changed');
is_deeply(call('xeno', POST => '/search', { query => 'pandesal' })->{json}, [],
          'b67: nor is anything found');
is_deeply(call('xeno', GET => '/conversations?archived=all')->{json}, [], 'b67: or listed');

# --- what the server cannot help

my $files = 'mentara_attachment_url /files/;';
my $impatient = server(postgres => 'connections=4 timeout=150ms', directives => $files);
my $failing = server(directives => $files);

sub each_fails {
    my ($status, $server) = @_;
    for my $id (grep { $operation{$_}{secured} } @ids) {
        answers($id, $status, { %{ $ready{$id} }, server => $server });
    }
}

db->query('alter view messaging.directory rename to elsewhere');
each_fails(500, $failing);
db->query('alter view messaging.elsewhere rename to directory');

my $locker = fork // die "fork: $!";
if (!$locker) {
    open STDERR, '>', '/dev/null';
    exec 'psql', '-X', '-q', '-d', db->conninfo, '-c',
        'begin; lock table messaging.people in access exclusive mode; select pg_sleep(120)';
}
$failing->wait_for(sub {
    db->query("select count(*) from pg_locks where mode = 'AccessExclusiveLock'"
              . " and relation = 'messaging.people'::regclass and granted");
}, 'the lock');
each_fails(504, $impatient);
db->query("select pg_terminate_backend(pid) from pg_locks where mode = 'AccessExclusiveLock'"
          . " and relation = 'messaging.people'::regclass");
waitpid $locker, 0;

db->stop('fast');
$failing->wait_for(sub { call(undef, GET => '/health')->{code} == 503 }, 'the end of the database');
each_fails(503, $failing);
answers('health', 503, {});
answers('health', 503, { user => 'sol' }, 'for staff');
db->start;
$failing->wait_for(sub { call(undef, GET => '/health')->{code} == 200 }, 'the database');

# --- nothing was left out

for my $id (@ids) {
    ok($api->seen($id, $_), "$id $_ was driven") for @{ $operation{$id}{statuses} };
}

# of events; keys that are fetched; a connection that broke in between
my @elsewhere = qw(malformed_event keys_unavailable outcome_unknown);
$codes{$_}++ for @elsewhere;
is_deeply([grep { !$codes{$_} } $api->codes], [], 'every code of an error was seen');

finish();
