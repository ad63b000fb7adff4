package Mentara::Token;

# JSON Web Tokens, good and bad ones.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256 hmac_sha384 hmac_sha512);
use Exporter qw(import);
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);

our @EXPORT_OK = qw(token rsa_key ec_key);

my $json = JSON::PP->new->canonical->utf8;


# token(header => {...}, claims => {...}, key => file or secret)
sub token {
    my (%o) = @_;
    my $header = { alg => 'HS256', typ => 'JWT', %{ $o{header} // {} } };
    my $input = join '.', map { encode_base64url(ref $_ ? $json->encode($_)
                                                 : $_, '') }
        $o{raw_header} // $header, $o{raw_claims} // $o{claims};

    return "$input." . encode_base64url(_sign($o{alg} // $header->{alg},
                                              $input, $o{key}), '');
}


sub _sign {
    my ($alg, $input, $key) = @_;

    return hmac_sha256($input, $key) if $alg eq 'HS256';
    return hmac_sha384($input, $key) if $alg eq 'HS384';
    return hmac_sha512($input, $key) if $alg eq 'HS512';
    return '' if lc $alg eq 'none';

    my ($bits) = $alg =~ /(\d+)/;
    my $sign = _openssl($input, 'dgst', "-sha$bits", '-sign', $key);

    return $alg =~ /^E/ ? _raw_ecdsa($sign, $bits / 8) : $sign;
}


# DER to r and s side by side
sub _raw_ecdsa {
    my ($der, $size) = @_;
    my ($r, $s) = $der =~ /^\x30.\x02(.)/s ? do {
        my $n = ord $1;
        (substr($der, 4, $n), substr($der, 6 + $n));
    } : die 'no DER';

    s/^\0+// for $r, $s;

    return join '', map { "\0" x ($size - length) . $_ } $r, $s;
}


sub _openssl {
    my ($input, @args) = @_;
    require File::Temp;
    my $in = File::Temp->new;
    binmode $in;
    print $in $input;
    close $in;
    open my $fh, '-|', 'openssl', @args, "$in" or die "openssl: $!";
    binmode $fh;
    local $/;

    return scalar <$fh>;
}


# a key pair in a folder: private key, public key
sub rsa_key {
    my ($file, $bits) = @_;
    system('openssl', 'genpkey', '-quiet', '-algorithm', 'RSA', '-pkeyopt',
           'rsa_keygen_bits:' . ($bits // 2048), '-out', "$file.key") == 0
        || system("openssl genrsa -out $file.key " . ($bits // 2048)
                  . ' 2>/dev/null');
    system('openssl', 'pkey', '-in', "$file.key", '-pubout', '-out',
           "$file.pem");

    return ("$file.key", "$file.pem");
}


sub ec_key {
    my ($file, $curve) = @_;
    system('openssl', 'ecparam', '-name', $curve // 'prime256v1', '-genkey',
           '-noout', '-out', "$file.key");
    system('openssl', 'pkey', '-in', "$file.key", '-pubout', '-out',
           "$file.pem");

    return ("$file.key", "$file.pem");
}


1;
