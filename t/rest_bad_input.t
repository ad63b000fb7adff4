# b17: a table of bad input for every operation, made of docs/openapi.yaml.  Each
# is answered by the 4xx of the contract, names the field that is at fault and
# changes no row; the same request without the fault works.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Mentara::OpenApi;
use Mentara::Raw;
use Mentara::Test;
use Mojo::JSON qw(encode_json);
use Mojo::Util qw(encode url_escape);
use Test::More;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

use constant UNKNOWN => '00000000-0000-7000-8000-000000000000';
use constant WIDE => "\x{1F331}";   # four octets, one character
use constant LIMIT => 262144;       # octets of a body

my $api = Mentara::OpenApi->new;
my %operation = map { $_->{id} => $_ } $api->operations;
my @ids = sort keys %operation;

server(directives => 'mentara_attachment_url /files/;');

my $raw = Mentara::Raw->new(nginx->{port});
my %token = map { $_ => as($_)->{Authorization} } qw(ana mia ben xeno sol kai rosa);

# --- what there is

my $group = group('ana', 'mia', 'jun');
my $message = said('mia', $group, 'words that stay as they are')->{id};
my $reply = said('ana', $group, 'other words of the circle')->{id};
my $foreign = group('ben', 'jun');
my $theirs = said('jun', $foreign, 'words of other people')->{id};
my $support = call('rosa', POST => '/conversations', { type => 'SUPPORT' })->{json}{id};
call('rosa', POST => '/block', { userId => 'ben' });

sub claimed { call('sol', POST => "/conversations/$support/claim") }
sub unclaimed { call('sol', DELETE => "/conversations/$support/claim") }

# --- a request of each operation that works.  needs: fields that this request
# cannot do without beyond those that are always needed; always: those of an empty
# body; drop, keep: that cannot be there, or not be null; solid: that may not be
# empty; before: what must have happened for it to work

my $n = 0;
my %works = (
    conversationCreate => [
        { user => 'ana', needs => ['sessionId', 'participantIds'],
          always => ['participantIds'], keep => ['type'], body => sub {
            { type => 'SESSION', title => 'Sleep', sessionId => 'session ' . ++$n,
              participantIds => ['mia'] } } },
        { user => 'ana', needs => ['participantIds'], drop => ['sessionId'],
          always => ['participantIds'], keep => ['type'], body => sub {
            { type => 'GROUP', title => 'Rest', participantIds => ['mia', 'ben'] } } },
    ],
    conversationList => [{ user => 'mia' }],
    conversationGet => [{ user => 'mia', id => $group }],
    conversationUpdate => [{ user => 'ana', id => $group, body => sub {
        { title => 'Circle ' . ++$n, isMuted => \1, isArchived => \0, isActive => \1 } } }],
    participantAdd => [{ user => 'ana', id => $group,
                         body => sub { { userId => 'ben', role => 'MEMBER' } } }],
    participantUpdate => [{ user => 'ana', id => $group, userId => 'mia',
                            body => sub { { role => 'MODERATOR' } } }],
    participantRemove => [{ user => 'ana', id => $group, userId => 'jun', before => sub {
        call('ana', POST => "/conversations/$group/participants", { userId => 'jun' }) } }],
    supportList => [{ user => 'sol' }],
    supportClaim => [{ user => 'sol', id => $support, before => \&unclaimed }],
    supportUnclaim => [{ user => 'sol', id => $support, before => \&claimed }],
    messagePage => [{ user => 'mia', id => $group }],
    messageSend => [
        { user => 'mia', id => $group, needs => ['attachmentUrl'], always => ['content'], body => sub {
            { content => 'a picture', messageType => 'IMAGE', replyToId => $reply,
              attachmentUrl => '/files/a.png', attachmentName => 'a.png',
              attachmentSize => 12, clientId => 'picture ' . ++$n } } },
        { user => 'mia', id => $group, needs => ['content'], solid => ['content'], always => ['content'],
          drop => [qw(attachmentUrl attachmentName attachmentSize)],
          body => sub { { content => 'a text that is sent', clientId => 'text ' . ++$n } } },
    ],
    messageGet => [{ user => 'mia', id => $message }],
    messageEdit => [{ user => 'mia', id => $message, solid => ['content'],
                      body => sub { { content => 'changed ' . ++$n } } }],
    messageDelete => [{ user => 'mia', id => $message }],
    messageRevisions => [{ user => 'kai', id => $message }],
    messageRead => [{ user => 'ana', id => $message }],
    messageReadBatch => [{ user => 'ana', id => $group,
                           body => sub { { messageIds => [$message, $reply] } } }],
    accessList => [{ user => 'mia', id => $group }],
    reactionAdd => [{ user => 'ana', id => $message,
                      body => sub { { emoji => "\x{1F44D}\x{1F3FD}" } } }],
    reactionRemove => [{ user => 'ana', id => $message, emoji => "\x{1F44D}\x{1F3FD}" }],
    blockAdd => [{ user => 'xeno', body => sub { { userId => 'tess', reason => 'the test' } } }],
    blockList => [{ user => 'rosa' }],
    blockRemove => [{ user => 'rosa', userId => 'ben' }],
    searchGet => [{ user => 'mia', query => 'query=words' }],
    searchPost => [{ user => 'mia', body => sub {
        { query => 'words', conversationId => $group, senderId => 'mia', messageType => 'TEXT',
          from => '2020-01-01T00:00:00Z', to => '2099-01-01T00:00:00Z', page => 1,
          limit => 20 } } }],
    contactList => [{ user => 'mia' }],
    me => [{ user => 'mia' }],
    logout => [{ user => 'mia' }],
    health => [{ user => 'mia' }],
);
is_deeply([sort keys %works], \@ids, 'b17: every operation of the document is in the table');

# for a new parameter in a path there must be bad values too
is_deeply([sort keys %{ { map { $_->{name} => 1 }
                          map { grep { $_->{in} eq 'path' } @{ $_->{parameters} } }
                          values %operation } }], [qw(emoji id userId)],
          'b17: the parameters of paths are known');

# --- asking

# o: path => {name: raw value}, after, query, headers, body, bare
sub target {
    my ($id, $w, %o) = @_;
    my $path = $operation{$id}{path} =~ s/\{(\w+)\}/$o{path}{$1}
        \/\/ url_escape(encode('UTF-8', $w->{$1}))/gerx;
    my $query = $o{query} // $w->{query};

    return '/messaging' . $path . ($o{after} // '') . (defined $query ? "?$query" : '');
}

sub ask {
    my ($id, $w, %o) = @_;
    my @headers = (Authorization => $token{ $w->{user} }, @{ $o{headers} // [] });
    my $body = $o{body};

    $body = encode_json($body) if ref $body eq 'HASH';
    push @headers, 'Content-Type' => 'application/json'
        if defined $body && !grep { $_ eq 'Content-Type' } @headers;
    @headers = grep { defined } $o{bare} ? @headers[0, 1] : @headers;

    return $raw->ask($operation{$id}{method}, target($id, $w, %o), \@headers, $body,
                     length => $o{length});
}

# what is wrong with a refusal; status 400 of nginx itself has no JSON
sub wrong {
    my ($r, $expect) = @_;
    my @statuses = ref $expect->{status} ? @{ $expect->{status} } : $expect->{status} // 400;
    my $json = ref $r->{json} eq 'HASH' ? $r->{json} : {};
    my $message = $json->{message} // '';
    my @lines = ref $message ? @$message : $message;
    my @wrong;

    push @wrong, "status $r->{code}" if !grep { $_ == $r->{code} } @statuses;
    return @wrong if $expect->{own} && !%$json;
    push @wrong, "shape $r->{body}" if join(' ', sort keys %$json)
        ne 'code error message requestId statusCode';
    push @wrong, "code $json->{code}" if $expect->{code}
        && !grep { $_ eq ($json->{code} // '') } split ' ', $expect->{code};
    push @wrong, 'message is no array' if ($json->{code} // '') eq 'validation_failed'
        && !ref $message;
    push @wrong, "$_ is not named in @lines"
        for grep { my $name = $_; !grep { /\b\Q$name\E\b/ } @lines } @{ $expect->{names} // [] };
    push @wrong, "header $_" for grep { !defined $r->{headers}{$_} }
        qw(x-request-id cache-control x-content-type-options);

    return @wrong;
}

my %cases;
sub refused {
    my ($id, $w, $what, $expect, %o) = @_;

    $cases{$id}++;
    is(join('; ', wrong(ask($id, $w, %o), $expect)), '', "b17: $id: $what");
}

sub invalid { { code => 'validation_failed', names => [@_] } }

# --- values that a field cannot have

my %json_types = (string => '"x"', integer => '7', number => '7.5', boolean => 'true',
                  object => '{}', array => '[]');

sub types_of { ref $_[0]{type} ? @{ $_[0]{type} } : $_[0]{type} }

# [what, JSON text] for a schema
sub bad_values {
    my ($name, $s, $solid) = @_;
    my ($type) = grep { $_ ne 'null' } types_of($s);
    my @bad = map { ["the type $_", $json_types{$_}] } grep { $_ ne $type } sort keys %json_types;

    push @bad, $type eq 'string' ? bad_strings($name, $s, $solid)
        : $type eq 'array' ? bad_arrays($s)
        : $type eq 'integer' ? (['below', $s->{minimum} - 1], ['above', $s->{maximum} + 1],
                                ['a fraction', '1.5'], ['digits in a string', '"7"'])
        : ([0, '0'], [1, '1'], ['"true"', '"true"']);

    return @bad;
}

sub bad_strings {
    my ($name, $s, $solid) = @_;
    my @bad;

    push @bad, ['too long', json_text(WIDE x ($s->{maxLength} + 1))] if $s->{maxLength};
    push @bad, ['far too long', json_text('x' x 200_000)] if $s->{maxLength};
    push @bad, ['empty', '""'] if $s->{minLength} || $s->{enum} || $s->{format} || $solid;
    push @bad, ['blank', json_text(" \t\x{A0}\x{3000}")] if $solid || $name eq 'title';
    push @bad, map { ["not one of those: $_", json_text($_)] }
        'x', lc $s->{enum}[0], "$s->{enum}[0] ", "$s->{enum}[0]\n" if $s->{enum};
    push @bad, map { ["no UUID: $_", json_text($_)] }
        'x', UNKNOWN =~ tr/-//dr, UNKNOWN . '0', '{' . UNKNOWN . '}', 'urn:uuid:' . UNKNOWN,
        UNKNOWN =~ s/0/g/r if ($s->{format} // '') eq 'uuid';
    push @bad, map { ["no time: $_", json_text($_)] }
        'x', 'yesterday', '2020-13-01T00:00:00Z', '2020-02-30T00:00:00Z', '2020-01-01T24:01:00Z',
        '2020-01-01T00:00:00ZZ', "2020-01-01T00:00:00Z' or true" if ($s->{format} // '') eq 'date-time';
    push @bad, map { ["no emoji: $_", json_text($_)] }
        'x', '5', ' ', "\x{1F44D}\x{1F44D}", "\x{1F44D} ", "\x{1F3FD}", "\x{200D}" if $name eq 'emoji';

    return @bad;
}

sub bad_arrays {
    my ($s) = @_;
    my @elements = map { $_->[1] } bad_values('', $s->{items}), ['', 'null'];
    my $good = ($s->{items}{format} // '') eq 'uuid' ? encode_json([UNKNOWN]) : '["mia"]';
    my ($one) = $good =~ /\[(.*)\]/;
    my @bad = map { ['with the element ' . substr($_, 0, 20), "[$one,$_]"] } @elements;

    push @bad, ['too many', '[' . join(',', map { $one =~ s/.\K"$/$_ % 10 . '"'/er }
                                       0 .. $s->{maxItems}) . ']'];
    push @bad, ['empty', '[]'] if $s->{minItems};

    return @bad;
}

# a string as JSON in ASCII
sub json_text {
    return '"' . join('', map {
        my $c = ord;
        $c > 0xFFFF ? sprintf '\u%04x\u%04x', 0xD800 + ($c - 0x10000 >> 10),
            0xDC00 + ($c - 0x10000 & 0x3FF)
            : $c < 0x20 || $c > 0x7E || /["\\]/ ? sprintf '\u%04x', $c : $_
    } split //, $_[0]) . '"';
}

# a body, some of its fields as given in JSON
sub body_with {
    my ($body, %texts) = @_;
    my %all = ((map { $_ => encode_json($body->{$_}) } keys %$body), %texts);

    return '{' . join(',', map { qq("$_":$all{$_}) } sort keys %all) . '}';
}

# --- bodies

my @broken = (
    ['an open brace', '{'], ['a closing brace', '}'], ['null', 'null'], ['an array', '[]'],
    ['a string', '"x"'], ['a number', '7'], ['true', 'true'], ['two values', '{} {}'],
    ['a comma too many', '{"a":1,}'], ['a comment', '{/**/}'], ['a bare name', '{a:1}'],
    ['single quotes', "{'a':1}"], ['NaN', '{"a":NaN}'], ['a leading zero', '{"a":01}'],
    ['hex', '{"a":0x1}'], ['a number without end', '{"a":1e999}'],
    ['an integer without end', '{"a":' . '9' x 400 . '}'], ['a byte order mark', "\xef\xbb\xbf{}"],
    ['UTF-16', "{\0}\0"], ['a NUL', "{}\0"], ['a NUL alone', "\0"], ['white space', "  \n"],
    ['a form', 'a=1&b=2'], ['a field name with \u0000', '{"a\u0000b":1}'],
    ['a field name that is no UTF-8', qq({"\xff":1})],
    ['9 levels', '{"a":' . '[' x 8 . ']' x 8 . '}'], ['200,000 levels', '[' x 200_000],
    ['100,000 objects', '{"a":' x 40_000], ['levels that never end', '{"a":' . '[{"a":' x 30_000],
);

# inside of a string; what JSON or UTF-8 does not allow
my @octets = (
    ['invalid UTF-8', "\xff"], ['cut UTF-8', "\xe2\x82"], ['overlong UTF-8', "\xc0\xaf"],
    ['an overlong NUL', "\xc0\x80"], ['a surrogate in UTF-8', "\xed\xa0\x80"],
    ['beyond U+10FFFF', "\xf4\x90\x80\x80"], ['a continuation alone', "\x80"],
    ['a high surrogate alone', '\ud800'], ['a low surrogate alone', '\udc00'],
    ['surrogates the wrong way round', '\udc00\ud800'], ['a surrogate and text', '\ud83dx'],
    ['\u0000', 'a\u0000b'], ['a NUL', "a\0b"], ['a line end', "a\nb"], ['a bad escape', '\x41'],
    ['a short escape', '\u12'],
);

my @types = (undef, '', 'text/plain', 'text/json', 'application/x-www-form-urlencoded',
             'multipart/form-data; boundary=x', 'application/jsonx', 'application/json-patch+json',
             'xapplication/json', 'application/json, text/plain');

sub bad_bodies {
    my ($id, $w) = @_;
    my $o = $operation{$id};
    my %fields = %{ $o->{body}{fields} };
    my $good = $w->{body} ? $w->{body}->() : {};
    my %dropped = map { $_ => 1 } @{ $w->{drop} // [] };
    my %solid = map { $_ => 1 } @{ $w->{solid} // [] };
    my @needed = (@{ $o->{body}{needed} }, @{ $w->{needs} // [] });
    my @always = @{ $w->{always} // $o->{body}{needed} };
    my @texts = grep { grep { $_ eq 'string' } types_of($fields{$_}) } sort keys %fields;

    for my $name (@needed) {
        my %less = %$good;
        delete $less{$name};
        refused($id, $w, "without $name", invalid($name), body => \%less);
        refused($id, $w, "$name null", invalid($name), body => { %$good, $name => undef });
    }

    for my $name (grep { !$dropped{$_} } sort keys %fields) {
        for my $bad (bad_values($name, $fields{$name}, $solid{$name})) {
            refused($id, $w, "$name: $bad->[0]", invalid($name),
                    body => body_with($good, $name => $bad->[1]));
        }
        my $twice = encode_json($good->{$name} // 'x');
        refused($id, $w, "$name twice", { code => 'malformed_json', names => [$name] },
                body => body_with($good, $name => $twice) =~ s/\}\z/,"$name":$twice}/r);
        refused($id, $w, "$name 9 levels deep", { code => 'malformed_json' },
                body => body_with($good, $name => '[' x 8 . ']' x 8));
    }

    for my $name (@texts) {
        refused($id, $w, "$name: $_->[0]", { code => 'malformed_json' },
                body => body_with($good, $name => qq("$_->[1]"))) for @octets;
    }

    my @all = grep { !$dropped{$_} } sort keys %fields;
    refused($id, $w, 'all fields at once', invalid(@all),
            body => body_with($good, map { $_ => '{}' } @all)) if @all;
    refused($id, $w, "the unknown field $_", invalid($_),
            body => body_with($good, $_ => '1')) for qw(nonsense __proto__ CONTENT ID);
    refused($id, $w, 'an unknown field with a long name', { code => 'validation_failed' },
            body => body_with($good, 'x' x 100_000 => '1'));
    refused($id, $w, 'many unknown fields', { code => 'validation_failed' },
            body => body_with($good, map { ("field$_" => '1') } 1 .. 5000));
    refused($id, $w, $_->[0], { code => 'malformed_json validation_failed' }, body => $_->[1])
        for @broken;

    my $text = encode_json($good);
    for my $type (@types) {
        refused($id, $w, 'Content-Type ' . ($type // 'missing'),
                { status => 415, code => 'unsupported_media_type' }, body => $text,
                defined $type ? (headers => ['Content-Type' => $type]) : (bare => 1));
        refused($id, $w, 'nothing at all, Content-Type ' . ($type // 'missing'), invalid(@always),
                body => '', defined $type ? (headers => ['Content-Type' => $type]) : (bare => 1))
            if @always;
    }

    too_large($id, $w, $text);
}

my $ten_mb = ' ' x 10_485_760;

sub too_large {
    my ($id, $w, $text) = @_;
    my $expect = { status => 413, code => 'too_large' };
    my $padded = $text . ' ' x (LIMIT + 1 - length $text);

    refused($id, $w, 'one octet too many', $expect, body => $padded);
    refused($id, $w, 'one octet too many, in chunks', $expect,
            body => [map { substr $padded, $_ * 60_000, 60_000 } 0 .. 4]);
    refused($id, $w, '10 MB', $expect, body => $ten_mb);
    refused($id, $w, '10 MB that are not awaited', $expect, body => 'x', length => 10_485_760,
            headers => [Expect => '100-continue']);
    refused($id, $w, '10 MB in chunks', $expect, body => [unpack '(a1048576)*', $ten_mb]);
    refused($id, $w, '10 MB of another type', $expect, body => $ten_mb,
            headers => ['Content-Type' => 'text/plain']);
}

# --- query strings

my @escapes = (['invalid UTF-8', '%ff'], ['overlong UTF-8', '%c0%af'], ['a surrogate', '%ed%a0%80'],
               ['cut UTF-8', '%e2%82'], ['%00', 'a%00b'], ['a lone %', '%'], ['a cut escape', '%4'],
               ['no hex', '%zz'], ['%u', '%u0041']);
my @exclusive = qw(page cursor before after around);

sub bad_queries {
    my ($id, $w) = @_;
    my @query = grep { $_->{in} eq 'query' } @{ $operation{$id}{parameters} };
    my %has = map { $_->{name} => 1 } @query;
    my %good = (cursor => 'x', around => $message);
    my @together = grep { $has{$_} } @exclusive;

    for my $p (@query) {
        my ($name, $s) = @$p{qw(name schema)};
        my $rest = $w->{query} && $w->{query} !~ /^$name=/ ? "$w->{query}&" : '';

        refused($id, $w, "without $name", invalid($name), query => '') if $p->{required};
        refused($id, $w, "query $name: $_->[0]", invalid($name), query => "$rest$name=$_->[1]")
            for bad_query_values($name, $s), @escapes;
        refused($id, $w, "query $name twice", invalid($name), query => "$rest$name=1&$name=1");
        refused($id, $w, "query $name: 7,000 characters", invalid($name),
                query => "$rest$name=" . 'x' x 7000);
    }

    for my $i (0 .. $#together) {
        my ($one, @others) = @together[$i .. $#together];
        refused($id, $w, "query $one and $_", invalid($one, $_),
                query => "$one=" . ($good{$one} // 1) . "&$_=" . ($good{$_} // 1)) for @others;
    }
}

sub bad_query_values {
    my ($name, $s) = @_;
    my @bad;

    if ($s->{type} eq 'integer') {
        return map { ["'$_'", $_] } '', 'x', '1.5', '1e1', '0x1', '+1', '%201', '1%0a', '-1', '1,000',
            '99999999999999999999', $s->{minimum} - 1, $s->{maximum} + 1;
    }

    push @bad, ['empty', ''] if $s->{minLength} || $s->{enum} || $s->{format};
    push @bad, ['too long', 'x' x ($s->{maxLength} + 1)] if ($s->{maxLength} // 9999) < 7000;
    push @bad, map { [$_, url_escape($_)] } 'x', uc "$s->{enum}[0]x" if $s->{enum};
    push @bad, map { [$_, url_escape($_)] } 'x', UNKNOWN =~ tr/-//dr
        if ($s->{format} // '') eq 'uuid';
    push @bad, map { [$_, url_escape($_)] } 'x', '2020-13-01', '2020-01-01T00:00:00+99:00'
        if ($s->{format} // '') eq 'date-time';

    return @bad;
}

# --- paths

my %tricks = (
    id => [400, 'invalid_id', 'x', '12', '-1', '0', 'null', UNKNOWN =~ tr/-//dr, UNKNOWN . 'x',
           '{' . UNKNOWN . '}', '%7b' . UNKNOWN . '%7d', UNKNOWN =~ s/0\z/g/r, UNKNOWN . '%20', '%20' . UNKNOWN, UNKNOWN . '%0a', UNKNOWN . '%2f', '%2f', '%252f',
           UNKNOWN . '%252f', '%2e%2e', '%252e%252e', '%2e', '%c0%ae%c0%ae', '%c0%af', '%e0%80%af',
           '%ff', '%ed%a0%80', '..%2fme', '%5c', "'", '%27%20or%201=1', '1;x=y', '*', 'x' x 7000,
           'é', '%F0%9F%8C%B1', UNKNOWN . '%3fa=b'],
    userId => [400, 'invalid_id', '%ff', '%c0%af', '%e0%80%af', '%ed%a0%80', '%e2%82', 'a%0ab',
               'a%7fb', '%01', 'x' x 256, 'x' x 7000, '%F0%9F%8C%B1' x 256, 'a%ffb'],
    emoji => [400, 'validation_failed', 'x', '%F0%9F%91%8D%F0%9F%91%8D', '%F0%9F%91', '%ff', '%c0%af',
              '%ed%a0%bd%ed%b1%8d', '%25F0%259F%2591%258D', '%2f', '%2e%2e', '%252f', '5', '%20', ':+1:',
              'x' x 7000, '%F0%9F%91%8D' x 500],
);

sub bad_paths {
    my ($id, $w) = @_;
    my $o = $operation{$id};
    my @names = $o->{path} =~ /\{(\w+)\}/g;
    my $body = $w->{body} ? $w->{body}->() : undef;
    my @with = $body ? (body => $body) : ();

    for my $name (@names) {
        my ($status, $code, @values) = @{ $tricks{$name} };
        for my $value (map { encode('UTF-8', $_) } @values) {
            refused($id, $w, "$name " . substr($value, 0, 40),
                    { status => $status, code => $code, own => 0,
                      names => $code eq 'validation_failed' ? [$name] : [] },
                    path => { $name => $value }, @with);
        }
        refused($id, $w, "$name $_", { status => 400, own => 1 }, path => { $name => $_ }, @with)
            for '%00', UNKNOWN . '%00', '%zz', '%', '%4', UNKNOWN =~ s/0\z/%/r;
        refused($id, $w, "$name $_", { status => [400, 404], own => 1 }, path => { $name => $_ },
                @with) for '..%2f..%2f..%2fme', '%2e%2e/%2e%2e/%2e%2e/me';
        refused($id, $w, "no $name", { status => 404 }, path => { $name => '' }, @with);
    }

    refused($id, $w, "$_ behind the path", { status => 404 }, after => $_, @with)
        for grep { !@names || $o->{path} !~ /\}\z/ } '/', '//', '%2f', '%20', '%0a', ';x', '%3f', '.',
            '%c0%af', '%ff', 'x', '%2e%2e', '%252f';
    refused($id, $w, '/x/y/z behind the path', { status => 404 }, after => '/x/y/z', @with);
    refused($id, $w, '%00 behind the path', { status => 400, own => 1 }, after => '%00', @with);
    refused($id, $w, 'a very long path', { status => 414, own => 1 }, after => '/x' x 10_000, @with);
    refused($id, $w, 'a very long query', { status => 414, own => 1 }, query => 'a=' . 'b' x 20_000,
            @with);
}

# --- headers that an operation knows

sub bad_headers {
    my ($id, $w) = @_;
    my $good = $w->{body} ? $w->{body}->() : {};
    delete $good->{clientId};

    for my $p (grep { $_->{in} eq 'header' } @{ $operation{$id}{parameters} }) {
        for my $bad (['empty', ''], ['too long', 'x' x ($p->{schema}{maxLength} + 1)],
                     ['too long in characters', encode('UTF-8', WIDE) x ($p->{schema}{maxLength} + 1)],
                     ['invalid UTF-8', "\xff"], ['overlong UTF-8', "\xc0\xaf"],
                     ['a control character', "a\x01b"], ['a surrogate', "\xed\xa0\x80"]) {
            refused($id, $w, "$p->{name}: $bad->[0]", { %{ invalid($p->{name}) }, own => 0 },
                    headers => [$p->{name} => $bad->[1]], body => $good);
        }
    }
}

# --- the tables are run

for my $id (@ids) {
    my $before = state_of_data();

    for my $w (@{ $works{$id} }) {
        bad_bodies($id, $w) if $operation{$id}{body};
        bad_headers($id, $w);
    }
    bad_queries($id, $works{$id}[0]);
    bad_paths($id, $works{$id}[0]);
    ok($cases{$id}, "b17: $id has $cases{$id} cases");
    is(state_of_data(), $before, "b17: $id: nothing was changed by any of it");
}

# --- names of what belongs to others, and of what does not exist

my %send = (content => 'a text that is sent');
my @others = (
    [messageSend => { replyToId => $theirs, %send }, 400, 'validation_failed', 'replyToId'],
    [messageSend => { replyToId => UNKNOWN, %send }, 400, 'validation_failed', 'replyToId'],
    [messageSend => { attachmentUrl => '/elsewhere/a', %send }, 400, 'validation_failed',
     'attachmentUrl'],
    [messageSend => { messageType => 'SYSTEM', %send }, 403, 'system_message'],
    (map { [messageSend => { messageType => $_, %send }, 400, 'validation_failed', 'attachmentUrl'] }
         qw(IMAGE FILE VOICE VIDEO)),
    (map { [messageSend => { messageType => $_, %send }, 400, 'validation_failed', 'messageType'] }
         qw(LOCATION POLL)),
    [messageSend => { attachmentUrl => '/files/a', messageType => 'FILE', content => '',
                      attachmentName => '' }, 400, 'validation_failed', 'attachmentName'],
    [messageReadBatch => { messageIds => [$message, $theirs] }, 400, 'validation_failed', 'messageIds'],
    [messageReadBatch => { messageIds => [UNKNOWN] }, 400, 'validation_failed', 'messageIds'],
    [participantAdd => { userId => 'nobody' }, 400, 'validation_failed', 'userId'],
    [blockAdd => { userId => 'nobody' }, 404, 'not_found'],
    [blockAdd => { userId => 'xeno' }, 400, 'validation_failed', 'userId'],
    (map { [conversationCreate => $_, 400, 'validation_failed', 'participantIds'] }
         { participantIds => ['nobody'] }, { participantIds => ['ana'] }, { participantIds => [] }, {},
         { participantIds => ['mia', 'ben'] }, { participantIds => ['mia', 'ben'], type => 'DIRECT' },
         { type => 'GROUP', participantIds => ['mia', 'nobody'] },
         { type => 'GROUP', participantIds => [] }),
    [conversationCreate => { participantIds => ['mia'], title => 'Us' }, 400, 'validation_failed',
     'title'],
    [conversationCreate => { participantIds => ['mia'], sessionId => 's' }, 400, 'validation_failed',
     'sessionId'],
    [conversationCreate => { type => 'SESSION', participantIds => ['mia'] }, 400, 'validation_failed',
     'sessionId'],
);
my $before = state_of_data();
for my $x (@others) {
    my ($id, $body, $status, $code, @names) = @$x;
    refused($id, $works{$id}[0], encode_json($body),
            { status => $status, code => $code, names => \@names }, body => $body);
}
refused('messageSend', $works{messageSend}[0], 'clientId and Idempotency-Key differ',
        invalid('clientId'), body => { clientId => 'one', %send },
        headers => ['Idempotency-Key' => 'another']);
refused('messagePage', $works{messagePage}[0], 'around a foreign message',
        { status => 404, code => 'not_found' }, query => "around=$theirs");
refused('participantRemove', { %{ $works{participantRemove}[0] }, userId => 'xeno' }, 'who is not in',
        { status => 404, code => 'not_found' });
refused('participantUpdate', { %{ $works{participantUpdate}[0] }, userId => 'xeno' }, 'who is not in',
        { status => 404, code => 'not_found' }, body => { role => 'MEMBER' });
refused('conversationList', $works{conversationList}[0], "a cursor that is none: $_",
        invalid('cursor'), query => "cursor=$_")
    for 'x', 'AAAA', 'MTox', '%25', url_escape("x'y"), 'MTo0OjF8MjAyMC0wMS0wMXx4', 'x' x 4000;
for my $id (grep { $operation{$_}{path} =~ /\{id\}/ } @ids) {
    my $w = $works{$id}[0];
    my $other = $operation{$id}{path} =~ m{^/messages} ? $theirs : $foreign;
    next if $id eq 'messageRevisions';   # for auditors there is no other
    refused($id, { %$w, id => $other }, 'of other people',
            { status => $id =~ /^(messagePage|messageSend)$/ ? 403 : 404, code => 'forbidden not_found' },
            $w->{body} ? (body => $w->{body}->()) : ());
}
is(state_of_data(), $before, 'b17: nor by names of other things');

# --- what is not bad

sub works {
    my ($id, $w, $what, %o) = @_;

    $w->{before}->() if $w->{before};
    my $r = ask($id, $w, %o);
    ok($r->{code} =~ /^20[014]$/, "b17: $id: $what works") or diag("$r->{code} $r->{body}");

    return $r;
}

sub good_bodies {
    my ($id, $w) = @_;
    my %fields = %{ $operation{$id}{body}{fields} };
    my %needed = map { $_ => 1 } @{ $operation{$id}{body}{needed} }, @{ $w->{needs} // [] },
        @{ $w->{drop} // [] }, @{ $w->{keep} // [] };
    my $make = sub { $w->{body} ? $w->{body}->() : {} };

    works($id, $w, 'the same without a fault', body => $make->());
    works($id, $w, "$_ null", body => { %{ $make->() }, $_ => undef })
        for grep { !$needed{$_} } sort keys %fields;
    works($id, $w, 'a charset', body => $make->(),
          headers => ['Content-Type' => 'Application/JSON ; charset=UTF-8']);
    my $text = encode_json($make->());
    works($id, $w, 'in chunks', body => [$text =~ /(.{1,5})/gs]);
    $text = encode_json($make->());
    works($id, $w, 'just below the limit', body => $text . ' ' x (LIMIT - length $text));
    $text = encode_json($make->());
    works($id, $w, 'just below the limit, in chunks', body => [$text, (' ' x 16_000) x 16,
          ' ' x (LIMIT - 256_000 - length $text)]);

    if (!%fields) {
        works($id, $w, 'nothing at all, Content-Type ' . ($_ // 'missing'), body => '',
              defined $_ ? (headers => ['Content-Type' => $_]) : (bare => 1)) for @types;
    }

    for my $name (grep { my $s = $fields{$_}; $s->{maxLength} && !$s->{enum} } sort keys %fields) {
        next if $name =~ /^(userId|senderId|emoji|attachmentUrl)$/ || grep { $_ eq $name }
            @{ $w->{drop} // [] };
        my $longest = substr(++$n, 0, 9) . WIDE x ($fields{$name}{maxLength} - length $n);
        works($id, $w, "$name of $fields{$name}{maxLength} characters",
              body => body_with($make->(), $name => encode_json([$longest]) =~ s/^\[|\]$//gr));
    }
}

for my $id (sort { ($a eq 'messageDelete') <=> ($b eq 'messageDelete') || $a cmp $b } @ids) {
    my ($w) = @{ $works{$id} };

    if ($operation{$id}{body}) {
        good_bodies($id, $_) for @{ $works{$id} };
        next;
    }

    works($id, $w, 'the same without a fault');
    works($id, $w, 'a body that nobody reads', body => '{', headers => ['Content-Type' => 'text/plain']);
    works($id, $w, 'an unknown parameter', query => join '&', grep { defined } $w->{query},
          'unknown=%ff&%00=1&=&&a=b=c&page[]=1');
}

my $sum = 0;
$sum += $_ for values %cases;
cmp_ok($sum, '>', 1500, "b17: $sum cases");

finish();
