# Keys that are fetched from a key server through an internal location: what clients see
# when it answers, changes its keys, fails, hangs or tells nonsense, and what it gets to see.
use strict;
use warnings;
use lib 't/lib';
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP ();
use Mentara::Nginx;
use Mentara::Test;
use Mentara::Token qw(token);
use MIME::Base64 qw(encode_base64url);
use Mojo::Promise;
use Mojo::UserAgent;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $dir = tempdir(CLEANUP => 1);
my %key = map { $_ => rsa($_) } qw(one two three);
my %token = map { $_ => signed($_) } keys %key;
my $upstream = key_server();
my $s;

# --- the first request

start();
answer('set', keys => ['one'], delay => 0.3);
my $r = with('one', POST => '/conversations?secret=inquery',
             { participantIds => ['ana'], type => 'GROUP', title => 'in the body' },
             { Cookie => 'sid=incookie', 'X-Custom' => 'inheader',
               'User-Agent' => 'inagent' });
is($r->{code}, 201, 'the first request waits for the keys, and its body is read');
my @seen = requests();
is(scalar @seen, 1, 'one fetch');
like($seen[0], qr{^GET /keys HTTP/1}, 'a plain GET');
unlike($seen[0], qr/$_/i, "the key server does not get to see: $_")
    for qw(authorization bearer cookie incookie inquery inheader inagent messaging body
           content-type content-length conversations);
is(with('one')->{code}, 200, 'the second request finds the keys');
is(scalar requests(), 1, 'and fetches nothing');

# --- many at once

start(workers => 2);
answer('set', keys => ['one'], delay => 0.7);
my @codes = many(50, 'one');
is("@codes", join(' ', (200) x 50), '50 first requests at once are all answered');
cmp_ok(scalar requests(), '<=', 2, 'with one fetch of each worker');

# --- keys that come and go

start(refresh => '1s');
answer('set', keys => ['one']);
is(with('one')->{code}, 200, 'the keys of today');
sleep 1.5;
answer('set', keys => ['one', 'two']);
is(with('two')->{code}, 200, 'a new key is good at once');
is(with('one')->{code}, 200, 'and so is the old one');
answer('set', keys => ['two']);
nginx->wait_for(sub { with('one')->{code} == 401 }, 'the end of the old key');
is(with('two')->{code}, 200, 'when the old key has left, the new one counts');
is(with('three')->{code}, 401, 'a key that the set does not have is refused');

start();
answer('set', keys => ['one']);
is(with('one')->{code}, 200, 'keys for ten minutes');
is(with('three')->{code}, 401, "a name that no key has: 401") for 1 .. 20;
is(scalar requests(), 1, 'and the key server is not asked each time');

# --- a key server that fails

start(refresh => '1s');
answer('set', keys => ['one']);
is(with('one')->{code}, 200, 'keys were loaded');
for my $how (['status', qr/instead of a JWKS came status 500/],
             ['moved', qr/instead of a JWKS came status 302/],
             ['nothing', qr/no JWKS could be loaded, the old keys stay/],
             ['garbage', qr/no JWKS could be loaded, the old keys stay/],
             ['empty', qr/no JWKS could be loaded, the old keys stay/],
             ['cut', qr/no JWKS could be loaded, the old keys stay/],
             ['large', qr/more than 262144 octets/],
             ['endless', qr/more than 262144 octets/],
             ['refused', qr/instead of a JWKS came status 502/]) {
    my ($mode, $line) = @$how;
    answer($mode);
    my $before = requests();
    my $log = length nginx->slurp('error.log');
    my @codes;
    nginx->wait_for(sub {
        push @codes, with('one')->{code};
        substr(nginx->slurp('error.log'), $log) =~ $line;
    }, "the log to tell of: $mode");
    is((join ' ', grep { $_ != 200 } @codes), '', "old keys stay when it fails: $mode");
    cmp_ok(requests() - $before, '<=', 3, 'and it is not asked more often');
}
is(with('two')->{code}, 503, 'a name that no key has is not refused while it fails');
answer('set', keys => ['two']);
nginx->wait_for(sub { with('two')->{code} == 200 }, 'the key server to be asked again');
is(with('one')->{code}, 401, 'when it is back, its keys count');

# --- never loaded

start(refresh => '2s');
answer('status');
$r = with('one');
is($r->{code}, 503, 'without any keys: 503');
is($r->{json}{code}, 'keys_unavailable', 'that says why');
like($r->{headers}->header('Retry-After'), qr/^\d+$/, 'and when to come back');
is(with('one')->{code}, 503, 'at once the next time') for 1 .. 5;
is(scalar requests(), 1, 'without asking the key server again');
is(call(undef, GET => '/conversations')->{code}, 401, 'no token is still 401');
answer('set', keys => ['one']);
nginx->wait_for(sub { with('one')->{code} == 200 }, 'keys without a reload');
pass('it comes back by itself');

start(more => 'mentara_token_query on;', refresh => '1s');
for my $mode (qw(status refused garbage)) {
    answer($mode);
    nginx->wait_for(sub { requests() if call({}, GET => "/me?token=$token{one}")->{code} == 503 },
                    'a fetch');
    unlink "$dir/requests";
}
unlike(nginx->slurp('error.log'), qr/eyJ|token=/, 'lines about the fetch hold no token');
like(nginx->slurp('error.log'), qr{JWKS: "/_jwks", upstream: "http://127}, 'but its address');

# --- a key server that hangs

my $pem = "$dir/three.pem";
start(refresh => '10m', more => "mentara_jwt_key RS256 $pem kid=three;");
answer('hang');
my $begun = time;
my $pid = fork // die;
if ($pid == 0) {
    my $code = with('one')->{code};
    POSIX::_exit($code == 503 ? 0 : 1);
}
nginx->wait_for(sub { scalar(requests()) }, 'the fetch');
my $t = time;
is(with('three')->{code}, 200, 'while the key server hangs, other keys serve');
is(call(undef, GET => '/health')->{code}, 200, 'and health answers');
cmp_ok(time - $t, '<', 2, 'without waiting');
is(with('one')->{code}, 503, 'who needs its keys gets 503');
cmp_ok(time - $begun, '<', 8, 'after some seconds');
waitpid $pid, 0;
is($?, 0, 'and so does who came first');
like(nginx->slurp('error.log'), qr/no JWKS came within 5000 ms/, 'the log tells');
cmp_ok(scalar requests(), '==', 1, 'by one fetch');

start();
answer('hang');
$s = raw('GET /messaging/conversations', 'two', 'Connection: close');
nginx->wait_for(sub { scalar(requests()) }, 'the fetch');
nginx->reload;
like(answer_of($s, 8), qr{^HTTP/1.1 503 }, 'after a reload who waits is still answered');

start(refresh => '2s', http2 => 1);
answer('set', keys => ['one']);
is(with('one')->{code}, 200, 'keys for two seconds');
answer('hang');
sleep 2.2;
many(1, 'one');
$t = time;
my @late;
while (time < $t + 7) {
    my $one = time;
    my $code = with('one')->{code};
    push @late, "$code after " . (time - $one) if $code != 200 || time - $one > 1.5;
    sleep 0.1;
}
is("@late", '', 'keys that are too old serve on while new ones do not come');
$s = raw('GET /messaging/conversations', 'one');
print $s head('GET /messaging/me', 'one', 'Connection: close');
is(scalar(() = answer_of($s, 8) =~ m{HTTP/1.1 200 }g), 2, 'also twice on one connection');
is(h2(''), '2 200', 'and by HTTP/2');

# --- ahead of time

start(refresh => '5s');
answer('set', keys => ['one']);
is(with('one')->{code}, 200, 'keys for five seconds');
answer('set', keys => ['one', 'two'], delay => 0.7);
$t = time;
my $slow = 0;
nginx->wait_for(sub {
    my $one = time;
    with('one');
    $slow++ if time - $one > 0.5;
    requests() > 1;
}, 'the second fetch');
cmp_ok(time - $t, '<', 5.2, 'keys are fetched before they are too old');
is(with('one')->{code}, 200, 'and meanwhile requests are served');
is($slow, 0, 'without waiting');
nginx->wait_for(sub { with('two')->{code} == 200 }, 'the new keys');
answer('set', keys => ['one', 'two'], delay => 2);
nginx->wait_for(sub {
    $s = raw('POST /messaging/conversations', 'one', 'Content-Length: 10');
    sleep 0.1;
    requests() > 2 || !close $s;
}, 'the third fetch');
close $s;
is(with('two')->{code}, 200, 'a client that goes meanwhile harms nobody');
nginx->wait_for(sub { with('one')->{code} == 200 && requests() > 3 }, 'one more fetch');

# --- shapes of answers

my $small = 'proxy_buffer_size 1k; proxy_buffers 4 1k; proxy_busy_buffers_size 2k;';
my $keep = 'proxy_http_version 1.1; proxy_set_header Connection "";';
for my $case (['', 'wide'], ['', 'closed'], ['proxy_buffering off;', 'wide'],
              ['proxy_buffering off;', 'chunked'], [$keep, 'chunked'], [$small, 'wide'],
              [$small, 'chunked']) {
    my ($proxy, $mode) = @$case;
    start(proxy => $proxy);
    answer($mode, keys => ['one']);
    is(with('one')->{code}, 200, "a key set of 150 KB, $mode: " . ($proxy || 'default'));
    unlike(nginx->slurp('error.log'), qr/temporary file/, 'without a temporary file');
}
is(Mojo::UserAgent->new->get(nginx->url . '/_jwks')->res->code, 404,
   'clients do not get at the location');
start(location => 'location = /_jwks { internal; default_type application/json; '
                . "alias $dir/set.json; }");
write_set('one');
is(with('one')->{code}, 200, 'a file behind the internal location');
start(location => '');
is(with('one')->{code}, 503, 'a location that is not there: 503');
like(nginx->slurp('error.log'), qr/instead of a JWKS came status 404/, 'and the log tells');

# --- clients that go

start();
answer('set', keys => ['one'], delay => 1);
$s = raw('GET /messaging/conversations', 'one');
nginx->wait_for(sub { scalar(requests()) }, 'the fetch');
close $s;
is(with('one')->{code}, 200, 'who waits is served when the first client has gone');
is(scalar requests(), 1, 'by the same fetch');

start();
answer('set', keys => ['one'], delay => 1);
my $first = raw('GET /messaging/conversations', 'one', 'Connection: close');
nginx->wait_for(sub { scalar(requests()) }, 'the fetch');
close raw('GET /messaging/conversations', 'one') for 1 .. 5;
like(answer_of($first), qr{^HTTP/1.1 200 }, 'who waits may go: the first is served');
is(with('one')->{code}, 200, 'and all others');

# --- bodies and connections

start();
answer('set', keys => ['one'], delay => 0.5);
my $body = JSON::PP::encode_json({ participantIds => ['ben'], type => 'GROUP',
                                  title => 'x' x 50 });
$s = raw('POST /messaging/conversations', 'one', 'Connection: close',
         'Content-Type: application/json', 'Content-Length: ' . length $body);
nginx->wait_for(sub { scalar(requests()) }, 'the fetch');
print $s substr $body, 0, 20;
sleep 1;
print $s substr $body, 20;
like(answer_of($s), qr{^HTTP/1.1 201 }, 'a body may come while the keys do');
start();
answer('set', keys => ['one'], delay => 0.5);
$s = raw('HEAD /messaging/conversations', 'one');
print $s head('GET /messaging/me', 'one', 'Connection: close');
my $both = answer_of($s);
is(scalar(() = $both =~ m{HTTP/1.1 200 }g), 2, 'HEAD, and a request right behind it');
unlike($both, qr/"kid"/, 'nothing of the keys gets to clients');

start(gzip => 1);
answer('set', keys => ['one'], delay => 0.2);
$r = with('one', GET => '/me', undef, { 'Accept-Encoding' => 'gzip' });
is($r->{code}, 200, 'with gzip on');
is($r->{json}{id}, 'mia', 'the answer is whole');

# --- HTTP/2

for my $case (['GET', ''], ['POST', "-H 'Content-Type: application/json' -d '$body'"]) {
    start(http2 => 1);
    answer('set', keys => ['one'], delay => 0.3);
    my $out = h2($case->[1]);
    like($out, $case->[0] eq 'GET' ? qr/^2 200$/ : qr/^2 20[01]$/,
         "HTTP/2: the first request, $case->[0]");
    is(h2(''), '2 200', 'HTTP/2: the second');
}

start(http2 => 1);
answer('set', keys => ['one'], delay => 1.2);
h2('--max-time 0.5');
is(scalar requests(), 1, 'HTTP/2: a client that goes has begun a fetch');
is(h2(''), '2 200', 'HTTP/2: that serves the next one');
is(scalar requests(), 1, 'by itself');

finish();

END { kill KILL => $upstream->{pid} if $upstream && $upstream->{owner} == $$ }


####


# an nginx whose keys are behind /_jwks
sub start {
    my (%o) = @_;
    my $refresh = $o{refresh} // '10m';
    my $port = Mentara::Nginx::free_port();

    kill QUIT => nginx->pid if nginx;
    unlink "$dir/requests";
    answer('set', keys => []);
    server(log_level => 'notice', workers => $o{workers} // 1,
           keys => "mentara_jwt_jwks /_jwks refresh=$refresh;" . ($o{more} // '')
                 . ($o{gzip} ? ' gzip on; gzip_types *; gzip_min_length 1;' : ''),
           server => $o{http2} ? "listen 127.0.0.1:$port http2;" : '',
           locations => $o{location}
               // 'location = /_jwks { internal; ' . ($o{proxy} // '')
                  . " proxy_pass http://127.0.0.1:$upstream->{port}/keys; }");
    nginx->{http2} = $port;
}


sub rsa {
    my ($name) = @_;
    my $file = "$dir/$name";

    system("openssl genrsa -out $file 2048 2>/dev/null") == 0 or die;
    system("openssl rsa -in $file -pubout -out $file.pem 2>/dev/null") == 0 or die;

    return $file;
}


sub signed {
    my ($name) = @_;

    return token(header => { alg => 'RS256', kid => $name }, key => $key{$name},
                 claims => { sub => 'mia', exp => int(time) + 3600 });
}


sub jwk {
    my ($name) = @_;
    my ($n) = `openssl rsa -in $key{$name} -noout -modulus` =~ /=(\w+)/;

    return { kty => 'RSA', alg => 'RS256', use => 'sig', kid => $name, e => 'AQAB',
             n => encode_base64url(pack('H*', $n), '') };
}


sub write_set {
    my (@names) = @_;

    write_new('set.json', JSON::PP::encode_json({ keys => [map { jwk($_) } @names] }));
}


sub write_new {
    my ($name, $text) = @_;

    open my $fh, '>', "$dir/$name.new" or die;
    print $fh $text;
    close $fh;
    rename "$dir/$name.new", "$dir/$name" or die;
}


# how the key server answers from now on
sub answer {
    my ($mode, %o) = @_;

    write_set(@{ $o{keys} }) if $o{keys};
    write_new('mode', "$mode " . ($o{delay} // 0));
}


# the heads that it was sent, with what came behind them
sub requests {
    open my $fh, '<', "$dir/requests" or return wantarray ? () : 0;
    local $/;
    my @heads = split /\0/, <$fh> // '';

    return @heads;
}


sub with {
    my ($name, $method, $path, @more) = @_;

    return call({ Authorization => "Bearer $token{$name}" }, $method // 'GET',
                $path // '/conversations', @more);
}


# the statuses of requests at once
sub many {
    my ($n, $name) = @_;
    my $ua = Mojo::UserAgent->new(max_connections => 0, inactivity_timeout => 30);
    my @codes;

    Mojo::Promise->all(map {
        $ua->get_p(nginx->url . '/messaging/conversations',
                   { Authorization => "Bearer $token{$name}" })
           ->then(sub { push @codes, $_[0]->res->code },
                  sub { push @codes, "error $_[0]" })
    } 1 .. $n)->wait;

    return @codes;
}


sub head {
    my ($line, $name, @headers) = @_;

    return join "\r\n", "$line HTTP/1.1", 'Host: localhost',
        "Authorization: Bearer $token{$name}", @headers, '', '';
}


sub raw {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => nginx->{port})
        or die "connect: $!";

    $s->autoflush;
    print $s head(@_);

    return $s;
}


# what comes within some seconds
sub answer_of {
    my ($s, $seconds) = @_;
    my $text = '';
    my $end = time + ($seconds // 4);
    my $bits = '';

    vec($bits, fileno $s, 1) = 1;
    while (time < $end && select(my $ready = $bits, undef, undef, 0.5) >= 0) {
        next if !vec($ready, fileno $s, 1);
        sysread $s, $text, 65536, length $text or last;
    }

    return $text;
}


sub h2 {
    my ($options) = @_;
    my $path = $options =~ /-d/ ? 'conversations' : 'me';

    return `curl -s --http2-prior-knowledge -o /dev/null -w '%{http_version} %{http_code}' -H 'Authorization: Bearer $token{one}' $options http://127.0.0.1:@{[nginx->{http2}]}/messaging/$path`;
}


# a key server that does as it is told
sub key_server {
    my $listen = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1',
                                       ReuseAddr => 1) or die "listen: $!";
    my $pid = fork // die;

    return { pid => $pid, owner => $$, port => $listen->sockport } if $pid;

    $SIG{CHLD} = 'IGNORE';
    while (1) {
        my $s = $listen->accept or next;
        next if fork;
        serve($s);
        close $s;
        POSIX::_exit(0);
    }
}


sub serve {
    my ($s) = @_;
    my $head = '';

    $SIG{PIPE} = 'DEFAULT';
    $s->autoflush;
    while ($head !~ /\r\n\r\n/) {
        sysread $s, $head, 4096, length $head or return;
    }

    open my $fh, '>>', "$dir/requests" or die;
    syswrite $fh, "$head\0";
    close $fh;

    open $fh, '<', "$dir/mode" or die;
    my ($mode, $delay) = split ' ', <$fh>;
    open $fh, '<', "$dir/set.json" or die;
    my $set = do { local $/; <$fh> };
    sleep $delay;

    my $ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    my $wide = '{"pad":"' . 'x' x 150_000 . '",' . substr $set, 1;

    if ($mode eq 'hang') { sleep 30 }
    elsif ($mode eq 'nothing') { print $s "${ok}Content-Length: 0\r\n\r\n" }
    elsif ($mode eq 'status') { print $s "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno" }
    elsif ($mode eq 'moved') {
        print $s "HTTP/1.1 302 No\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
    }
    elsif ($mode eq 'garbage') { print $s "$ok\r\n<html>not json" }
    elsif ($mode eq 'empty') { print $s "$ok\r\n{\"keys\":[]}" }
    elsif ($mode eq 'cut') {
        print $s "${ok}Content-Length: " . length($set) . "\r\n\r\n", substr $set, 0, -9;
    }
    elsif ($mode eq 'large') { print $s "$ok\r\n{\"pad\":\"", 'x' x 300_000, '",', substr $set, 1 }
    elsif ($mode eq 'endless') { print $s "$ok\r\n{"; print $s ' ' x 65536 while 1 }
    elsif ($mode eq 'refused') { return }
    elsif ($mode eq 'closed') { print $s "$ok\r\n$wide" }
    elsif ($mode eq 'wide') {
        print $s "${ok}Content-Length: " . length($wide) . "\r\n\r\n$wide";
    }
    elsif ($mode eq 'chunked') {
        print $s "${ok}Transfer-Encoding: chunked\r\n\r\n";
        print $s sprintf("%x\r\n%s\r\n", length, $_) for $wide =~ /(.{1,7000})/gs;
        print $s "0\r\n\r\n";
        sleep 0.2;
    }
    else { print $s "${ok}Content-Length: " . length($set) . "\r\n\r\n$set" }
}
