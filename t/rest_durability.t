# What was acknowledged is there: dead workers, a database that goes and comes back,
# and many who ask for the same thing at once.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use IO::Socket::UNIX;
use POSIX ();
use Mentara::Test;
use Mojo::Promise;
use Mojo::UserAgent;
use Test::More;

my $nginx = server(workers => 2);
my $dm = direct('mia', 'ana');

# --- twenty at once

my $ua = Mojo::UserAgent->new(max_connections => 0);
my (%ids, %codes);
Mojo::Promise->all(map {
    my ($from, $to) = @$_;
    map { $ua->post_p($nginx->url . '/messaging/conversations' => as($from)
                      => json => { participantIds => [$to] }) } 1 .. 10
} ['rosa', 'ben'], ['ben', 'rosa'])->then(sub {
    for my $res (map { $_->[0]->res } @_) {
        $codes{ $res->code }++;
        $ids{ $res->json('/id') // 'none' }++;
    }
})->wait;
is_deeply(\%codes, { 201 => 1, 200 => 19 }, 'b3: of twenty at once, one creates it');
is(scalar keys %ids, 1, 'b3: and all name the same conversation');
is(db->query("select count(*) from messaging.conversations where type = 'DIRECT'"), 2,
   'b3: which is one row');

# --- a worker that dies right after the 201

for my $n (1 .. 5) {
    my $m = said('mia', $dm, "said before worker $n was killed");
    my @before = $nginx->workers;
    $nginx->kill_worker($_) for @before;
    my %old = map { $_ => 1 } @before;
    $nginx->wait_for(sub {
        my @now = $nginx->workers;
        @now == 2 && !grep { $old{$_} } @now;
    }, 'new workers');
    $nginx->wait_for(sub { call(undef, GET => '/health')->{code} == 200 }, 'health');
    my $page = call('ana', GET => "/conversations/$dm/messages?limit=100");
    is(scalar(grep { $_->{id} eq $m->{id} } @{ $page->{json} }), 1,
       "b25: a message acknowledged before kill -9 is there, once ($n)");
}

# --- the database is stopped in mid-traffic and comes back

for my $mode (qw(fast immediate)) {
    my $key = 'again-' . $mode;
    db->stop($mode);
    my $r;
    $nginx->wait_for(sub {
        $r = call('mia', POST => "/conversations/$dm/messages",
                  { content => "while it was away, $mode" }, { 'Idempotency-Key' => $key });
        $r->{code} == 503;
    }, '503');
    like($r->{headers}->header('Retry-After'), qr/^\d+$/, "$mode: 503 says when to come back");
    db->start;
    $nginx->wait_for(sub { call(undef, GET => '/health')->{code} == 200 }, 'the database');
    my @sent = map {
        call('mia', POST => "/conversations/$dm/messages",
             { content => "while it was away, $mode" }, { 'Idempotency-Key' => $key })
    } 1, 2;
    is($sent[0]{code}, 201, "$mode: sent again with the same key, it is taken");
    is($sent[1]{json}{id}, $sent[0]{json}{id}, "$mode: and once more, it is the same message");
    my $page = call('ana', GET => "/conversations/$dm/messages?limit=100");
    is(scalar(grep { $_->{content} eq "while it was away, $mode" } @{ $page->{json} }), 1,
       "$mode: it is there once");
}

# --- what is there takes connections and drops them, as a database that starts

db->stop('fast');
my $path = db->{dir} . '/.s.PGSQL.5432';
my $door = IO::Socket::UNIX->new(Local => $path, Listen => 64) or die "listen: $!";
chmod 0777, $path;
my $dropper = fork // die "fork: $!";
if ($dropper == 0) {
    while (my $taken = $door->accept) { select undef, undef, undef, 0.1; close $taken }
    POSIX::_exit(0);
}
$nginx->wait_for(sub { call('mia', GET => '/conversations')->{code} == 503 }, '503');
for my $n (1 .. 3) {
    my $since = time;
    is(call('mia', GET => '/conversations')->{code}, 503, "connections that are dropped: 503 ($n)");
    cmp_ok(time - $since, '<', 3, 'long before the time for an answer of the database is over');
}
kill KILL => $dropper;
waitpid $dropper, 0;
close $door;
unlink $path;
db->start;
$nginx->wait_for(sub { call(undef, GET => '/health')->{code} == 200 }, 'the database');

finish();
