# HTTP itself: methods, errors, headers, bodies, prefixes, order of refusals.
use strict;
use warnings;
use lib 't/lib';
use IO::Socket::INET;
use Mentara::Test;
use Test::More;

server(workers => 1, directives => 'mentara_origin http://app.example;',
       locations => 'location /api/messaging { mentara_api; }');

my $dm = direct('mia', 'ana');
my $c = "/conversations/$dm";
my $r;

# --- every answer

for my $x ([undef, GET => '/me'], ['mia', GET => '/me'], ['mia', GET => '/nowhere'],
           ['mia', POST => '/me'], ['mia', GET => '/conversations/12'],
           ['mia', POST => "$c/messages", {}]) {
    $r = call(@$x);
    my $h = $r->{headers};
    is($h->header('Cache-Control'), 'no-store', "$x->[1] $x->[2]: not stored");
    is($h->header('X-Content-Type-Options'), 'nosniff', 'nosniff');
    like($h->header('X-Request-Id'), qr/^[0-9a-f]{32}$/, 'a request id');
    like($h->content_type, qr{^application/json}, 'JSON');
    next if $r->{code} < 400;
    is_deeply([sort keys %{ $r->{json} }], [qw(code error message requestId statusCode)],
              'the one shape of errors');
    is($r->{json}{statusCode}, $r->{code}, 'with its status');
    is($r->{json}{requestId}, $h->header('X-Request-Id'), 'and the id');
}

# --- methods

$r = call('mia', HEAD => '/conversations');
is($r->{code}, 200, 'HEAD works');
is($r->{body}, '', 'without a body');
ok($r->{headers}->content_length > 2, 'but with its length');
$r = call(undef, OPTIONS => "$c/messages");
is($r->{code}, 204, 'OPTIONS works');
is($r->{headers}->header('Allow'), 'GET, HEAD, POST, OPTIONS', 'and says what there is');
$r = call('mia', PUT => '/conversations', {});
is($r->{code}, 405, '405 for another method');
is($r->{headers}->header('Allow'), 'GET, HEAD, POST, OPTIONS', 'with Allow');
is(call('mia', GET => $_)->{code}, 404, "404: $_")
    for '/', '', '/me/', '/me/x', '/conversations/' . 'a/' x 9, '/Me', '//me', '/messages';
is(call('mia', GET => '/api/messaging/me' =~ s{^}{/messaging/..}r)->{code}, 404,
   'a path is not resolved into another location');

# --- another prefix

{
    my $tx = Mojo::UserAgent->new->get(nginx()->url . '/api/messaging/me' => as('mia'));
    is($tx->res->code, 200, 'the prefix is the operator\'s choice');
    $tx = Mojo::UserAgent->new->post(nginx()->url . '/api/messaging/conversations'
        => as('mia') => json => { participantIds => ['ben'] });
    like($tx->res->headers->location, qr{^/api/messaging/conversations/},
         'and is in the links');
}

# --- CORS and the cookie

$r = call('mia', GET => '/me', undef, { Origin => 'http://app.example' });
is($r->{headers}->header('Access-Control-Allow-Origin'), 'http://app.example',
   'a listed origin gets CORS headers');
$r = call('mia', GET => '/me', undef, { Origin => 'http://evil.example' });
is($r->{headers}->header('Access-Control-Allow-Origin'), undef, 'another one does not');
$r = call(undef, OPTIONS => "$c/messages", undef,
          { Origin => 'http://app.example', 'Access-Control-Request-Method' => 'POST' });
like($r->{headers}->header('Access-Control-Allow-Headers'), qr/Idempotency-Key/, 'a preflight');
my ($token) = as('mia')->{Authorization} =~ /Bearer (.*)/;
my %cookie = (Cookie => "a=b; __session=$token; c=d");
is(call(undef, GET => '/me', undef, { %cookie })->{code}, 200, 'the cookie __session counts');
is(call(undef, POST => "$c/messages", { content => 'by cookie alone' }, { %cookie })
   ->{json}{code}, 'csrf', 'S5: an unsafe method with it needs an Origin');
is(call(undef, POST => "$c/messages", { content => 'by cookie, from afar' },
        { %cookie, Origin => 'http://evil.example' })->{json}{code}, 'csrf', 'S5: an allowed one');
is(call(undef, POST => "$c/messages", { content => 'by cookie, from home' },
        { %cookie, Origin => 'http://app.example' })->{code}, 201, 'S5: like this');
is(call(undef, POST => "$c/messages", { content => 'by cookie, same origin' },
        { %cookie, 'Sec-Fetch-Site' => 'same-origin' })->{code}, 201, 'S5: or this');
is(call(undef, GET => '/me', undef, { %cookie, Authorization => 'Bearer x' })->{json}{code},
   'token_invalid', 'a credential that is present and bad is not passed over');
is(call(undef, GET => "/me?token=$token")->{json}{code}, 'token_missing',
   'a token in the query does not count');

# --- bodies

is(call('mia', POST => "$c/messages", '{"content":"of another type"}',
        { 'Content-Type' => 'text/plain' })->{code}, 415, '415 for another type');
is(call('mia', POST => "$c/messages", '{"content":"with a charset"}',
        { 'Content-Type' => 'Application/JSON; charset=utf-8' })->{code}, 201, 'a charset is fine');
is(call('mia', POST => "/messages/00000000-0000-7000-8000-000000000000/read", '',
        { 'Content-Type' => 'text/plain' })->{code}, 404, 'an empty body counts as {}');
is(call('mia', POST => "$c/messages", '{"content":"' . 'x' x (300 * 1024) . '"}')->{code}, 413,
   '413 beyond 256 KiB');

sub raw {
    my ($head, @parts) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => nginx()->{port},
                                  Timeout => 10) or die;
    local $SIG{PIPE} = 'IGNORE';
    print $s $head;
    for (@parts) { print $s $_ or last; $s->flush }
    local $SIG{ALRM} = sub { die "no answer\n" };
    alarm 10;
    my $got = '';
    while (sysread $s, my $more, 65536) {
        $got .= $more;
        last if $got =~ /\r\n\r\n/ && $got =~ /"requestId":"\w+"\}|deliveredTo/;
    }
    alarm 0;
    return $got;
}

my $head = "POST /messaging$c/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token\r\n"
    . "Content-Type: application/json\r\n";
like(raw("${head}Transfer-Encoding: chunked\r\n\r\n",
         "b\r\n{\"content\":\r\n", "16\r\n\"sent in some chunks\"}\r\n", "0\r\n\r\n"),
     qr{^HTTP/1.1 201 }, 'a chunked body');
like(raw("${head}Transfer-Encoding: chunked\r\n\r\n", map { "4000\r\n" . 'x' x 16384 . "\r\n" } 1 .. 30),
     qr{^HTTP/1.1 413 }, 'a chunked body beyond 256 KiB');
like(raw("${head}Content-Length: 10485760\r\n\r\n", 'x' x 1000), qr{^HTTP/1.1 413 },
     '413 before the body is read');
like(raw("${head}Content-Length: 36\r\n\r\n", split //, '{"content":"one octet at a time...."}'),
     qr{^HTTP/1.1 (201|400) }, 'a slow body');

# --- order of refusals

is(call(undef, GET => '/nowhere')->{code}, 401, '401 before 404');
db()->query("update messaging.people set is_active = false where id = 'jun'");
is(call('jun', GET => '/nowhere')->{json}{code}, 'user_inactive', 'user_inactive before 404');
is(call('jun', POST => "$c/messages", '{')->{json}{code}, 'user_inactive', 'and before the body');
is(call('nobody', GET => '/me')->{json}{code}, 'user_inactive', 'an unknown user likewise');
is(call('mia', PUT => '/conversations/x', {})->{code}, 405, '405 before the id');
is(call('mia', POST => '/conversations/x/messages', '{')->{json}{code}, 'invalid_id',
   'the id before the body');
is(call('xeno', POST => "$c/messages", {})->{code}, 400, 'the body before access');
is(call('xeno', POST => "$c/messages", { content => 'let me in please' })->{json}{code},
   'forbidden', 'then access');
my ($foreign, $unknown) = map { call('xeno', GET => "/conversations/$_")->{body}
    =~ s/"requestId":"\w+"//r } $dm, '00000000-0000-7000-8000-000000000000';
is($foreign, $unknown, 'b67: foreign and unknown ids answer alike, to the byte');
($foreign, $unknown) = map { call('xeno', POST => "/conversations/$_/messages",
    { content => 'let me in please' })->{body} =~ s/"requestId":"\w+"//r }
    $dm, '00000000-0000-7000-8000-000000000000';
is($foreign, $unknown, 'b67: also when sending');

# --- health, metrics, logout

is_deeply(call(undef, GET => '/health')->{json}, { status => 'ok' }, 'health without a token');
$r = call('sol', GET => '/health');
is($r->{json}{schemaVersion}, scalar(my @all = glob 'sql/migrations/*.sql'),
   'and more for staff');
ok(!exists call('ana', GET => '/health')->{json}{database}, 'but not for others');
is(call({ Authorization => 'Bearer bad' }, GET => '/health')->{code}, 401, 'a bad token is 401');
like(Mojo::UserAgent->new->get(nginx()->url . '/metrics')->res->body,
     qr/^# TYPE mentara_pg_queries_total counter\nmentara_pg_queries_total \d+$/m, 'metrics');
is(call('mia', POST => '/logout')->{code}, 204, 'logout');
is(Mojo::UserAgent->new->get(nginx()->url . '/static')->res->body, "static\n",
   'b57: other locations keep working');

finish();
