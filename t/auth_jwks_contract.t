# b16: keys from an internal location, by the contract alone: another server of the same
# nginx is the key server, and its log says what it got to see.
use strict;
use warnings;
use lib 't/lib';
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP ();
use Mentara::Nginx;
use Mentara::Test;
use Mentara::Token qw(token rsa_key);
use MIME::Base64 qw(encode_base64url);
use Mojo::Promise;
use Mojo::UserAgent;
use Test::More;
use Time::HiRes qw(time);

my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;
my %key = map { $_ => (rsa_key("$dir/$_"))[0] } qw(old new foreign);
my $now = time;
my $refresh = 1;

sub jwk {
    my ($kid) = @_;
    my ($n) = `openssl rsa -in $key{$kid} -noout -modulus` =~ /=(\w+)/;

    return { kty => 'RSA', alg => 'RS256', use => 'sig', kid => $kid, e => 'AQAB',
             n => encode_base64url(pack('H*', $n), '') };
}

# what the key server answers from now on; nothing: it has no file, 404
sub publish {
    my (@kids) = @_;
    return unlink "$dir/jwks.json" if !@kids;
    open my $fh, '>', "$dir/jwks.new" or die;
    print $fh JSON::PP::encode_json({ keys => [map { jwk($_) } @kids] });
    close $fh;
    rename "$dir/jwks.new", "$dir/jwks.json" or die;
}

my %token = map { $_ => token(key => $key{$_}, header => { alg => 'RS256', kid => $_ },
    claims => { sub => 'mia', exp => $now + 3600 }) } keys %key;
my $second = token(key => $key{old}, header => { alg => 'RS256', kid => 'old' },
                   claims => { sub => 'ana', exp => $now + 3600 });
sub by { my ($token, $method, $path, @more) = @_;
         call({ Authorization => "Bearer $token" }, $method // 'GET', $path // '/me', @more) }
sub code { by(@_)->{code} }

sub start {
    my (%o) = @_;
    my $port = Mentara::Nginx::free_port();
    my $upstream = $o{upstream} // "127.0.0.1:$port";
    my $server = server(
        log_level => 'notice', workers => $o{workers} // 1, keys => <<"CONF", locations => <<'REST', server => <<"KEYS");
mentara_jwt_jwks /_jwks refresh=${refresh}s;
log_format seen '\$request_method \$request_uri a=\$http_authorization c=\$http_cookie x=\$http_x_secret '
                'i=\$http_idempotency_key u=\$http_user_agent l=\$http_content_length t=\$http_content_type';
server {
    listen 127.0.0.1:$port;
    access_log $dir/seen.log seen;
    location = /keys { root $dir; try_files /jwks.json =404; default_type application/json; }
}
CONF
REST
location = /_jwks {
    internal;
    proxy_pass http://$upstream/keys;
    proxy_pass_request_headers off;
    proxy_pass_request_body off;
    proxy_connect_timeout 1s;
}
KEYS
    return $server;
}

sub seen { open my $fh, '<', "$dir/seen.log" or return (); return <$fh> }

# --- the first keys; what the key server gets to see

publish('old');
start();
my $r = by($token{old}, POST => '/conversations?secret=1', { participantIds => ['ana'] },
           { Cookie => 'a=secret', 'X-Secret' => 'secret', 'Idempotency-Key' => 'secret' });
is($r->{code}, 201, 'b16: a token by a key of the set, although nothing was loaded before');
my @seen = seen();
is(scalar @seen, 1, 'b16: one fetch');
is($seen[0], "GET /keys a=- c=- x=- i=- u=- l=- t=-\n", 'b16: that carries nothing of its client');
is(code($token{old}), 200, 'b16: again');
is(code($token{foreign}), 401, 'b16: a key that the set does not have');
is(code(token(key => $key{foreign}, header => { alg => 'RS256', kid => 'old' },
              claims => { sub => 'mia', exp => $now + 3600 })), 401, 'b16: the name alone is not enough');
my $tx = Mojo::UserAgent->new->get(nginx->url . '/_jwks');
is($tx->res->code, 404, 'b16: nobody gets the location from outside');

# --- rotation, without a reload

publish('old', 'new');
nginx->wait_for(sub { code($token{new}) == 200 }, 'the new key');
pass('b16: a new kid is accepted after the refresh');
is(code($token{old}), 200, 'b16: the old one still counts');
is(code($second), 200, 'b16: also for a token that was not seen yet');
publish('new');
nginx->wait_for(sub { code($token{old}) == 401 }, 'the end of the old key');
is(code($token{old}), 401, 'b16: a removed key is refused, for a token that was good before');
is(code($second), 401, 'b16: for another one too');
is(code($token{new}), 200, 'b16: the one that is left counts');

# --- the key server fails: the keys stay

publish();
my $end = time + 2.5 * $refresh;
my %codes;
$codes{ code($token{new}) }++ while time < $end && select(undef, undef, undef, 0.05) >= 0;
is_deeply([keys %codes], [200], 'b16: when the key server fails, the keys that were loaded stay');
open my $fh, '>', "$dir/jwks.json" or die;
print $fh '<html>not keys</html>';
close $fh;
$end = time + 2.5 * $refresh;
%codes = ();
$codes{ code($token{new}) }++ while time < $end && select(undef, undef, undef, 0.05) >= 0;
is_deeply([keys %codes], [200], 'b16: also when it answers something else');
publish('old');
nginx->wait_for(sub { code($token{old}) == 200 }, 'its return', 30);
is(code($token{new}), 401, 'b16: when it is back, its word counts');

# --- never loaded

$refresh = 2;
publish();
start();
$r = by($token{old});
is($r->{code}, 503, 'b16: keys that were never loaded: 503');
like($r->{headers}->header('Retry-After'), qr/^[1-9]\d*$/, 'b16: with Retry-After');
is($r->{json}{statusCode}, 503, 'b16: in the one shape of errors');
is($r->{headers}->header('Cache-Control'), 'no-store', 'b16: with the usual headers');
is(call(undef, GET => '/health')->{code}, 200, 'b16: health needs no keys');
is(call(undef, GET => '/me')->{json}{code}, 'token_missing', 'b16: nor does the lack of a token');
publish('old');
nginx->wait_for(sub { code($token{old}) == 200 }, 'the keys', 30);
pass('b16: and it comes by itself when they are there');

# --- a key server that takes its time blocks nobody else

my $silent = IO::Socket::INET->new(Listen => 8, LocalAddr => '127.0.0.1') or die;
$refresh = 600;
start(upstream => '127.0.0.1:' . $silent->sockport);
my ($waits, $longest, $answered) = (0, 0, 0);
my $ua = Mojo::UserAgent->new(max_connections => 0, inactivity_timeout => 30);
my $first = $ua->get_p(nginx->url . '/messaging/me', { Authorization => "Bearer $token{old}" })
    ->then(sub { $waits = $_[0]->res->code });
my $next;
$next = sub {
    my $t = time;
    return $ua->get_p(nginx->url . '/messaging/' . ($answered % 2 ? 'health' : 'me'))->then(sub {
        my $code = $_[0]->res->code;
        $longest = time - $t if time - $t > $longest;
        $answered++ if $code == ($answered % 2 ? 200 : 401);
        return $waits || $answered >= 100 ? undef : $next->();
    });
};
Mojo::Promise->timer(0.2)->then(sub { $next->() })->wait;
cmp_ok($answered, '>=', 50, 'b16: while one waits for its keys, the same worker answers others');
cmp_ok($longest, '<', 0.5, 'b16: at once');
$first->wait;
is($waits, 503, 'b16: and who waited is told in the end');

finish();
