package Mentara::Raw;

# Requests octet by octet over one connection that is kept: what a library
# would not send, and thousands of them in a second.

use strict;
use warnings;
use IO::Socket::INET;
use Mojo::JSON qw(decode_json);
use Time::HiRes qw(time);

sub new {
    my ($class, $port) = @_;

    return bless { port => $port }, $class;
}


# ask(method, target, [name => value, ...], body): {code, headers, body, json};
# code 0: no answer.  A body that is an array is sent in chunks of these parts;
# length => n announces another length than that of the body.  An answer that
# comes before all is sent ends the connection
sub ask {
    my ($self, $method, $target, $headers, $body, %o) = @_;
    my $head = "$method $target HTTP/1.1\r\nHost: 127.0.0.1:$self->{port}\r\n";
    my @headers = @$headers;

    while (my ($name, $value) = splice @headers, 0, 2) {
        $head .= "$name: $value\r\n";
    }

    if (ref $body) {
        $head .= "Transfer-Encoding: chunked\r\n";
        $body = join '', map { sprintf "%x\r\n%s\r\n", length, $_ } @$body;
        $body .= "0\r\n\r\n";
    }
    elsif (defined $body) {
        $head .= 'Content-Length: ' . ($o{length} // length $body) . "\r\n";
    }

    my $text = "$head\r\n" . ($body // '');
    my $kept = defined $self->{socket};
    my $answer = $self->_exchange($text, $method);

    delete $self->{socket} if defined $o{length};

    # a connection that was kept may have been closed meanwhile
    $answer = $self->_exchange($text, $method) if $kept && !$answer->{code};

    return $answer;
}


sub _exchange {
    my ($self, $text, $method) = @_;
    my $socket = $self->{socket} //= IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $self->{port}) // die "connect: $!";
    local $SIG{PIPE} = 'IGNORE';

    $self->{left} = '';
    $socket->blocking(0);
    my $answer = $self->_talk($socket, $text, $method);
    delete $self->{socket} if !$answer->{code} || $self->{unsent}
        || ($answer->{headers}{connection} // '') eq 'close';

    return $answer;
}


# writes as long as there is something to write, until an answer is whole
sub _talk {
    my ($self, $socket, $text, $method) = @_;
    my $end = time + 15;

    while (time < $end) {
        my $answer = $self->_parse($method);
        $self->{unsent} = length $text;
        return $answer if $answer;

        my ($in, $out) = ('', '');
        vec($in, fileno $socket, 1) = 1;
        vec($out, fileno $socket, 1) = 1 if length $text;
        select $in, $out, undef, 1;

        if (length $text && vec $out, fileno $socket, 1) {
            my $n = syswrite $socket, $text, 262144;
            $text = defined $n ? substr $text, $n : $!{EAGAIN} ? $text : '';
        }

        next if !vec $in, fileno $socket, 1;
        my $n = sysread $socket, $self->{left}, 65536, length $self->{left};
        next if !defined $n && $!{EAGAIN};
        last if !$n;
    }

    return { code => 0, headers => {}, body => $self->{left} };
}


sub _parse {
    my ($self, $method) = @_;
    my ($head, $rest) = $self->{left} =~ /\A(.*?)\r\n\r\n(.*)\z/s or return;
    my ($line, @lines) = split /\r\n/, $head;
    my ($code) = $line =~ m{^HTTP/1\.1 (\d{3})} or return;
    my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1 => $2) : () } @lines;
    my $length = $method eq 'HEAD' || $code == 204 ? 0
        : $headers{'content-length'};

    return if !defined $length || length $rest < $length;

    my $body = substr $rest, 0, $length;

    return { code => 0 + $code, headers => \%headers, body => $body,
             json => scalar eval { decode_json($body) } };
}


1;
