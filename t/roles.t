# The role that nginx connects as: it serves everything and can do nothing else.
use strict;
use warnings;
use lib 't/lib';
use Mentara::Postgres;
use Mentara::Test;
use Test::More;

my $postgres = Mentara::Postgres->new;
$postgres->file('sql/roles.sql') for 1 .. 2;
my $app = $postgres->conninfo =~ s/user=postgres/user=mentara_app/r;

server(db => $postgres, conninfo => $app, workers => 2);

my $id = direct('mia', 'ana');
my $said = said('mia', $id, 'said as a role that may do little');
is(call('ana', GET => "/conversations/$id/messages")->{json}[0]{id}, $said->{id},
   'what a patient says is read');
is(call('ana', POST => "/messages/$said->{id}/read")->{code}, 200, 'and marked as read');
is(call('ana', POST => "/messages/$said->{id}/reactions", { emoji => "\x{1f44d}" })->{code},
   201, 'and reacted to');
is(call('mia', GET => '/search?query=little')->{code}, 200, 'and found');

my $ua = Mojo::UserAgent->new(inactivity_timeout => 10);
my @heard;
$ua->websocket(nginx->url =~ s/^http/ws/r . '/messaging/ws' => as('ana') => sub {
    my (undef, $tx) = @_;
    return Mojo::IOLoop->stop if !$tx->is_websocket;
    $tx->on(json => sub {
        push @heard, $_[1];
        said('mia', $id, 'said to somebody who is there') if $_[1]{event} eq 'connected';
        Mojo::IOLoop->stop if $_[1]{event} eq 'new_message';
    });
});
Mojo::IOLoop->timer(10 => sub { Mojo::IOLoop->stop });
Mojo::IOLoop->start;
is($heard[-1]{data}{content}, 'said to somebody who is there', 'and heard live');

for my $statement ('select * from messaging.messages', 'delete from messaging.events',
                   'update messaging.people set role = \'admin\'',
                   'select * from messaging.server_keys', 'create table messaging.t ()') {
    my $out = `psql -X -A -t -d '$app' -c "$statement" 2>&1`;
    like($out, qr/permission denied/, "it may not: $statement");
}

finish();
