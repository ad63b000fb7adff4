package Mentara::OpenApi;

# The document docs/openapi.yaml as a judge of answers: t/node/validate.mjs
# reads the document, this is its other end.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Open2 qw(open2);
use Mojo::JSON qw(decode_json encode_json);
use Mojo::Util ();

my $top = abs_path(dirname(__FILE__) . '/../../..');


sub new {
    my ($class) = @_;
    my $pid = open2(my $out, my $in, "$top/tools/node",
                    "$top/t/node/validate.mjs", "$top/docs/openapi.yaml");
    my $self = bless { pid => $pid, in => $in, out => $out, owner => $$,
                       seen => {} }, $class;

    $in->autoflush;
    $self->{list} = $self->_ask({ list => 1 });

    return $self;
}


# {id, method, path, statuses, secured, parameters, body} of each operation;
# parameters and body as t/node/validate.mjs says
sub operations { @{ $_[0]{list}{operations} } }


# {path, methods} of each path
sub paths { @{ $_[0]{list}{others} } }


# the codes of errors
sub codes { @{ $_[0]{list}{codes} } }


# what is wrong with an answer of an operation; it counts as seen.
# request: a body that was accepted
sub faults {
    my ($self, $operation, $answer, %o) = @_;

    $self->{seen}{$operation}{ $answer->{code} }++;

    return $self->_judge($answer, id => $operation, %o);
}


# likewise, of a method that the path does not have
sub other_faults {
    my ($self, $path, $answer) = @_;

    return $self->_judge($answer, path => $path, others => 1);
}


sub seen { $_[0]{seen}{ $_[1] }{ $_[2] } }


sub _judge {
    my ($self, $answer, %o) = @_;
    my $headers = $answer->{headers}->to_hash;

    return @{ $self->_ask({
        %o,
        status => 0 + $answer->{code},
        headers => { map { lc $_ => $headers->{$_} } keys %$headers },
        body => Mojo::Util::decode('UTF-8', $answer->{body})
                // 'not UTF-8',
    })->{faults} };
}


sub _ask {
    my ($self, $question) = @_;
    local $SIG{PIPE} = 'IGNORE';

    print { $self->{in} } encode_json($question), "\n";
    my $line = readline $self->{out};

    die "the validator has gone\n" if !defined $line;

    return decode_json($line);
}


sub DESTROY {
    my ($self) = @_;

    return if $$ != $self->{owner};
    local ($?, $!, $@);
    close $self->{in};
    waitpid $self->{pid}, 0;
}


1;
