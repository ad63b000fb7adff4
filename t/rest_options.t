# Options of a location: length of messages, tokens in the query.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Mentara::Test;
use Mojo::UserAgent;
use Test::More;

server(locations => <<'CONF');
location /short { mentara_api; mentara_max_content 5; }
location /query { mentara_api; mentara_token_query on; }
CONF

my $dm = direct('mia', 'ana');
my ($token) = as('mia')->{Authorization} =~ /Bearer (.*)/;

# --- mentara_max_content

my $messages = "/conversations/$dm/messages";
sub with_content {
    my ($prefix, $n) = @_;
    my $tx = Mojo::UserAgent->new->post(nginx->url . "/$prefix$messages",
        as('mia'), json => { content => "\x{F1}" x $n });
    return $tx->res;
}
is(with_content(short => 5)->code, 201, 'b17: as many characters as the limit');
my $res = with_content(short => 6);
is($res->code, 400, 'b17: one more is refused');
is_deeply($res->json('/message'), ['content must be at most 5 characters long'], 'with the limit');
is(with_content(messaging => 10000)->code, 201, 'b17: 10,000 where nothing is said');
is(with_content(messaging => 10001)->code, 400, 'b17: and no more');

# --- mentara_token_query

sub by_query {
    my ($prefix, $text, $headers) = @_;
    return Mojo::UserAgent->new->get(nginx->url . "/$prefix/me?token=$text", $headers // {})->res;
}
is(by_query(query => $token)->code, 200, 'b66: a token in the query, where it is allowed');
is(by_query(messaging => $token)->json('/code'), 'token_missing', 'b66: but nowhere else');
is(by_query(query => 'x')->json('/code'), 'token_invalid', 'b66: a bad one is refused');
is(by_query(query => $token, { Authorization => 'Bearer x' })->json('/code'), 'token_invalid',
   'b66: a bad header is not passed over for it');

finish();
