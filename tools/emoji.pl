#!/usr/bin/perl
# Makes src/codec/mentara_emoji_data.c from Unicode's emoji-test.txt
# (Debian package unicode-data): every fully qualified emoji, sorted by its
# octets without U+FE0F.
use strict;
use warnings;

my $source = shift // '/usr/share/unicode/emoji/emoji-test.txt';
my (%form, $version);

open my $in, '<', $source or die "$source: $!\n";
while (my $line = <$in>) {
    $version = $1 if $line =~ /^# Version: (\S+)/;
    next unless $line =~ /^([0-9A-F ]+?)\s*; fully-qualified\s/;
    my $text = join '', map { chr hex } split / /, $1;
    utf8::encode($text);
    (my $key = $text) =~ s/\xEF\xB8\x8F//g;
    $form{$key} = $text;
}
close $in;

my $n = keys %form;
print <<"HEAD";

/*
 * RGI emoji, fully qualified, of emoji-test.txt version $version, sorted by
 * their octets without U+FE0F.  Made by tools/emoji.pl: do not edit.
 */

#include <mentara_emoji.h>


const size_t  mentara_emoji_n = $n;


const char *const  mentara_emoji_table[] = {
HEAD

for my $key (sort keys %form) {
    (my $text = $form{$key}) =~ s/([^\x20-\x7e])/sprintf '\\%03o', ord $1/ge;
    printf "    \"%s\",\n", $text;
}

print "};\n";
