# Tokens as an identity provider signs them: pinned keys, key sets that change, and
# every way to forge one.
use strict;
use warnings;
use lib 't/lib';
use File::Temp qw(tempdir);
use Mentara::Test;
use Mentara::Token qw(token);
use MIME::Base64 qw(encode_base64url);
use JSON::PP ();
use Test::More;

my $dir = tempdir(CLEANUP => 1);
my $now = time;

sub sh { system(@_) == 0 or die "@_" }
sub rsa { sh("openssl genrsa -out $dir/$_[0] 2048 2>/dev/null");
          sh("openssl rsa -in $dir/$_[0] -pubout -out $dir/$_[0].pub 2>/dev/null");
          return "$dir/$_[0]" }
sub ec { sh("openssl ecparam -name prime256v1 -genkey -noout -out $dir/$_[0]");
         sh("openssl ec -in $dir/$_[0] -pubout -out $dir/$_[0].pub 2>/dev/null");
         return "$dir/$_[0]" }
sub slurp { open my $fh, '<', $_[0] or die; local $/; <$fh> }

sub jwk {
    my ($file, $kid) = @_;
    my ($n) = `openssl rsa -in $file -noout -modulus` =~ /=(\w+)/;
    return { kty => 'RSA', alg => 'RS256', use => 'sig', kid => $kid, e => 'AQAB',
             n => encode_base64url(pack('H*', $n), '') };
}

sub write_set {
    my ($file, @keys) = @_;
    open my $fh, '>', "$file.new" or die;
    print $fh JSON::PP::encode_json({ keys => \@keys });
    close $fh;
    rename "$file.new", $file or die;
}

my %claims = (sub => 'mia', exp => $now + 600, iss => 'https://clerk.example');
sub with { my ($t) = @_; call({ Authorization => "Bearer $t" }, GET => '/conversations') }
sub status { with(@_)->{code} }
sub signed { my ($alg, $key, %o) = @_;
             token(header => { alg => $alg, %{ $o{header} // {} } }, key => $key,
                   claims => { %claims, %{ $o{claims} // {} } }, alg => $o{alg} // $alg) }

my ($rsa, $ec, $foreign) = (rsa('rsa'), ec('ec'), rsa('foreign'));
my $set = "$dir/set.json";
my ($old, $new) = (rsa('old'), rsa('new'));
write_set($set, jwk($old, 'old'));

# --- pinned keys

# nginx itself writes the start of a header line that is too long, at info
server(log_level => 'notice',
       keys => "mentara_jwt_key RS256 $rsa.pub; mentara_jwt_key ES256 $ec.pub kid=curve;"
             . ' mentara_jwt_require iss=https://clerk.example;');

is(status(signed(RS256 => $rsa)), 200, 'b16: RS256 by the key that was given');
is(status(signed(RS256 => $rsa, header => { kid => 'any' })), 200,
   'b16: a key without kid= serves tokens that name one');
is(status(signed(ES256 => $ec, header => { kid => 'curve' })), 200, 'b16: ES256 likewise');

my $good = signed(RS256 => $rsa);
my @bad = (
    [ 'expired', signed(RS256 => $rsa, claims => { exp => $now - 600 }) ],
    [ 'not yet valid', signed(RS256 => $rsa, claims => { nbf => $now + 600 }) ],
    [ 'of another issuer', signed(RS256 => $rsa, claims => { iss => 'https://evil.example' }) ],
    [ 'signed by a foreign key', signed(RS256 => $foreign) ],
    [ 'alg none', signed(none => '') ],
    [ 'alg None', signed(None => '', alg => 'none') ],
    [ 'HS256 signed with the public key', signed(HS256 => slurp("$rsa.pub")) ],
    [ 'RS256 that says ES256', signed(ES256 => $rsa, alg => 'RS256') ],
    [ 'with an unknown kid', signed(ES256 => $ec, header => { kid => 'nobody' }) ],
    [ 'truncated', substr($good, 0, -8) ],
    [ 'without a signature', $good =~ s/[^.]+\z//r ],
    [ 'without sub', signed(RS256 => $rsa, claims => { sub => '' }) ],
    [ '64 KB long', $good . 'A' x 65536 ],
    [ 'no token at all', 'x' ],
);
for (@bad) {
    my ($what, $t) = @$_;
    my $r = with($t);
    my %allowed = map { $_ => 1 } 401, $what =~ /64 KB/ ? (400, 431, 494) : ();
    ok($allowed{ $r->{code} }, "b16: a token $what is refused") or diag($r->{code});
}
is(status($good), 200, 'b16: and the good one still passes');

# --- a key set that changes

server(keys => "mentara_jwt_jwks $set refresh=1s;");
my %by = (old => signed(RS256 => $old, header => { kid => 'old' }),
          new => signed(RS256 => $new, header => { kid => 'new' }));
is(status($by{old}), 200, 'b16: a key of the set');
isnt(status($by{new}), 200, 'b16: a key that is not in it yet');
write_set($set, jwk($old, 'old'), jwk($new, 'new'));
nginx->wait_for(sub { status($by{new}) == 200 }, 'the new key');
is(status($by{old}), 200, 'b16: after the new key came, the old one counts');
write_set($set, jwk($new, 'new'));
nginx->wait_for(sub { status($by{old}) == 401 }, 'the end of the old key');
is(status($by{new}), 200, 'b16: after the old key left, the new one counts');

finish();
