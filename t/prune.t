# Events that were forgotten: who comes back from before is told to reload, who comes back
# from after misses nothing, and messages stay.
use strict;
use warnings;
use lib 't/lib';
use Mentara::Test;
use Mojo::UserAgent;
use Test::More;

server(zone => '1m ring=16 rooms=64 bodies=65536');

my $id = direct('mia', 'ana');
my $ua = Mojo::UserAgent->new(inactivity_timeout => 10);


# a socket of ana's until an event comes: all that came
sub heard {
    my ($offset, $until) = @_;
    my $url = nginx->url =~ s/^http/ws/r . '/messaging/ws'
        . (defined $offset ? "?offset=$offset" : '');
    my @heard;

    $ua->websocket($url => as('ana') => sub {
        my (undef, $tx) = @_;

        $tx->is_websocket or return Mojo::IOLoop->stop;
        $tx->on(json => sub {
            push @heard, $_[1];
            $tx->finish if $_[1]{event} eq $until;
        });
        $tx->on(finish => sub { Mojo::IOLoop->stop });
    });
    Mojo::IOLoop->start;

    return @heard;
}

my ($before) = map { $_->{offset} } grep { $_->{event} eq 'connected' } heard(undef, 'connected');
said('mia', $id) for 1 .. 3;

# an offset's third part is the transaction below which its client has everything
my ($newest) = db->query('select max(xid) from messaging.events');
my $after = nginx->wait_for(sub {
    my ($offset) = map { $_->{offset} } grep { $_->{event} eq 'connected' }
        heard($before, 'connected');
    return hex((split /\./, $offset)[2]) > $newest->[0] && $offset;
}, 'a sweep');

db->query('update messaging.events set created_at = created_at - interval \'8 days\'');
my $late = said('mia', $id, 'said after that');

# the ring has forgotten the old position
said('ben', direct('ben', 'tess')) for 1 .. 20;
is(db->query("select messaging.prune_events('90 days')"), 0, 'nothing is that old');
cmp_ok(db->query("select messaging.prune_events('7 days')"), '>=', 4, 'old events are forgotten');
is(db->query("select messaging.prune_events('7 days')"), 0, 'once');

my @heard = heard($before, 'connected');
ok(!$heard[-1]{data}{recovered}, 'who comes back from before is told to reload');
is(scalar(grep { $_->{event} eq 'new_message' } @heard), 0, 'and gets nothing by halves');
@heard = heard($after, 'connected');
ok($heard[-1]{data}{recovered}, 'who comes back from after');
is_deeply([map { $_->{data}{id} } grep { $_->{event} eq 'new_message' } @heard], [$late->{id}],
          'gets what was missed');
is(scalar @{ call('ana', GET => "/conversations/$id/messages")->{json} }, 4, 'messages stay');

# --- a dump in another cluster, where transactions are numbered from the start

nginx->stop('QUIT');
db->query("update messaging.events set xid = '99999999999'");
db->query("update messaging.conversations set last_event_xid = '99999999999'");
db->query("update messaging.kept set from_xid = '99999999'");
db->query('select messaging.restored()');
nginx->start;
is(scalar(() = db->rows("select 1 from messaging.sweep_delta(pg_current_snapshot()) where kind = 'l'")), 0,
   'nothing of the old numbers is taken for new');
my ($then) = map { $_->{offset} } grep { $_->{event} eq 'connected' } heard(undef, 'connected');
my $new = said('mia', $id, 'said after the restore');
nginx->stop('QUIT');
nginx->start;
@heard = heard($then, 'connected');
ok($heard[-1]{data}{recovered}, 'who comes back from after the restore is recovered, by the database');
is_deeply([map { $_->{data}{id} } grep { $_->{event} eq 'new_message' } @heard], [$new->{id}],
          'and gets what was missed, once');

finish();
