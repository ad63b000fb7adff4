# b66: b16 on every operation of docs/openapi.yaml: with a public key that is pinned,
# no bad token gets through on any of them, in the header or in the cookie.
use strict;
use warnings;
use lib 't/lib';
use File::Temp qw(tempdir);
use Mentara::OpenApi;
use Mentara::Raw;
use Mentara::Test;
use Mentara::Token qw(token rsa_key);
use Test::More;

use constant UNKNOWN => '00000000-0000-7000-8000-000000000000';

my $dir = tempdir(CLEANUP => 1);
my ($key, $public) = rsa_key("$dir/own");
my ($foreign) = rsa_key("$dir/foreign");
my $pem = do { open my $fh, '<', $public or die; local $/; <$fh> };

# nginx itself writes the start of a header line that is too long, at info
server(log_level => 'notice',
       keys => "mentara_jwt_key RS256 $public kid=own; mentara_jwt_leeway 5s;"
             . ' mentara_jwt_require iss=https://issuer.example aud=mentara azp=https://app.example;');

my $raw = Mentara::Raw->new(nginx->{port});
my $now = time;
my %claims = (sub => 'mia', exp => $now + 600, iss => 'https://issuer.example', aud => 'mentara',
              azp => 'https://app.example', sid => 's-1');

sub signed {
    my (%o) = @_;
    my %all = (%claims, %{ $o{claims} // {} });

    delete @all{ @{ $o{without} // [] } };

    return token(key => $o{key} // $key, alg => $o{alg} // $o{header}{alg} // 'RS256',
                 header => { alg => 'RS256', kid => 'own', %{ $o{header} // {} } }, claims => \%all);
}

my $good = signed();
my ($head, $body, $signature) = split /\./, $good;
my %bad = (
    'no JWT' => 'x', 'two parts' => "$head.$body", 'four parts' => "$good.x", 'empty parts' => '..',
    'without a signature' => "$head.$body.", 'truncated' => substr($good, 0, -8),
    'the signature of another' => "$head.$body." . (split /\./, signed(claims => { sub => 'ana' }))[2],
    'expired' => signed(claims => { exp => $now - 60 }), 'without exp' => signed(without => ['exp']),
    'exp that is no number' => signed(claims => { exp => 'tomorrow' }),
    'not valid yet' => signed(claims => { nbf => $now + 60 }),
    'another issuer' => signed(claims => { iss => 'https://evil.example' }),
    'no issuer' => signed(without => ['iss']),
    'another audience' => signed(claims => { aud => ['else', 'Mentara'] }),
    'no audience' => signed(without => ['aud']),
    'another azp' => signed(claims => { azp => 'https://evil.example' }),
    'no azp' => signed(without => ['azp']),
    'no sub' => signed(without => ['sub']), 'an empty sub' => signed(claims => { sub => '' }),
    'a sub that is a number' => signed(claims => { sub => 7 }),
    'a sub of 256 characters' => signed(claims => { sub => 'x' x 256 }),
    'a foreign key' => signed(key => $foreign),
    'an unknown kid' => signed(key => $foreign, header => { kid => 'other' }),
    'algorithm none' => signed(header => { alg => 'none' }),
    'algorithm NONE' => signed(alg => 'none', header => { alg => 'NONE' }),
    'HS256 with the public key' => signed(key => $pem, header => { alg => 'HS256' }),
    'RS512' => signed(header => { alg => 'RS512' }),
    'a key in the header' => signed(key => $foreign, header => {
        jwk => { kty => 'oct', k => 'c2VjcmV0' }, jku => 'http://evil.example/jwks' }),
);
my %code = (expired => 'token_expired');

sub target { '/messaging' . $_[0]{path} =~ s/\{id\}/UNKNOWN/er =~ s/\{\w+\}/mia/gr }

my @operations = Mentara::OpenApi->new->operations;
cmp_ok(scalar @operations, '>=', 30, 'b66: the operations of the document');

for my $o (@operations) {
    for my $why (sort keys %bad) {
        my @ways = ([Authorization => "Bearer $bad{$why}"],
                    [Cookie => "__session=$bad{$why}", Origin => nginx->url],
                    [Authorization => "Bearer $bad{$why}", Cookie => "__session=$good",
                     Origin => nginx->url]);
        my @got = map { $raw->ask($o->{method}, target($o), $_, $o->{body} ? '' : undef) } @ways;
        is(join(' ', map { "$_->{code} " . ($_->{json}{code} // '') } @got),
           join(' ', ('401 ' . ($code{$why} // 'token_invalid')) x 3), "b66: $o->{id}: $why");
        is(scalar(grep { ($_->{headers}{'www-authenticate'} // '') eq 'Bearer error="invalid_token"' }
                  @got), 3, 'b66: and says how to come back');
    }
}

# --- b2: nor does anything else below the location without one

for my $path ('', '/', '/nowhere', '/me/', '/conversations/x/y/z', '/.git/config', '/../messaging/me',
              '/%2e%2e/messaging/me', '/health/', '/health/x', '/socket.io', "/search?token=$good",
              "/me?access_token=$good") {
    for my $method (qw(GET POST DELETE PROPFIND)) {
        my $r = $raw->ask($method, "/messaging$path", []);
        is($r->{code}, 401, "b2: $method " . $path =~ s/=.*/=.../r . ' without a token');
    }
}
is($raw->ask(GET => '/messaging/me', [Authorization => $_])->{code}, 401,
   'b2: not a bearer: ' . substr $_, 0, 6)
    for "Basic $good", $good, "Bearer", "Bearer  ", "Token $good", "Bearer $good $good";
is($raw->ask(GET => '/messaging/me', [Authorization => "Bearer $good"])->{code}, 200,
   'b66: but the good one works');
is($raw->ask(GET => '/messaging/me', [Cookie => "__session=$good"])->{code}, 200,
   'b66: also in the cookie');
is($raw->ask(GET => '/messaging/me', [Authorization => 'Bearer ' . signed(
    claims => { exp => time - 2, nbf => time + 3, aud => ['x', 'mentara'] })])->{code}, 200,
   'b16: within the leeway, and with one audience of several');

finish();
