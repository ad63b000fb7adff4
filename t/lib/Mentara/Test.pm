package Mentara::Test;

# One call for a database, an nginx and people; every file that uses it ends
# with the same assertions: nothing alarming in the log, no sanitizer report,
# and nothing that a person wrote in any log.

use strict;
use warnings;
use Exporter qw(import);
use Mojo::JSON qw(decode_json encode_json);
use Mojo::UserAgent;
use Mentara::Nginx;
use Mentara::Postgres;
use Mentara::Token qw(token);
use Test::More;

our @EXPORT = qw(server db nginx as call direct group said secret_of
    canary state_of_data finish);

my ($db, $nginx, @servers, %written);

use constant SECRET => 'a secret of the tests that has some length 0123456789';


# options of Mentara::Nginx; also directives => text in http, limits => 1,
# zone => its size and parameters
sub server {
    my (%o) = @_;

    $db = $o{db} // $db // Mentara::Postgres->new;
    $nginx = Mentara::Nginx->new(%o);
    my $secret = $nginx->write_file('secret', SECRET);
    my $limits = $o{limits} ? '' : 'mentara_limit off;';
    my $postgres = $o{postgres} // 'connections=4 timeout=5s';
    my $zone = $o{zone} // '8m';
    my $conninfo = $o{conninfo} // $db->conninfo;
    my $keys = $o{keys} // "mentara_jwt_secret HS256 $secret;";

    $nginx->{http} = <<"CONF" . ($o{directives} // '');
mentara_zone mentara $zone;
mentara_postgres "$conninfo" $postgres;
$keys
$limits
CONF
    $nginx->{locations} = ($o{locations} // '') . <<'CONF';
location /messaging { mentara_api; }
location /socket.io/ { mentara_socketio; }
location = /messaging/ws { mentara_websocket; }
location = /metrics { mentara_status prometheus; }
CONF
    $nginx->start;
    push @servers, $nginx;
    $nginx->wait_for(sub { call(undef, GET => '/health')->{code} == 200 },
                     'health') unless $o{no_wait};

    return $nginx;
}


sub db { $db }
sub nginx { $nginx }
sub secret_of { SECRET }


# the headers of a user
sub as {
    my ($user, %claims) = @_;

    return {} if !defined $user;
    return { Authorization => 'Bearer ' . token(key => SECRET,
        claims => { sub => $user, exp => time + 3600, %claims }) };
}


# call(user or headers, method, path, body, headers): a hash with code, json,
# body, headers
my %agents;
sub call {
    my ($who, $method, $path, $body, $headers, %o) = @_;
    my $ua = $agents{$$} //= Mojo::UserAgent->new(
        inactivity_timeout => 30, max_connections => 0);
    my %h = (%{ ref $who ? $who : as($who) }, %{ $headers // {} });
    my $url = ($o{nginx} // $nginx)->url . ($path =~ m{^/messaging} ? '' : '/messaging')
        . $path;
    my @content;

    if (ref $body eq 'HASH' || ref $body eq 'ARRAY') {
        $written{ $body->{content} } = 1
            if ref $body eq 'HASH' && !ref $body->{content}
            && length($body->{content} // '') > 12;
        $h{'Content-Type'} //= 'application/json';
        @content = (encode_json($body));
    }
    elsif (defined $body) {
        $h{'Content-Type'} //= 'application/json';
        @content = ($body);
    }

    my $tx = $ua->build_tx($method => $url => \%h => @content);
    $ua->start($tx);
    my $res = $tx->res;
    my $json = eval { decode_json($res->body) };

    return { code => $res->code // 0, json => $json, body => $res->body,
             headers => $res->headers, error => $tx->error };
}


# a DIRECT of two, its id
sub direct {
    my ($a, $b) = @_;
    my $r = call($a, POST => '/conversations', { participantIds => [$b] });

    die "direct: $r->{body}" if $r->{code} !~ /^20[01]$/;

    return $r->{json}{id};
}


# a GROUP, its id; the first is its ADMIN
sub group {
    my ($a, @others) = @_;
    my $r = call($a, POST => '/conversations',
                 { type => 'GROUP', title => 'Circle',
                   participantIds => \@others });

    die "group: $r->{body}" if $r->{code} != 201;

    return $r->{json}{id};
}


# says something in a conversation: the message
my $said = 0;
sub said {
    my ($who, $conversation, $text, %more) = @_;
    my $r = call($who, POST => "/conversations/$conversation/messages",
                 { content => $text // 'said number ' . ++$said, %more });

    die "said: $r->{code} $r->{body}" if $r->{code} != 201;

    return $r->{json};
}


# words that no log may hold
sub canary { $written{$_[0]} = 1; $_[0] }


# a digest of every row of every table
sub state_of_data {
    return $db->query(<<'SQL');
select md5(string_agg(c.relname || xpath('/row/h/text()', query_to_xml(
           format('select md5(string_agg(t::text, ''|'' order by t::text)) as h from messaging.%I t',
                  c.relname), false, true, ''))::text, ',' order by c.relname))
  from pg_class c where c.relnamespace = 'messaging'::regnamespace and c.relkind = 'r'
SQL
}


# the last call of every file: what holds after all of it
sub finish {
    for my $server (@servers) {
        $server->stop('QUIT');
        is(join("\n", $server->faults), '',
           'nothing alarming was logged and no sanitizer spoke');
        my $logs = $server->slurp('error.log') . $server->slurp('access.log');
        my @leaked = grep { index($logs, $_) >= 0 } keys %written,
            'eyJhbGciOi', 'Dela Cruz', 'Lindqvist';
        is("@leaked", '', 'no log holds what people wrote, names or tokens');
    }

    done_testing();
}

1;
