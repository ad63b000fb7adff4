# docs/asyncapi.yaml: its examples are as it says, and it has the events that the
# database makes, no more and no less.
use strict;
use warnings;
use File::Temp ();
use Mojo::JSON qw(decode_json encode_json);
use Test::More;

is(`tools/node t/node/events.mjs`, '', 'the examples are valid');
is($?, 0, 'all of them');

sub faults_of {
    my (@lines) = @_;
    my $file = File::Temp->new;
    print $file map { encode_json($_), "\n" } @lines;
    close $file;

    return map { decode_json($_)->{faults} } `tools/node t/node/events.mjs - <$file`;
}

my ($one, $two, $three) = faults_of(
    { tag => 'ephemeral', event => 'typing_indicator', data => { isTyping => 1 } },
    { tag => 'durable', event => 'user_blocked', data => { userId => 'mia' } },
    { tag => 'durable', event => 'nothing', data => {} });
ok(@$one >= 3, 'missing and wrong fields are faults');
is_deeply($two, [], 'what is right has none');
is_deeply($three, ['no durable event nothing is described'], 'an unknown event is one');

sub slurp { open my $fh, '<', $_[0] or die "$_[0]: $!"; local $/; <$fh> }

my %made = map { $_ => 1 } map {
    my $sql = slurp($_);
    ($sql =~ /event_add\([\w.]+,\s*'(\w+)'/g,
     $sql =~ /insert into (?:messaging\.)?events\b[^;]*?\bvalues\s*\([^,]+,[^,]+,\s*'(\w+)'/g)
} glob 'sql/api/*.sql';
my $document = slurp('docs/asyncapi.yaml');
my %described = map { $_ => 1 } $document
    =~ m{^      name: (\w+)\n(?:(?!    \w).*\n)*?      tags: .*tags/durable}mg;

is_deeply([sort keys %described], [sort keys %made],
          'the durable events are those of the database');

done_testing();
