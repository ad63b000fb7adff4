# The plain door, octet by octet: frames however they are cut, every opcode and bit.
use strict;
use warnings;
use lib 't/lib';
use IO::Select;
use IO::Socket::INET;
use Socket qw(INADDR_LOOPBACK SOL_SOCKET SO_LINGER SO_RCVBUF pack_sockaddr_in);
use Mentara::Test;
use Mojo::JSON qw(decode_json);
use Test::More;

my $odd = <<'CONF';
location = /slow/ws { mentara_websocket; limit_rate 40; }
location = /wide/ws { mentara_websocket; mentara_socket_buffer 64m; mentara_socket_lifetime 6s; }
location = /mirrored/ws { mirror /mirror; mentara_websocket; }
location = /mirror { internal; proxy_pass http://127.0.0.1:$server_port/static; }
location = /real/ws {
    mentara_websocket;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Real-IP;
}
CONF

my $tight = Mentara::Nginx::free_port();
server(workers => 1, directives => 'mentara_max_payload 64k;', locations => $odd,
       server => "listen 127.0.0.1:$tight sndbuf=16k;");

my $id = direct('mia', 'ana');


# a connection behind its 101
sub upgraded {
    my ($path, $who) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => nginx->{port})
        or die "connect: $!";
    my $auth = as($who // 'mia')->{Authorization};

    $s->syswrite("GET @{[$path // '/messaging/ws']} HTTP/1.1\r\nHost: a\r\n"
        . "X-Real-IP: 203.0.113.9\r\nUpgrade: websocket\r\n"
        . "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        . "Sec-WebSocket-Version: 13\r\nAuthorization: $auth\r\n\r\n");
    my $self = { s => $s, in => '' };

    while ($self->{in} !~ s/\AHTTP.*?\r\n\r\n//s) {
        more($self) or die 'no 101';
    }

    return $self;
}


sub more {
    my ($self) = @_;

    IO::Select->new($self->{s})->can_read(10) or return 0;
    my $n = sysread $self->{s}, $self->{in}, 65536, length $self->{in};

    return $n ? 1 : 0;
}


# the next frame: (opcode, payload), or nothing at the end
sub frame {
    my ($self) = @_;

    for (;;) {
        if (length $self->{in} >= 2) {
            my ($first, $len) = unpack 'CC', $self->{in};
            my $head = $len == 126 ? 4 : $len == 127 ? 10 : 2;

            if (length $self->{in} >= $head) {
                $len = unpack 'n', substr $self->{in}, 2, 2 if $head == 4;
                $len = unpack 'Q>', substr $self->{in}, 2, 8 if $head == 10;

                if (length $self->{in} >= $head + $len) {
                    my $payload = substr $self->{in}, $head, $len;
                    substr($self->{in}, 0, $head + $len) = '';
                    return ($first & 0x0f, $payload);
                }
            }
        }

        more($self) or return;
    }
}


# frames until one fits; its payload
sub until_frame {
    my ($self, $fits) = @_;

    while (my ($opcode, $payload) = frame($self)) {
        return $payload if $fits->($opcode, $payload);
    }

    return;
}


sub masked {
    my ($first, $payload, %o) = @_;
    my $len = $o{len} // length $payload;
    my $mask = "\x01\x02\x03\x04";
    my $key = $mask x (1 + length($payload) / 4);

    return pack('C', $first)
        . ($len < 126 ? pack 'C', 0x80 | $len
           : $len < 65536 ? pack 'Cn', 0xfe, $len : pack 'CQ>', 0xff, $len)
        . $mask . ($payload ^ substr $key, 0, length $payload);
}


sub closed_with {
    my ($self) = @_;
    my $payload = until_frame($self, sub { $_[0] == 8 });

    return !defined $payload ? 'nothing' : length $payload ? unpack 'n', $payload : 1005;
}

# --- an event, cut at every octet

my $event = masked(0x81, qq({"event":"join_conversation","data":{"conversationId":"$id"},"id":7}));
my $wrong = 0;
my $s = upgraded();

for my $cut (1 .. length($event) - 1) {
    $s->{s}->syswrite(substr $event, 0, $cut);
    $s->{s}->syswrite(substr $event, $cut);
    my $ack = until_frame($s, sub { $_[0] == 1 && $_[1] =~ /"ack":7/ });
    $wrong++ if !defined $ack || !decode_json($ack)->{data}{success};
}

is($wrong, 0, 'an event is the same however it is cut');
$s->{s}->syswrite($_) for split //, $event;
ok(until_frame($s, sub { $_[1] =~ /"ack":7/ }), 'also octet by octet');
$s->{s}->syswrite($event x 50);
my $acks = grep { defined } map { until_frame($s, sub { $_[1] =~ /"ack":7/ }) } 1 .. 50;
is($acks, 50, 'and fifty of them at once');

# --- fragments, with a ping between them

my $text = qq({"event":"typing_indicator","data":{"conversationId":"$id"},"id":8});
$s->{s}->syswrite(masked(0x01, substr $text, 0, 10) . masked(0x89, 'are you there')
    . masked(0x00, substr $text, 10, 20) . masked(0x80, substr $text, 30));
is(until_frame($s, sub { $_[0] == 10 }), 'are you there', 'a ping within fragments is answered');
ok(until_frame($s, sub { $_[1] =~ /"ack":8/ }), 'and the fragments are one event');

# --- every first octet

my %may = map { $_ => 1 } 0x01, 0x81, 0x89, 0x8a;   # text, ping, pong
my %code = (0x02 => 1003, 0x82 => 1003, 0x88 => 1005);
my @strange;

for my $first (0 .. 255) {
    my $s = upgraded();
    $s->{s}->syswrite(masked($first, $first == 0x81 ? '{}' : ''));

    if ($may{$first}) {
        $s->{s}->syswrite(masked(0x89, 'x')) if $first != 0x89;
        push @strange, sprintf '%02x', $first if !defined until_frame($s, sub { $_[0] == 10 });
        next;
    }

    # a fragment of octets is judged when it is whole
    $s->{s}->syswrite(masked(0x80, '')) if $first == 0x02;
    my $code = closed_with($s);
    push @strange, sprintf '%02x: %s', $first, $code if $code ne ($code{$first} // 1002);
}

is("@strange", '', 'every opcode and reserved bit: taken, or closed with its code');

# --- harm

for (['a frame that is not masked', "\x81\x02{}", 1002],
     ['text that is not UTF-8', masked(0x81, "\xff\xfe"), 1007],
     ['not UTF-8 across fragments', masked(0x01, "\xe2\x82") . masked(0x80, "\x28"), 1007],
     ['a gigabyte announced', masked(0x81, '', len => 1 << 30), 1009],
     ['a length above all bounds', "\x81\xff" . "\xff" x 8, 1002],
     ['a control frame that is too long', masked(0x89, 'x' x 126), 1002],
     ['a control frame in fragments', masked(0x09, 'x'), 1002],
     ['a close with one octet', masked(0x88, 'x'), 1002],
     ['a close with a code that is none', masked(0x88, pack 'n', 1005), 1002],
     ['a close with a reason', masked(0x88, pack('n', 1000) . 'bye'), 1000])
{
    my ($name, $octets, $code) = @$_;
    my $s = upgraded();
    $s->{s}->syswrite($octets);
    is(closed_with($s), $code, "$name: $code");
}

# --- what comes after a close: over unread octets TCP would reset the connection

$s = upgraded();
$s->{s}->syswrite(masked(0x88, pack 'n', 1000) . 'x' x 200_000);
is(closed_with($s), 1000, 'octets after a close do not take our close from the client');
is(sysread($s->{s}, $s->{in}, 1), 0, 'and the connection ends in good order');

is(call('mia', GET => "/conversations/$id")->{code}, 200, 'others are served all the same');

# --- the request ends with its answer

my $lines = () = nginx->slurp('access.log') =~ m{^GET /messaging/ws 101 websocket}mg;
$s = upgraded();
$s->{s}->syswrite(masked(0x89, 'x'));
is(until_frame($s, sub { $_[0] == 10 }), 'x', 'a socket is open');
my $now = () = nginx->slurp('access.log') =~ m{^GET /messaging/ws 101 websocket}mg;
is($now, $lines + 1, 'and its handshake is in the access log');

$s = upgraded('/real/ws');
setsockopt $s->{s}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
close $s->{s};
nginx->wait_for(sub {
    nginx->slurp('error.log') =~ /while serving a websocket, client: 203\.0\.113\.9/;
}, 'the address that realip found');
pass('the error log names the client that realip found');

$s = upgraded('/mirrored/ws');
$s->{s}->syswrite(masked(0x89, 'x'));
is(until_frame($s, sub { $_[0] == 10 }), 'x', 'a handshake may be mirrored');
like(nginx->slurp('access.log'), qr{^GET /static 200}m, 'and the mirror gets it');

# --- clients that reset while their 101 is written: no alert, no token in a log

my $go = as('mia')->{Authorization};
for (1 .. 400) {
    my $hasty = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => nginx->{port});
    setsockopt $hasty, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    $hasty->syswrite("GET /messaging/ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
        . "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        . "Sec-WebSocket-Version: 13\r\nAuthorization: $go\r\n\r\n");
    select undef, undef, undef, 0.00001 * ($_ % 40);
    close $hasty;
}
$s = upgraded();
$s->{s}->syswrite(masked(0x89, 'x'));
is(until_frame($s, sub { $_[0] == 10 }), 'x', 'after many that reset their handshake others are served');

# --- lists of the handshake in several lines (RFC 9110, 5.3)

my $listed = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => nginx->{port});
$listed->syswrite("GET /messaging/ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n"
    . "Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    . "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    . "Authorization: $go\r\n\r\n");
$listed = { s => $listed, in => '' };
more($listed);
like($listed->{in}, qr/\AHTTP\/1\.1 101 /, 'each line of Connection and Upgrade counts');
close $listed->{s};

# --- what a client sends before it has the 101

my @early = map {
    IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => nginx->{port})
} 1 .. 2;
my $upgrade = "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    . "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
$early[0]->syswrite("GET /slow/ws HTTP/1.1\r\n$upgrade"
    . "Authorization: @{[as('mia')->{Authorization}]}\r\n\r\n" . masked(0x89, 'with it'));
$early[1]->syswrite("GET /slow/ws HTTP/1.1\r\n$upgrade"
    . "Authorization: @{[as('mia')->{Authorization}]}\r\n\r\n");
@early = map { { s => $_, in => '' } } @early;
more($early[1]);
$early[1]{s}->syswrite(masked(0x89, 'behind it'));
for my $e (@early) {
    more($e) or last until $e->{in} =~ s/\AHTTP.*?\r\n\r\n//s;
}
is(until_frame($early[0], sub { $_[0] == 10 }), 'with it',
   'a frame that comes with the request is answered after the 101');
is(until_frame($early[1], sub { $_[0] == 10 }), 'behind it',
   'so is one that comes while the 101 is on its way');

# --- a close behind what nobody reads

my ($worker) = nginx->workers;
my $held = sub { map { $_ => 1 } grep { /^socket/ } map { readlink($_) // '' } glob "/proc/$worker/fd/*" };
my %before = $held->();
my $deaf = IO::Socket::INET->new(Proto => 'tcp');
setsockopt $deaf, SOL_SOCKET, SO_RCVBUF, pack 'i', 4096;
connect $deaf, pack_sockaddr_in(nginx->{port}, INADDR_LOOPBACK) or die "connect: $!";
$deaf->syswrite("GET /wide/ws HTTP/1.1\r\n$upgrade"
    . "Authorization: @{[as('mia')->{Authorization}]}\r\n\r\n");
$deaf->blocking(0);
my $pings = masked(0x89, 'x' x 125) x 500;
my $patient = time + 3;
while (time < $patient) {
    $deaf->syswrite($pings);
    select undef, undef, undef, 0.01;
}
my ($its, @others) = grep { !$before{$_} } keys %{ { $held->() } };
ok($its && !@others, 'a socket that does not read is held');
nginx->wait_for(sub { !{ $held->() }->{$its} }, 'the socket to go', 20);
pass('when its time is over it has some seconds to take that, not a minute');
close $deaf;

# --- b10: what is deleted while its reader is slow

my $reader = upgraded();
my $from = decode_json(until_frame($reader, sub { $_[1] =~ /"connected"/ }))->{offset};
close $reader->{s};
my $circle = group('ana', 'mia', 'ben');
my @missed = map { said('ana', $_ % 2 ? $id : $circle, "line $_ of a story " . 'x' x 9000) } 1 .. 90;
nginx->stop('QUIT');
nginx->start;
my $watch = upgraded(undef, 'ana');
my $narrow = IO::Socket::INET->new(Proto => 'tcp');
setsockopt $narrow, SOL_SOCKET, SO_RCVBUF, pack 'i', 4096;
connect $narrow, pack_sockaddr_in($tight, INADDR_LOOPBACK) or die "connect: $!";
$narrow->syswrite("GET /messaging/ws?offset=$from HTTP/1.1\r\n$upgrade"
    . "Authorization: @{[as('mia')->{Authorization}]}\r\n\r\n");
$narrow = { s => $narrow, in => '' };
more($narrow) until $narrow->{in} =~ /\AHTTP.*?\r\n\r\n./s;
$narrow->{in} =~ s/\AHTTP.*?\r\n\r\n//s;
is(call('ana', DELETE => "/messages/$missed[80]{id}")->{code}, 204, 'b10: it is deleted');
is(call('ana', PUT => "/messages/$missed[82]{id}", { content => 'the end' })->{code}, 200,
   'and another one edited, while the answer of the database is written');
is(call('ana', DELETE => "/conversations/$circle/participants/mia")->{code}, 204, 'she is removed from a group');
is(call('ana', PUT => "/messages/$missed[81]{id}", { content => 'not for her' })->{code}, 200,
   'where one is edited after that');
is(call('ana', DELETE => "/messages/$missed[83]{id}")->{code}, 204, 'and one deleted');
until_frame($watch, sub { $_[1] =~ /"message_updated"/ && $_[1] =~ /$missed[83]{id}/ });
my %told;
until_frame($narrow, sub {
    my $frame = decode_json($_[1]);
    $told{ $frame->{data}{id} } = $frame->{data} if $frame->{event} eq 'new_message';
    return $frame->{event} eq 'connected';
});
is(scalar(grep { $told{ $_->{id} } } @missed), 90, 'all that was missed comes');
is_deeply([@{ $told{ $missed[80]{id} } }{qw(content isDeleted)}], ['', Mojo::JSON->true],
          'b10: the deleted one without its text');
is($told{ $missed[82]{id} }{content}, 'the end', 'the edited one as it is');
is($told{ $missed[81]{id} }{content}, $missed[81]{content}, 'what was edited after her time as it was in it');
is($told{ $missed[83]{id} }{content}, '', 'but b10: what was deleted comes to nobody');

# --- a reload while the 101 is on its way

my $slow = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => nginx->{port});
my ($old) = nginx->workers;
my $auth = as('mia')->{Authorization};
$slow->syswrite("GET /slow/ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
    . "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    . "Sec-WebSocket-Version: 13\r\nAuthorization: $auth\r\n\r\n");
$s = { s => $slow, in => '' };
more($s);
nginx->reload;
more($s) or last until $s->{in} =~ s/\AHTTP.*?\r\n\r\n//s;
is(closed_with($s), 1012, 'a slow 101 is followed by 1012 at a reload');
$slow->syswrite(masked(0x88, pack 'n', 1012));
nginx->wait_for(sub { !grep { $_ == $old } nginx->workers }, 'the old worker to go');

# --- the time of an exiting worker

my $short = server(workers => 1, main => 'worker_shutdown_timeout 1s;');
($old) = $short->workers;
$s = upgraded();
$short->reload;
is(closed_with($s), 1012, 'at a reload a client is told to come back');
$short->wait_for(sub { !grep { $_ == $old } $short->workers }, 'the old worker to go', 8);
is(sysread($s->{s}, $s->{in}, 1), 0,
   'one that does not answer is let go after worker_shutdown_timeout');

finish();
