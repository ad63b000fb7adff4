# The Perl harness for tests in Node: a database and an nginx as server() of
# Mentara::Test makes them, from options in JSON; commands come as lines of
# JSON on stdin, each is answered by one.
use strict;
use warnings;
use lib 't/lib';
use Mentara::Test;
use Mojo::JSON qw(decode_json encode_json);

my %o = %{ decode_json($ARGV[0] // '{}') };
my $nginx;

$| = 1;
eval { $nginx = server(%o); 1 } or answer(error => "$@");
answer(url => $nginx->url, dir => $nginx->{dir},
       secret => secret_of());

my %command = (
    sql => sub { [db->rows($_[0]{sql})] },
    reload => sub { $nginx->reload; 1 },
    restart => sub { $nginx->stop('QUIT'); $nginx->start; 1 },
    kill => sub { $nginx->kill_worker($_[0]{pid}); 1 },
    workers => sub { [map { $_ + 0 } $nginx->workers] },
    pg_stop => sub { db->stop($_[0]{mode} // 'fast'); 1 },
    pg_start => sub { db->start; 1 },
    expect => sub { $nginx->{expected} = $_[0]{pattern}; 1 },
    log => sub { $nginx->slurp('error.log') },
    finish => \&finish_it,
);

while (my $line = <STDIN>) {
    my $ask = decode_json($line);
    my $value = eval { $command{ $ask->{op} }->($ask) };

    $@ ? answer(error => "$@") : answer(value => $value);
    last if $ask->{op} eq 'finish';
}


sub answer { print encode_json({@_}), "\n" }


# what an operator would be alarmed by, and words that a log must not hold
sub finish_it {
    my ($ask) = @_;

    $nginx->stop('QUIT');
    my @faults = $nginx->faults;
    my $logs = $nginx->slurp('error.log') . $nginx->slurp('access.log');

    push @faults, map { "a log holds \"$_\"" }
        grep { index($logs, $_) >= 0 } 'eyJhbGciOi', 'Dela Cruz', 'Lindqvist',
        @{ $ask->{words} // [] };

    return \@faults;
}
