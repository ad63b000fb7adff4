#!/usr/bin/perl
# Makes src/codec/mentara_fold_data.c: letters with diacritics and capitals
# to the small base letter, from Perl's own Unicode tables.
use strict;
use warnings;
use Unicode::Normalize qw(NFKD);

my @rows;

for my $code (0x80 .. 0x24f, 0x370 .. 0x52f, 0x1e00 .. 0x1fff) {
    my $text = chr $code;
    next unless $text =~ /\p{L}/;
    (my $base = NFKD($text)) =~ s/\p{Mn}//g;
    $base = lc $base;
    next if length $base != 1 || $base eq $text;
    push @rows, [$code, ord $base];
}

# letters that do not decompose, as Postgres' unaccent has them
my %extra = (0xd8 => 'o', 0xf8 => 'o', 0x110 => 'd', 0x111 => 'd',
             0x141 => 'l', 0x142 => 'l', 0x126 => 'h', 0x127 => 'h',
             0x131 => 'i', 0x166 => 't', 0x167 => 't');
my %seen = map { $_->[0] => $_ } @rows;
$seen{$_} = [$_, ord $extra{$_}] for keys %extra;
@rows = map { $seen{$_} } sort { $a <=> $b } keys %seen;

print <<"HEAD";

/*
 * Letters with diacritics and capitals to the small base letter, sorted by
 * code point.  Made by tools/fold.pl: do not edit.
 */

#include <mentara_highlight.h>


const size_t  mentara_fold_n = @{[scalar @rows]};


const mentara_fold_t  mentara_fold_table[] = {
HEAD
while (my @part = splice @rows, 0, 4) {
    print '    ', join(' ', map { sprintf '{ 0x%04x, 0x%04x },', @$_ } @part),
        "\n";
}
print "};\n";
