#!/usr/bin/perl
# What an operator sees at nginx -t: each wrong line is refused with its
# directive, what is wrong and where; right ones are taken.
use strict;
use warnings;
use lib 't/lib';
use Test::More;
use Mentara::Nginx;
use Mentara::Token qw(rsa_key ec_key);

my $files = Mentara::Nginx->new;
my $secret = $files->write_file('secret', 'x' x 32);
my $short = $files->write_file('short', 'x' x 8);
my $empty = $files->write_file('empty', '');
my $text = $files->write_file('text', "no key at all\n");
my $jwks = $files->write_file('jwks.json', '{"keys":[]}');
my $bad_jwks = $files->write_file('bad.json', '{"keys":');
my %key = (rsa => (rsa_key("$files->{dir}/rsa"))[1],
           ec => (ec_key("$files->{dir}/ec"))[1]);
my ($zone, $pg) = ('mentara_zone m 8m;', 'mentara_postgres "host=/tmp";');
my $hs = "mentara_jwt_secret HS256 $secret;";
my $api = 'location /messaging { mentara_api; }';

# name of the test, http, locations, what the message must hold
my @wrong = (
    # zone
    [ 'zone without a size', "mentara_zone m; $pg $hs", $api,
      'invalid number of arguments in "mentara_zone"' ],
    [ 'zone of no size', "mentara_zone m many; $pg $hs", $api,
      'invalid size "many" in "mentara_zone"' ],
    [ 'zone of a negative size', "mentara_zone m -8m; $pg $hs", $api,
      'invalid size "-8m" in "mentara_zone"' ],
    [ 'zone of nothing', "mentara_zone m 0; $pg $hs", $api,
      'in "mentara_zone" is too small' ],
    [ 'zone that is too small', "mentara_zone m 64k; $pg $hs", $api,
      'zone "m" in "mentara_zone" is too small, it must be' ],
    [ 'zone twice', "$zone $zone $pg $hs", $api,
      '"mentara_zone" directive is duplicate' ],
    [ 'zone with an unknown parameter', "mentara_zone m 8m fast; $pg $hs",
      $api, 'invalid parameter "fast" in "mentara_zone"' ],
    [ 'zone with a ring of nothing', "mentara_zone m 8m ring=0; $pg $hs",
      $api, 'invalid parameter "ring=0" in "mentara_zone"' ],
    [ 'zone with rooms that are no number', "mentara_zone m 8m rooms=x; $pg",
      $api, 'invalid parameter "rooms=x" in "mentara_zone"' ],
    [ 'zone with bodies of one byte', "mentara_zone m 8m bodies=1; $pg",
      $api, 'invalid parameter "bodies=1" in "mentara_zone"' ],
    [ 'zone in a location', "$pg $hs", "location / { $zone }",
      '"mentara_zone" directive is not allowed here' ],

    # Postgres
    [ 'no conninfo', "$zone mentara_postgres; $hs", $api,
      'invalid number of arguments in "mentara_postgres"' ],
    [ 'conninfo that is none', "$zone mentara_postgres nonsense; $hs", $api,
      'invalid conninfo in "mentara_postgres"' ],
    [ 'unknown word in conninfo', "$zone mentara_postgres \"hast=/tmp\"; $hs",
      $api, 'invalid conninfo in "mentara_postgres"' ],
    [ 'host that is unknown',
      "$zone mentara_postgres \"host=no.such.host.invalid\"; $hs", $api,
      'host "no.such.host.invalid" in "mentara_postgres" cannot be resolved' ],
    (map { my ($p, $why) = @$_;
        [ "Postgres $p", "$zone mentara_postgres \"host=/tmp\" $p; $hs", $api,
          "invalid $why \"$p\" in \"mentara_postgres\"" ] }
        [ 'connections=0', 'value' ], [ 'connections=1', 'value' ],
        [ 'connections=257', 'value' ], [ 'connections=x', 'value' ],
        [ 'connections=', 'parameter' ], [ 'queue=0', 'value' ],
        [ 'queue=65537', 'value' ], [ 'queue=-1', 'value' ],
        [ 'timeout=0', 'parameter' ], [ 'timeout=99ms', 'parameter' ],
        [ 'timeout=11m', 'parameter' ], [ 'timeout=soon', 'parameter' ],
        [ 'pool=4', 'parameter' ]),
    [ 'Postgres twice', "$zone $pg $pg $hs", $api,
      '"mentara_postgres" directive is duplicate' ],
    [ 'Postgres in a location', "$zone $hs", "location / { $pg }",
      '"mentara_postgres" directive is not allowed here' ],

    # keys
    [ 'key with an unknown algorithm',
      "$zone $pg mentara_jwt_key RS1 $key{rsa};", $api,
      'invalid algorithm "RS1" in "mentara_jwt_key"' ],
    [ 'key with the algorithm of a secret',
      "$zone $pg mentara_jwt_key HS256 $key{rsa};", $api,
      'invalid algorithm "HS256" in "mentara_jwt_key"' ],
    [ 'key with the algorithm none',
      "$zone $pg mentara_jwt_key none $key{rsa};", $api,
      'invalid algorithm "none" in "mentara_jwt_key"' ],
    [ 'key without a file', "$zone $pg mentara_jwt_key RS256;", $api,
      'invalid number of arguments in "mentara_jwt_key"' ],
    [ 'key file that is missing',
      "$zone $pg mentara_jwt_key RS256 $files->{dir}/gone;", $api,
      "\"$files->{dir}/gone\" in \"mentara_jwt_key\" cannot be read" ],
    [ 'key file that is empty',
      "$zone $pg mentara_jwt_key RS256 $empty;", $api,
      "key file \"$empty\" in \"mentara_jwt_key\"" ],
    [ 'key file that holds no key',
      "$zone $pg mentara_jwt_key RS256 $text;", $api,
      "key file \"$text\" in \"mentara_jwt_key\"" ],
    [ 'EC key for RS256', "$zone $pg mentara_jwt_key RS256 $key{ec};", $api,
      "key file \"$key{ec}\" in \"mentara_jwt_key\"" ],
    [ 'RSA key for ES256', "$zone $pg mentara_jwt_key ES256 $key{rsa};",
      $api, "key file \"$key{rsa}\" in \"mentara_jwt_key\"" ],
    [ 'P-256 key for ES384', "$zone $pg mentara_jwt_key ES384 $key{ec};",
      $api, "key file \"$key{ec}\" in \"mentara_jwt_key\"" ],
    [ 'key with an unknown parameter',
      "$zone $pg mentara_jwt_key RS256 $key{rsa} id=1;", $api,
      'invalid parameter "id=1" in "mentara_jwt_key"' ],
    [ 'key with an empty kid',
      "$zone $pg mentara_jwt_key RS256 $key{rsa} kid=;", $api,
      'invalid parameter "kid=" in "mentara_jwt_key"' ],
    [ 'key in a location', "$zone $pg",
      "location / { mentara_jwt_key RS256 $key{rsa}; }",
      '"mentara_jwt_key" directive is not allowed here' ],
    [ 'secret with an unknown algorithm',
      "$zone $pg mentara_jwt_secret HS1 $secret;", $api,
      'invalid algorithm "HS1" in "mentara_jwt_secret"' ],
    [ 'secret with the algorithm of a key',
      "$zone $pg mentara_jwt_secret RS256 $secret;", $api,
      'invalid algorithm "RS256" in "mentara_jwt_secret"' ],
    [ 'secret that is short', "$zone $pg mentara_jwt_secret HS256 $short;",
      $api, "secret file \"$short\" in \"mentara_jwt_secret\" holds less" ],
    [ 'secret that is empty', "$zone $pg mentara_jwt_secret HS256 $empty;",
      $api, "\"$empty\"" ],
    [ 'secret that is a public key',
      "$zone $pg mentara_jwt_secret HS256 $key{rsa};", $api,
      'in "mentara_jwt_secret" is a PEM file' ],
    [ 'secret that is missing',
      "$zone $pg mentara_jwt_secret HS256 $files->{dir}/gone;", $api,
      "\"$files->{dir}/gone\" in \"mentara_jwt_secret\" cannot be read" ],
    [ 'JWKS file that is missing',
      "$zone $pg mentara_jwt_jwks gone.json;", $api,
      'in "mentara_jwt_jwks" cannot be read' ],
    [ 'JWKS file that is cut', "$zone $pg mentara_jwt_jwks $bad_jwks;", $api,
      "JWKS file \"$bad_jwks\" in \"mentara_jwt_jwks\" holds no usable key" ],
    [ 'JWKS file without keys', "$zone $pg mentara_jwt_jwks $jwks;", $api,
      "JWKS file \"$jwks\" in \"mentara_jwt_jwks\" holds no usable key" ],
    (map { [ "JWKS with $_", "$zone $pg mentara_jwt_jwks /_jwks $_;", $api,
             "invalid parameter \"$_\" in \"mentara_jwt_jwks\"" ] }
        'refresh=', 'refresh=0', 'refresh=often', 'every=1m'),
    [ 'JWKS twice',
      "$zone $pg mentara_jwt_jwks /_a; mentara_jwt_jwks /_b;", $api,
      '"mentara_jwt_jwks" directive is duplicate' ],
    (map { [ "requirement $_", "$zone $pg $hs mentara_jwt_require $_;", $api,
             'in "mentara_jwt_require"' ] }
        'iss', 'iss=', 'sub=me', 'exp=1'),
    (map { [ "leeway $_", "$zone $pg $hs mentara_jwt_leeway $_;", $api,
             "invalid time \"$_\" in \"mentara_jwt_leeway\"" ] }
        'never', '-1s', '6m'),
    [ 'no key for an API', "$zone $pg", $api,
      '"mentara_api" needs "mentara_jwt_key"' ],
    [ 'no zone for an API', "$pg $hs", $api,
      '"mentara_api" needs "mentara_zone"' ],
    [ 'no Postgres for an API', "$zone $hs", $api,
      '"mentara_api" needs "mentara_postgres"' ],

    # what a location says
    (map { [ "origin $_", "$zone $pg $hs mentara_origin $_;", $api,
             "invalid origin \"$_\" in \"mentara_origin\"" ] }
        'app.example', 'https://', 'ftp://app.example',
        'https://app.example/path', '*', 'null'),
    (map { [ "content of $_", "$zone $pg $hs mentara_max_content $_;", $api,
             "invalid value \"$_\" in \"mentara_max_content\"" ] }
        '0', '-1', '50001', 'much'),
    [ 'content twice', "$zone $pg $hs",
      'location /messaging { mentara_api; mentara_max_content 10;'
      . ' mentara_max_content 20; }',
      '"mentara_max_content" directive is duplicate' ],
    (map { [ "attachments at $_",
             "$zone $pg $hs mentara_attachment_url $_;", $api,
             "invalid prefix \"$_\" in \"mentara_attachment_url\"" ] }
        'https://files.example', 'files/', 'javascript:/', '/'),
    (map { [ "limit $_", "$zone $pg $hs mentara_limit $_;", $api,
             "invalid parameter \"$_\" in \"mentara_limit\"" ] }
        'send', 'send=', 'send=0/10s', 'send=x/10s', 'send=10', 'send=10/',
        'send=10/0s', 'eat=10/1s', 'on'),
    [ 'token in the query, perhaps',
      "$zone $pg $hs mentara_token_query perhaps;", $api,
      'invalid value "perhaps" in "mentara_token_query" directive' ],
    [ 'API twice', "$zone $pg $hs",
      'location /messaging { mentara_api; mentara_api; }',
      '"mentara_api" directive is duplicate' ],
    [ 'API with a parameter', "$zone $pg $hs",
      'location /messaging { mentara_api on; }',
      'invalid number of arguments in "mentara_api"' ],
    [ 'API in http', "$zone $pg $hs mentara_api;", '',
      '"mentara_api" directive is not allowed here' ],
    [ 'API at an exact location', "$zone $pg $hs",
      'location = /messaging { mentara_api; }',
      '"mentara_api" needs a location with a prefix' ],
    [ 'API at a regular expression', "$zone $pg $hs",
      'location ~ /messaging { mentara_api; }',
      '"mentara_api" needs a location with a prefix' ],
    [ 'API at a named location', "$zone $pg $hs",
      'location @messaging { mentara_api; }',
      '"mentara_api" needs a location with a prefix' ],
    [ 'status in an unknown format', "$zone $pg $hs",
      'location = /metrics { mentara_status xml; }',
      'invalid format "xml" in "mentara_status"' ],
    [ 'status twice', "$zone $pg $hs",
      'location = /m { mentara_status json; mentara_status json; }',
      '"mentara_status" directive is duplicate' ],
    [ 'status without a zone', $pg,
      'location = /m { mentara_status json; }',
      '"mentara_status" needs "mentara_zone"' ],

    # sockets
    (map { my ($d, $l) = @$_;
           ([ "$d without a zone", "$pg $hs", "location $l { $d; }",
              "\"$d\" needs \"mentara_zone\" in http" ],
            [ "$d without Postgres", "$zone $hs", "location $l { $d; }",
              "\"$d\" needs \"mentara_postgres\" in http" ],
            [ "$d without a key", "$zone $pg", "location $l { $d; }",
              "\"$d\" needs \"mentara_jwt_key\"" ],
            [ "$d twice", "$zone $pg $hs", "location $l { $d; $d; }",
              "\"$d\" directive is duplicate" ],
            [ "$d with a parameter", "$zone $pg $hs", "location $l { $d on; }",
              "invalid number of arguments in \"$d\"" ],
            [ "$d in http", "$zone $pg $hs $d;", '',
              "\"$d\" directive is not allowed here" ],
            [ "$d and the API in one location", "$zone $pg $hs",
              "location /messaging { mentara_api; $d; }",
              "\"$d\" and \"mentara_api\" exclude each other" ],
            [ "the API and $d in one location", "$zone $pg $hs",
              "location /messaging { $d; mentara_api; }",
              "\"mentara_api\" and \"$d\" exclude each other" ]) }
        [ 'mentara_socketio', '/socket.io/' ],
        [ 'mentara_websocket', '= /messaging/ws' ]),
    (map { my ($d, $good, $range, @values) = @$_;
           ((map { [ "$d $_", "$zone $pg $hs $d $_;", $api,
                     "invalid value \"$_\" in \"$d\", it must be $range" ] }
               @values),
            [ "$d twice", "$zone $pg $hs $d $good; $d $good;", $api,
              "\"$d\" directive is duplicate" ]) }
        [ 'mentara_socket_buffer', '1m', 'from 64k to 64m', '1k', '65m', '-1',
          'much' ],
        [ 'mentara_max_payload', '1m', 'from 64k to 16m', '1k', '17m', 'x' ],
        [ 'mentara_socket_lifetime', '1s', 'from 1s to 1d', '0', '2d',
          'long' ],
        [ 'mentara_user_sockets', '1', 'from 1 to 1000', '0', '1001', 'x' ],
        [ 'mentara_typing_timeout', '1s', 'from 1s to 1m', '999ms', '61s',
          'x' ],
        [ 'mentara_presence_grace', '1s', 'from 0s to 10m', '11m', 'x' ],
        [ 'mentara_recovery', '1d', 'from 1m to 90d', '59s', '91d', 'x' ],
        [ 'mentara_drain', '1s', 'from 0s to 10m', '11m', 'x' ]),
    [ 'ping that is too quick', "$zone $pg $hs mentara_ping interval=1ms;",
      $api, 'invalid value "interval=1ms" in "mentara_ping", it must be from' ],
    [ 'ping that waits for ever', "$zone $pg $hs mentara_ping timeout=11m;",
      $api, 'invalid value "timeout=11m" in "mentara_ping"' ],
    [ 'ping with something else', "$zone $pg $hs mentara_ping each=1s;",
      $api, 'invalid parameter "each=1s" in "mentara_ping"' ],
    [ 'deflate, perhaps', "$zone $pg $hs mentara_deflate perhaps;", $api,
      'invalid value "perhaps" in "mentara_deflate" directive' ],
    [ 'recovery of one location', "$zone $pg $hs",
      'location /messaging { mentara_api; mentara_recovery 1d; }',
      '"mentara_recovery" directive is not allowed here' ],
);

my @right = (
    [ 'the two lines of the README', "$zone $pg $hs", $api ],
    [ 'every parameter of Postgres',
      "$zone mentara_postgres \"host=/tmp\" connections=2 timeout=100ms"
      . " queue=1; $hs", $api ],
    [ 'an RSA key with its id',
      "$zone $pg mentara_jwt_key RS256 $key{rsa} kid=one;", $api ],
    [ 'an EC key', "$zone $pg mentara_jwt_key ES256 $key{ec};", $api ],
    [ 'JWKS of an internal location',
      "$zone $pg mentara_jwt_jwks /_jwks refresh=1s;",
      "$api location = /_jwks { internal; return 204; }" ],
    [ 'all requirements',
      "$zone $pg $hs mentara_jwt_require iss=a aud=b aud=c azp=d;"
      . ' mentara_jwt_leeway 0s;', $api ],
    [ 'limits off, and one of them on',
      "$zone $pg $hs mentara_limit off; ",
      'location /messaging { mentara_api; mentara_limit send=1/1s react=off'
      . ' search=5/1m create=2/1m; }' ],
    [ 'what a location may say', "$zone $pg $hs",
      'location /messaging { mentara_api; mentara_token_query on;'
      . ' mentara_origin https://app.example http://localhost:3000;'
      . ' mentara_max_content 50000;'
      . ' mentara_attachment_url https://files.example/ /files/; }'
      . ' location = /m { mentara_status prometheus; }'
      . ' location = /j { mentara_status json; }' ],
    [ 'all that can be said of sockets',
      "$zone $pg $hs mentara_typing_timeout 1s; mentara_presence_grace 0s;"
      . ' mentara_recovery 90d; mentara_drain 0s; mentara_user_sockets 1000;'
      . ' mentara_limit typing=1/1s connect=2/1m;',
      'location /socket.io/ { mentara_socketio; mentara_deflate on;'
      . ' mentara_ping interval=100ms timeout=10m; mentara_socket_buffer 64k;'
      . ' mentara_socket_lifetime 1d; mentara_max_payload 16m; }'
      . ' location = /messaging/ws { mentara_websocket;'
      . ' mentara_ping timeout=1s; }' ],
    [ 'the module loaded and not used', '', '' ],
);

cmp_ok(scalar @wrong, '>=', 60, scalar(@wrong) . ' wrong configurations');

for my $case (@wrong) {
    my ($name, $http, $locations, $message) = @$case;
    my $nginx = Mentara::Nginx->new(http => $http, locations => $locations);
    my ($ok, $says, $signal) = $nginx->test;

    ok(!$ok && !$signal && index($says, $message) >= 0
       && $says =~ m{nginx\.conf:\d+}, $name)
        or diag("expected: $message\n$says");
}

for my $case (@right) {
    my ($name, $http, $locations) = @$case;
    my $nginx = Mentara::Nginx->new(http => $http, locations => $locations);
    my ($ok, $says) = $nginx->test;

    ok($ok, $name) or diag($says);
}

done_testing;
