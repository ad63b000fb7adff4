# Who wrote in the replaced service finds all of it here: every text, id, time, receipt,
# reaction and block; what cannot be taken over is reported, and a second run changes nothing.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Mentara::Test;
use Mojo::Util qw(decode encode url_escape);
use Test::More;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);

my $top = abs_path(dirname(__FILE__) . '/..');
my $db = Mentara::Postgres->new;
my $r;

# --- the old tables, as Prisma makes them

sub sql { $db->query(encode('UTF-8', $_[0])) }
sub old_tables {
    my ($schema, $attachments) = @_;

    sql("create schema $schema") if $schema ne 'public';
    sql(<<"SQL");
create type $schema."ConversationType" as enum ('DIRECT', 'GROUP', 'SESSION', 'SUPPORT');
create type $schema."ParticipantRole" as enum ('MEMBER', 'MODERATOR', 'ADMIN');
create type $schema."MessageType" as enum ('TEXT', 'IMAGE', 'FILE', 'VOICE', 'VIDEO',
    'SYSTEM', 'LOCATION', 'POLL', 'AUDIO');
create table $schema."User" (id text primary key, email text not null,
    "firstName" text not null, "middleName" text, "lastName" text not null,
    "avatarUrl" text, role text not null default 'client',
    "isActive" boolean not null default true,
    "createdAt" timestamp(3) not null default now());
create table $schema."Conversation" (id text primary key,
    type $schema."ConversationType" not null default 'DIRECT', title text,
    "isActive" boolean not null default true, "lastMessageAt" timestamp(3),
    "createdAt" timestamp(3) not null, "updatedAt" timestamp(3) not null);
create table $schema."ConversationParticipant" (id text primary key,
    "conversationId" text not null, "userId" text not null,
    "joinedAt" timestamp(3) not null, "lastReadAt" timestamp(3),
    role $schema."ParticipantRole" not null default 'MEMBER',
    "isActive" boolean not null default true, "isMuted" boolean not null default false,
    unique ("conversationId", "userId"));
create table $schema."Message" (id text primary key, "conversationId" text not null,
    "senderId" text not null, content text not null,
    "messageType" $schema."MessageType" not null default 'TEXT', $attachments,
    "replyToId" text, "isEdited" boolean not null default false,
    "isDeleted" boolean not null default false, "editedAt" timestamp(3),
    "createdAt" timestamp(3) not null, "updatedAt" timestamp(3) not null);
create table $schema."MessageReadReceipt" (id text primary key, "messageId" text not null,
    "userId" text not null, "readAt" timestamp(3) not null, unique ("messageId", "userId"));
create table $schema."MessageReaction" (id text primary key, "messageId" text not null,
    "userId" text not null, emoji text not null, "createdAt" timestamp(3) not null,
    unique ("messageId", "userId", emoji));
create table $schema."TypingIndicator" (id text primary key, "conversationId" text not null,
    "userId" text not null);
create table $schema."UserBlock" (id text primary key, "blockerId" text not null,
    "blockedId" text not null, reason text, "createdAt" timestamp(3) not null,
    unique ("blockerId", "blockedId"));
SQL
}

old_tables('public', '"attachmentUrl" text, "attachmentName" text, "attachmentSize" integer');

my $number = 0;
sub id { sprintf '%08x-1234-4321-8765-%012x', 0x9f000000 - 7919 * ++$number, $number }
sub quoted { defined $_[0] ? "'" . $_[0] =~ s/'/''/gr . "'" : 'null' }
sub old {
    my ($table, %row) = @_;
    $row{id} //= id();
    my $schema = delete $row{schema} // 'public';
    my @names = sort keys %row;
    sql(sprintf 'insert into %s."%s" (%s) values (%s)', $schema, $table,
        join(', ', map { qq("$_") } @names), join(', ', map { quoted($row{$_}) } @names));
    return $row{id};
}

# a time of the old service, as both services write it
sub at { sprintf '2025-03-%02dT%02d:%02d:%02d.%03dZ', 1 + $_[0] / 1440, $_[0] / 60 % 24,
         $_[0] % 60, $_[1] // 0, $_[2] // 0 }
sub old_conversation {
    my ($type, $people, %more) = @_;
    my $parts = delete $more{parts} // {};
    my $c = old('Conversation', type => $type, createdAt => at(0), updatedAt => at(1), %more);
    my $n = 0;
    for my $user (@$people) {
        old('ConversationParticipant', conversationId => $c, userId => $user,
            joinedAt => at(0, $n), role => $n++ ? 'MEMBER' : 'ADMIN', %{ $parts->{$user} // {} });
    }
    return $c;
}
sub old_message {
    my ($c, $who, $minute, $text, %more) = @_;
    return old('Message', conversationId => $c, senderId => $who, content => $text,
               createdAt => at($minute), updatedAt => at($minute), %more);
}
sub old_receipt {
    my ($m, $who, $at) = @_;
    return old('MessageReadReceipt', messageId => $m, userId => $who, readAt => $at);
}
sub old_reaction {
    my ($m, $who, $emoji, $at, %more) = @_;
    return old('MessageReaction', messageId => $m, userId => $who, emoji => $emoji,
               createdAt => $at, %more);
}

sub script {
    my ($file, %set) = @_;
    my @set = map { ('-v', "$_=$set{$_}") } sort keys %set;
    my @command = map { quotemeta } 'psql', '-X', '-d', $db->conninfo, @set, '-f',
        "$top/sql/$file";
    my $out = decode('UTF-8', scalar `@command 2>&1`);
    return { out => $out, ok => $? == 0 };
}

# everything that the new service has
sub state_of {
    my @tables = sql(<<'SQL');
select relname from pg_class where relnamespace = 'messaging'::regnamespace and relkind = 'r'
 order by relname
SQL
    return join "\n", map { my $t = $_->[0];
        "$t " . sql("select md5(coalesce(string_agg(x::text, ',' order by x::text), '')) "
                    . "from messaging.$t x") } @tables;
}

# --- what people had

old('User', id => $_->[0], email => "$_->[0]\@clinic.example", firstName => $_->[1],
    lastName => $_->[2], role => $_->[3], isActive => $_->[4] // 't',
    avatarUrl => $_->[0] eq 'ana' ? 'https://cdn.example/ana.png' : undef)
    for ['ana', 'Anastasia', 'Reyes', 'therapist'], ['ben', 'Ben', 'Okafor', 'therapist'],
        ['mia', 'Mia', 'Santos', 'client'], ['jun', 'Jun', 'Castillo', 'CLIENT'],
        ['rosa', 'Rosa', 'Dela Cruz', 'client'], ['sol', 'Sol', 'Navarro', 'moderator'],
        ['kai', 'Kai', 'Lindqvist', 'admin'], ['xeno', 'Xeno', 'Outsider', 'therapist'],
        ['user_2gone', 'Gia', 'Former', 'client', 'f'];

my $dm = old_conversation('DIRECT', ['mia', 'ana'], lastMessageAt => at(99),
                          parts => { ana => { lastReadAt => at(50, 1), isMuted => 't' } });
my @texts = ("Good morning, 'Ana' \\ \"quoted\" %s \$1", "Zażółć gęślą jaźń \x{1F9E1} \x{202E}x",
             "line one\nline two\ttab\r\n  end ", '<b>&amp;</b>', "e\x{301}tude", ' ',
             "control \x01\x1f\x7f \x{FFFE}");
my @m = map { old_message($dm, $_ % 2 ? 'ana' : 'mia', 10 + $_, $texts[$_]) } 0 .. $#texts;
my $same_a = old_message($dm, 'mia', 30, 'two in the same millisecond', id => 'ffffffff-0000-4000-8000-000000000002');
my $same_b = old_message($dm, 'mia', 30, 'two in the same millisecond, too', id => 'ffffffff-0000-4000-8000-000000000001');
my $long = old_message($dm, 'mia', 31, 'wörter ' x 5000);
my $edited = old_message($dm, 'ana', 32, 'the edited wording', isEdited => 't',
                         editedAt => at(33, 4, 567), updatedAt => at(33, 4, 567));
my $deleted = old_message($dm, 'mia', 34, 'what Mia took back', isDeleted => 't',
                          updatedAt => at(35), attachmentUrl => 'https://cdn.example/secret.png');
my $reply = old_message($dm, 'ana', 36, 'an answer', replyToId => $m[0]);
my $reply_gone = old_message($dm, 'ana', 37, 'an answer to what is gone', replyToId => $deleted);
my $file = old_message($dm, 'ana', 38, 'the plan', messageType => 'FILE',
                       attachmentUrl => '/files/the plan.pdf', attachmentName => 'the plan.pdf',
                       attachmentSize => 123456);
my $bad_link = old_message($dm, 'ana', 39, 'click here', attachmentUrl => 'javascript:alert(1)',
                           attachmentName => 'x');
my $voice = old_message($dm, 'mia', 40, '', messageType => 'AUDIO',
                        attachmentUrl => 'https://cdn.example/v.ogg');
my $system = old_message($dm, 'ana', 41, 'Session started', messageType => 'SYSTEM');
my @unread = map { old_message($dm, 'mia', 60 + $_, "not read yet $_") } 1 .. 3;
old_message($dm, 'ana', 70, 'one of Ana herself');

my @of_mia = ($m[0], $m[2], $m[4], $m[6], $same_b, $same_a, $long, $deleted, $voice);
old_receipt($of_mia[$_], 'ana', at(45, $_, 111)) for 0 .. 4;
old_receipt($of_mia[$_], 'ana', at(50, 0, 222)) for 5 .. $#of_mia;
old_receipt($m[1], 'ana', at(45));                      # one's own
old_receipt(id(), 'ana', at(45));                       # of no message
my $thumb = old_reaction($m[0], 'ana', "\x{1F44D}", at(46, 0, 789));
old_reaction($m[0], 'mia', "\x{2764}", at(47));         # without U+FE0F
my $twin = old_reaction($m[0], 'mia', "\x{2764}\x{FE0F}", at(48));
old_reaction($m[0], 'mia', ':thumbsup:', at(48));
old_reaction($m[0], 'jun', $_, at(48)) for '5', 'aa', "\x{1F44D}\x{1F44D}", "\x{1F3FB}", "\x{2192}";
old_reaction($deleted, 'ana', "\x{1F44D}", at(48));
my $removed = old_reaction($m[2], 'ana', "\x{1F44F}", at(48));

# a pair that has three DIRECTs, one that was left alone, one with an intruder
my @pair = map { old_conversation('DIRECT', ['jun', 'ana'], createdAt => at($_)) } 1 .. 3;
$pair[3] = old_conversation('DIRECT', ['ana', 'jun'], isActive => 'f', createdAt => at(9));
old_message($pair[$_], 'jun', 100 - $_, "in thread $_ of one pair") for 0 .. 3;
my $alone = old_conversation('DIRECT', ['rosa']);
old_message($alone, 'user_ghost', 100, 'from an account that is gone');
my $three = old_conversation('DIRECT', ['rosa', 'ben', 'xeno']);
my $rid = old_conversation('DIRECT', ['rosa', 'sol', 'xeno'], parts => { xeno => { isActive => 'f' } });
my $in_three = old_message($three, 'rosa', 100, 'what only Ben should know');

my $group = old_conversation('GROUP', ['ana', 'mia', 'jun', 'rosa'], title => 'G' x 250,
    parts => { jun => { role => 'MODERATOR' }, rosa => { isActive => 'f' } });
my @g = map { old_message($group, 'ana', 200 + $_, "to the group $_") } 0 .. 9;
old_receipt($g[$_], 'mia', at(300)) for 0 .. 5;
old_receipt($g[$_], 'jun', at(301)) for 2, 7;           # holes
old_receipt($g[3], 'rosa', at(301));
old_message($group, 'ana', 215, 'Jun joined', messageType => 'SYSTEM');
my $forged = old_message($group, 'mia', 216, 'Ana ended the session', messageType => 'SYSTEM');
my $elsewhere = old_message($group, 'mia', 220, 'quotes a foreign thread', replyToId => $m[0]);
my $empty_group = old_conversation('GROUP', ['ben', 'rosa'], title => '', lastMessageAt => at(77));
my $session = old_conversation('SESSION', ['mia', 'ana']);
my $support = old_conversation('SUPPORT', ['rosa', 'kai', 'sol']);
my $waiting = old_conversation('SUPPORT', ['jun']);
old_message($waiting, 'jun', 300, 'I need help with my account');

# what no schema of the new service can take
my $no_uuid = old('Conversation', id => 'cm123', type => 'GROUP', createdAt => at(0), updatedAt => at(0));
old('ConversationParticipant', conversationId => $no_uuid, userId => 'mia', joinedAt => at(0));
old_message($no_uuid, 'mia', 1, 'lost with its conversation');
old_message($dm, 'mia', 1, 'a message with an id of another make', id => 'clx0001');
old_message(id(), 'mia', 1, 'an orphan');

old('UserBlock', blockerId => 'rosa', blockedId => 'xeno', reason => 'writes at night',
    createdAt => at(400, 1, 2));
old('UserBlock', blockerId => 'jun', blockedId => 'jun', createdAt => at(400));
old('UserBlock', blockerId => 'ben', blockedId => 'xeno', reason => 'y' x 600, createdAt => at(400));
my $closed_dm = old_conversation('DIRECT', ['rosa', 'kai'], parts => { kai => { lastReadAt => at(500) } });
my @blocked = map { old_message($closed_dm, 'rosa', 410 + $_, "around a block $_") } 0, 1;
old_receipt($blocked[0], 'kai', at(420));
old_receipt($blocked[1], 'kai', at(500));
old('UserBlock', blockerId => 'kai', blockedId => 'rosa', createdAt => at(450));

# --- what the operator sees first

$r = script('import_prisma.sql', old => 'elsewhere');
ok(!$r->{ok}, 'a schema without the old tables is refused');
like($r->{out}, qr/there is no table elsewhere\."Message"/, 'which says what is missing');
sql('alter table public."Message" rename column "replyToId" to "replyTo"');
$r = script('import_prisma.sql');
like($r->{out}, qr/public\."Message" lacks "replyToId"/, 'likewise a missing column');
sql('alter table public."Message" rename column "replyTo" to "replyToId"');

sql("alter database mentara set timezone to 'Asia/Manila'");
my $before = state_of();
$r = script('directory_prisma.sql', old => 'elsewhere');
like($r->{out}, qr/there is no table "User"/, 'and a missing table of users');
$r = script('import_prisma.sql', rehearsal => 'on');
ok($r->{ok}, 'a rehearsal goes through') or diag $r->{out};
like($r->{out}, qr/rehearsal: nothing was changed/, 'and says what it was');
is(state_of(), $before, 'it leaves everything as it was');

$r = script('directory_prisma.sql');
ok($r->{ok}, 'the table of users is plugged in') or diag $r->{out};
$r = script('import_prisma.sql');
ok($r->{ok}, 'the import goes through') or diag $r->{out};
diag $r->{out} if $ENV{MENTARA_SHOW};

my %report = map { ("$_->[0] $_->[1]" => $_->[2]) } sql(
    'select source, code, count(*) from messaging.import_report group by 1, 2');
my %expected = (
    'Conversation id' => 1, 'ConversationParticipant conversation' => 1,
    'Message conversation' => 2, 'Message id' => 1,
    'MessageReadReceipt own_message' => 1, 'MessageReadReceipt message' => 1,
    'MessageReaction emoji' => 6, 'MessageReaction twice' => 1,
    'MessageReaction message_deleted' => 1, 'UserBlock oneself' => 1,
    'UserBlock reason_cut' => 1, 'Conversation direct_twice' => 2,
    'Conversation direct_closed' => 1, 'Conversation direct_alone' => 1,
    'Conversation direct_of_many' => 1, 'Conversation title_cut' => 1,
    'ConversationParticipant role' => 14, 'ConversationParticipant unread_below_mark' => 2,
    'Message reply_elsewhere' => 1, 'Message attachment_unsafe' => 1,
    'Message attachment_deleted' => 1);
is_deeply(\%report, \%expected, 'every row that could not be taken as it was is reported');
like($r->{out}, qr/\b\Q$_\E\b/, "the operator is shown $_")
    for qw(direct_of_many unread_below_mark attachment_unsafe own_message);
is(sql("select old_row ->> 'content' from messaging.import_report where code = 'id' and "
       . "source = 'Message'"), 'a message with an id of another make', 'with the whole old row');
is(sql('select count(*) from public."Message"'),
   sql('select count(*) from messaging.messages')
   + sql("select count(*) from messaging.import_report where source = 'Message' "
         . "and outcome = 'refused'"), 'no message is in neither place');

# --- what people see

server(db => $db, workers => 2, directives => 'mentara_attachment_url /files/;');

sub page { call($_[0], GET => "/conversations/$_[1]/messages?limit=100")->{json} }
sub message { call($_[0], GET => "/messages/$_[1]")->{json} }
sub unread { call($_[0], GET => "/conversations/$_[1]")->{json}{_count}{messages} }

my $page = page('ana', $dm);
my @rows = sql(<<"SQL");
select id, "senderId", to_char("createdAt", 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       to_char("updatedAt", 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       to_char("editedAt", 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       case when "isDeleted" then '' else encode(convert_to(content, 'UTF8'), 'hex') end
  from public."Message" where "conversationId" = '$dm' and id like '%-%'
 order by "createdAt", id
SQL
is_deeply([map { [@$_{qw(id senderId createdAt updatedAt)}, $_->{editedAt} // '',
                  unpack 'H*', encode('UTF-8', $_->{content})] } @$page],
          \@rows, 'b54: every message is there with its id, sender, times and text, in order');
is_deeply([map { $_->{seq} } @$page], [1 .. @rows], 'b54: numbered without holes');
is($page->[0]{content}, $texts[0], 'the first text is the one that Mia wrote');
is($page->[0]{sender}{firstName}, 'Mia', 'by the name in the old table of users');
is(call('ana', GET => '/me')->{json}{firstName}, 'Anastasia', 'b71: as everybody else\'s');
is(message('mia', $edited)->{editedAt}, at(33, 4, 567), 'an edited message says when');
ok(message('mia', $edited)->{isEdited}, 'and that');
is(message('ana', $reply)->{replyTo}{content}, $texts[0], 'an answer carries its quote');

$r = message('ana', $deleted);
ok($r->{isDeleted} && $r->{content} eq '' && !defined $r->{attachmentUrl},
   'b10: what was deleted shows no text and no attachment');
is(message('mia', $reply_gone)->{replyTo}{content}, '', 'b10: nor does a quote of it');
is_deeply(call('mia', POST => '/search', { query => 'took back' })->{json}, [],
          'b10: and no search finds it');
is(call('kai', GET => "/messages/$deleted/revisions")->{json}[0]{content}, 'what Mia took back',
   'only an auditor can read it');

$r = message('mia', $file);
is_deeply([@$r{qw(messageType attachmentUrl attachmentName attachmentSize)}],
          ['FILE', '/files/the plan.pdf', 'the plan.pdf', 123456], 'a file is there');
$r = message('mia', $bad_link);
is_deeply([@$r{qw(content attachmentUrl)}], ['click here', undef],
          'b25: a link that runs a script is not, its text is');
is(message('ana', $voice)->{messageType}, 'VOICE', 'AUDIO is a voice message');
is(call('ana', POST => '/search', { query => 'zazolc jazn' })->{json}[0]{id}, $m[1],
   'b31: old texts are found');
is(call('mia', POST => '/search', { query => 'wort' })->{json}[0]{id}, $long, 'long ones too');

# receipts
my %read = map { ($_->{id} => [map { [$_->{userId}, $_->{readAt}] } @{ $_->{readReceipts} }]) } @$page;
is_deeply($read{ $of_mia[$_] }, [['ana', at(45, $_, 111)]], "b11: receipt $_ keeps its time") for 0 .. 4;
is_deeply($read{ $of_mia[$_] }, [['ana', at(50, 0, 222)]], "b11: receipt $_ keeps its time")
    for 5 .. $#of_mia;
is_deeply($read{ $m[1] }, [], 'nobody has a receipt for an own message');
is_deeply($read{$_}, [], 'what was not read has none') for @unread;
sub old_unread {
    my ($who, $c) = @_;
    return sql(<<"SQL");
select count(*) from public."Message" m
 where m."conversationId" = '$c' and m.id like '%-%' and m."senderId" <> '$who'
   and not m."isDeleted" and m."messageType" <> 'SYSTEM' and not exists (
    select from public."MessageReadReceipt" r where r."messageId" = m.id and r."userId" = '$who')
SQL
}
is(unread(@$_), old_unread(@$_), "b11: $_->[0] has as many unread as before")
    for ['ana', $dm], ['mia', $group], ['ana', $group], ['ana', $pair[0]], ['jun', $waiting];
is(unread('mia', $group), 4, 'b11: which are the four after the sixth');
is(unread('jun', $group), 3, 'b48: who skipped some has those after the last one read');
is_deeply([map { [map { $_->{readAt} } grep { $_->{userId} eq 'jun' } @{ $_->{readReceipts} }] }
           @{ page('ana', $group) }[0 .. 9]],
          [[], [], [at(301)], [], [], [], [], [at(301)], [], []],
          'and receipts for what was read alone');
is_deeply([map { $_->{userId} } @{ message('ana', $g[3])->{readReceipts} }], ['mia', 'rosa'],
          'b30: who has left keeps the receipts');
is(call('mia', GET => "/conversations/$dm")->{json}{participants}[0]{lastReadAt}, at(50, 1),
   'lastReadAt is as it was');

# reactions
is_deeply([map { [@$_{qw(userId emoji createdAt)}] } @{ message('ana', $m[0])->{reactions} }],
          [['ana', "\x{1F44D}", at(46, 0, 789)], ['mia', "\x{2764}\x{FE0F}", at(47)]],
          'b12: reactions are there with their times');
is(message('ana', $m[0])->{reactions}[0]{id}, $thumb, 'b12: and ids');
is(call('ana', DELETE => "/messages/$m[2]/reactions/" . url_escape(encode('UTF-8', "\x{1F44F}")))
   ->{code}, 204, 'b12: one is taken back');

# conversations
$r = call('mia', GET => "/conversations/$dm")->{json};
is_deeply([map { $_->{role} } @{ $r->{participants} }], ['MEMBER', 'MEMBER'],
          'b7: no patient is ADMIN over the therapist');
is($r->{createdAt}, at(0), 'a conversation keeps its time');
ok(!$r->{participants}[0]{isMuted}, 'that Ana muted it is not shown to Mia');
ok((grep { $_->{userId} eq 'ana' } @{ call('ana', GET => "/conversations/$dm")->{json}{participants} })
   [0]{isMuted}, 'but to her');
is(direct('mia', 'ana'), $dm, 'b3: opening the chat again finds the old one');
is(direct('ana', 'jun'), $pair[0], 'b3: of several of one pair the one used last');
is(call('jun', POST => "/conversations/$pair[1]/messages", { content => 'in the old thread' })
   ->{json}{code}, 'conversation_closed', 'the others are closed');
is(page('jun', $pair[1])->[0]{content}, 'in thread 1 of one pair', 'and can be read');
isnt(direct('ben', 'rosa'), $three, 'c15: nobody is brought into a thread of others');
is(call('rosa', POST => "/conversations/$three/messages", { content => 'to three people' })
   ->{json}{code}, 'conversation_closed', 'c16: where a third one was brought in, nobody writes');
is(direct('sol', 'rosa'), $rid, 'c16: where the third one was sent off before, the two go on');
is(call('xeno', GET => "/conversations/$rid/messages")->{code}, 403, 'c16: without the third');
is(page('rosa', $alone)->[0]{sender}{firstName}, '', 'who is gone has no name, the words stay');
is(call('rosa', GET => "/conversations/$group/messages")->{code}, 403, 'who had left stays out');
is(length call('mia', GET => "/conversations/$group")->{json}{title}, 200, 'a title is cut');
is(call('ben', GET => "/conversations/$empty_group")->{json}{title}, undef, 'an empty one is none');
is(call('ana', PATCH => "/conversations/$session", { title => 'Our session' })->{code}, 200,
   'b5: in a session the therapist is ADMIN');
is(call('mia', PATCH => "/conversations/$session", { title => 'Mine' })->{code}, 403,
   'b5: the patient is not');
is_deeply([map { $_->{id} } @{ call('sol', GET => '/support?status=unclaimed')->{json} }], [$waiting],
          'b6: who waits for support still waits, who has it does not');
is(call('sol', POST => "/conversations/$waiting/claim")->{code}, 200, 'b6: and is helped');
is(page('sol', $waiting)->[0]{content}, 'I need help with my account', 'b6: with what was said');
is(call('xeno', GET => "/conversations/$dm/messages")->{code}, 403, 'b67: a stranger sees nothing');
is(call('user_2gone', GET => '/conversations')->{json}{code}, 'user_inactive',
   'b71: who is not active in the old table is not let in');
my @list = map { $_->{id} } @{ call('ana', GET => '/conversations?limit=100')->{json} };
is_deeply([grep { $_ eq $dm || $_ eq $group || $_ eq $pair[3] } @list], [$group, $pair[3], $dm],
          'b23: the list is by the newest message');

# blocks
$r = call('rosa', GET => '/block')->{json};
is_deeply([@{ $r->[0] }{qw(userId reason createdAt)}], ['xeno', 'writes at night', at(400, 1, 2)],
          'b30: a block has its reason and time');
is(call('kai', POST => "/conversations/$closed_dm/messages", { content => 'through the block' })
   ->{json}{code}, 'cannot_contact', 'b42: blocks hold at once');
is_deeply([map { scalar @{ $_->{readReceipts} } } @{ page('rosa', $closed_dm) }], [1, 0],
          'b42: what was read under a block is not shown');
is(call('rosa', GET => "/conversations/$closed_dm")->{json}{participants}[0]{lastReadAt}, at(420),
   'b42: nor when');
is(call('rosa', DELETE => '/block/xeno')->{code}, 204, 'b30: a block is lifted');

# --- life goes on

is(call('mia', $_->[0], "/messages/$forged$_->[1]", $_->[2])->{json}{code}, 'system_message',
   "b8: nobody may $_->[3] an old system line")
    for ['DELETE', '', undef, 'delete'], ['PUT', '', { content => 'x y' }, 'edit'],
        ['POST', '/reactions', { emoji => "\x{1F44D}" }, 'react to'];

my $next = said('mia', $dm, 'the first message sent by the new service');
is($next->{seq}, @rows + 1, 'b25: a new message has the next number');
is(call('ana', PUT => "/messages/$edited", { content => 'edited in the new service' })->{code}, 200,
   'an old one can be edited');
is(call('mia', DELETE => "/messages/$m[4]")->{code}, 204, 'or deleted');
is(call('ana', POST => "/messages/$next->{id}/read")->{code}, 200, 'and read');
is(unread('ana', $dm), 0, 'b28: nothing is unread then');
is_deeply([map { [map { $_->{readAt} } @{ $_->{readReceipts} }] } grep { $_->{id} eq $of_mia[0] }
           @{ page('mia', $dm) }], [[at(45, 0, 111)]], 'b11: the first reading keeps its time');
is(call('jun', DELETE => "/conversations/$group/participants/jun")->{code}, 204, 'somebody leaves');
is(call('ana', POST => "/conversations/$group/participants", { userId => 'jun' })->{code}, 201,
   'and comes back');

# --- the same again

my $after = state_of();
$r = script('import_prisma.sql');
ok($r->{ok}, 'b54: a second run goes through') or diag $r->{out};
is(state_of(), $after, 'b54: and changes nothing at all');
is(message('mia', $edited)->{content}, 'edited in the new service', 'an edit is not overwritten');
ok(message('mia', $m[4])->{isDeleted}, 'what was deleted stays deleted');
is_deeply(message('mia', $m[2])->{reactions}, [], 'a reaction that was taken back stays away');
is(scalar @{ call('rosa', GET => '/block')->{json} }, 0, 'a block that was lifted, too');

# --- and with what the old service got meanwhile

sql(qq(update public."Message" set content = 'too late', "updatedAt" = '@{[ at(600) ]}'
        where id = '$edited'));
sql(qq(update public."Message" set content = 'later still', "updatedAt" = '2099-01-01'
        where id = '$m[4]'));
sql(qq(update public."Message" set content = 'corrected in the old one', "isEdited" = true,
        "editedAt" = '@{[ at(600) ]}', "updatedAt" = '@{[ at(600) ]}' where id = '$m[6]'));
sql(qq(update public."Message" set "isDeleted" = true, "updatedAt" = '@{[ at(601) ]}'
        where id = '$unread[1]'));
my $late = old_message($dm, 'mia', 80, 'sent by the old service meanwhile', replyToId => $unread[0]);
old_receipt($late, 'ana', at(602));
old_receipt($unread[0], 'ana', at(602));
old_receipt($g[6], 'mia', at(603));
my $late_reaction = old_reaction($same_a, 'ana', "\x{1F44D}", at(604));
my $late_dm = old_conversation('DIRECT', ['xeno', 'ben'], createdAt => at(605));
old_message($late_dm, 'xeno', 606, 'a conversation of the last minute');
old('ConversationParticipant', conversationId => $group, userId => 'xeno', joinedAt => at(607));
old('ConversationParticipant', conversationId => $session, userId => 'rosa', joinedAt => at(607),
    isActive => 'f');
my $group_events = sql("select event_seq from messaging.conversations where id = '$group'");

# whoever is away meanwhile has a place in the event log
my $floor = sql('select pg_snapshot_xmin(pg_current_snapshot())');
sub missed {
    my ($user) = @_;
    return [map { "$_->[0] $_->[1]" } sql(<<"SQL")];
select e.type, coalesce(e.ref_id, e.conversation_id)
  from messaging.attach('$user', '$floor', '{}', '{}', 500) e where e.kind = 'e'
SQL
}
$r = script('import_prisma.sql');
ok($r->{ok}, 'b54: a later run goes through') or diag $r->{out};
diag $r->{out} if $ENV{MENTARA_SHOW};
$page = page('ana', $dm);
is_deeply([map { $_->{seq} } @$page], [1 .. @rows + 2], 'what was added comes after what is there');
is($page->[-1]{id}, $late, 'by its id');
is($page->[-1]{createdAt}, at(80), 'with its time');
is($page->[-1]{replyTo}{id}, $unread[0], 'and what it answers');
is(message('mia', $late)->{readReceipts}[0]{readAt}, at(602), 'and its receipt');
is(message('mia', $edited)->{content}, 'edited in the new service',
   'what was changed here is not overwritten');
ok(message('mia', $m[4])->{isDeleted}, 'also when the old one was changed later');
is(sql("select old_id from messaging.import_report where code = 'changed_in_both'"), $m[4],
   'which is reported');
is(message('mia', $m[6])->{content}, 'corrected in the old one',
   'what was changed in the old service alone is taken over');
ok(message('mia', $unread[1])->{isDeleted}, 'a deletion as well');
is(message('mia', $same_a)->{reactions}[0]{id}, $late_reaction, 'and a reaction');
is(unread('mia', $group), 3, 'b11: and what was read in a group');
is(page('ben', $late_dm)->[0]{content}, 'a conversation of the last minute',
   'and a conversation');
is(scalar @{ page('xeno', $group) }, scalar @{ page('ana', $group) }, 'and a participant, who sees all');

my @events = sql(<<"SQL");
select kind, coalesce(array_to_string(subjects, ','), actor) from messaging.events
 where conversation_id = '$group' and event_seq > $group_events order by event_seq
SQL
is_deeply(\@events, [['conversation_created', 'xeno'], ['participant_added', 'xeno'],
                     ['message_read', 'mia']], 'whoever is connected is told');
is(sql(<<'SQL'), 0, 'events are numbered without holes, up to what the conversation says');
select count(*) from messaging.conversations c
 where c.event_seq <> (select count(*) from messaging.events e where e.conversation_id = c.id)
    or c.event_seq <> (select coalesce(max(e.event_seq), 0) from messaging.events e
                        where e.conversation_id = c.id)
    or c.last_event_xid is distinct from (select e.xid from messaging.events e
        where e.conversation_id = c.id order by e.event_seq desc limit 1)
SQL
is(sql(<<'SQL'), 0, 'who is in a conversation has one open interval, who is not has none');
select count(*) from messaging.participants p
 where p.is_active::integer <> (select count(*) from messaging.memberships s
    where s.conversation_id = p.conversation_id and s.user_id = p.user_id
      and s.left_event_seq is null)
SQL
is(sql(<<'SQL'), 0, 'and joined by an event that names them');
select count(*) from messaging.memberships s
 where not exists (select from messaging.events e
    where e.conversation_id = s.conversation_id and e.event_seq = s.joined_event_seq
      and (e.action = 'join' and s.user_id = any (e.subjects) or e.kind like 'user\_%'
           or e.kind = 'conversation_updated'))
SQL

is_deeply([sort @{ missed('ana') }],
          [sort "message_read $g[6]", "conversation_created $group", "participant_added $group",
           "new_message $late", "message_updated $m[6]", "message_updated $unread[1]",
           "message_read $late", "message_reaction $same_a"],
          'b40: who was away is brought what was added, once');
my ($in_late_dm) = map { $_->{id} } @{ page('ben', $late_dm) };
is_deeply(missed('ben'), ["conversation_created $late_dm", "new_message $in_late_dm"],
          'b40: and a conversation begins with its newest message');
is_deeply(missed('rosa'), [], 'b40: who is not concerned, nothing');

my $final = state_of();
script('import_prisma.sql');
is(state_of(), $final, 'b54: once more, nothing changes');

# --- every emoji, as a phone may have sent it; and the later form of the tables

old_tables('later', '"attachmentUrls" text[] default \'{}\', "attachmentNames" text[] '
           . 'default \'{}\', "attachmentSizes" integer[] default \'{}\'');
my $many = old('Conversation', schema => 'later', type => 'GROUP', createdAt => at(0),
               updatedAt => at(0));
old('ConversationParticipant', schema => 'later', conversationId => $many, userId => 'mia',
    joinedAt => at(0), role => 'ADMIN', id => 'p1');
my %attached = (schema => 'later', conversationId => $many, senderId => 'mia', updatedAt => at(1));
my $two_files = old('Message', %attached, content => 'two files', createdAt => at(1),
    attachmentUrls => '{https://cdn.example/1.png,https://cdn.example/2.png}',
    attachmentNames => '{1.png,2.png}', attachmentSizes => '{11,22}');
my $no_file = old('Message', %attached, content => 'no file', createdAt => at(2));
sql(<<"SQL");
insert into later."Message" (id, "conversationId", "senderId", content, "createdAt", "updatedAt")
select gen_random_uuid(), '$many', 'mia', string_agg(n::text, ' '), '@{[ at(3) ]}', '@{[ at(3) ]}'
  from generate_series(1, 400000) n
SQL
open my $fh, '<', "$top/src/codec/mentara_emoji_data.c" or die;
my @emoji = map { /^    "(.*)",$/ ? decode('UTF-8', $1 =~ s/\\(\d{3})/chr oct $1/ger) : () } <$fh>;
my $n = 0;
my @left = map { s/\x{FE0F}//gr } @emoji;
while (my @some = splice @left, 0, 1000) {
    sql('insert into later."MessageReaction" values '
        . join ', ', map { sprintf "('%s', '%s', 'mia', '%s', now())", 'e' . ++$n, $no_file, $_ }
        @some);
}
sql(<<"SQL");
create table later.copy as select * from public."User";
drop table later."User";
alter table later.copy rename to "User"
SQL
$r = script('import_prisma.sql', old => 'later');
ok($r->{ok}, 'the tables of the later version are taken over') or diag $r->{out};
is_deeply([sort map { decode('UTF-8', $_->[0]) } sql(
    "select emoji from messaging.reactions where message_id = '$no_file'")], [sort @emoji],
    'b12: every emoji is there, in the form that the new service knows');
$r = message('mia', $two_files);
is_deeply([@$r{qw(attachmentUrl attachmentName attachmentSize)}],
          ['https://cdn.example/1.png', '1.png', 11], 'the first of several attachments is there');
is(sql("select old_row -> 'attachmentUrls' ->> 1 from messaging.import_report "
       . "where code = 'attachment_more'"), 'https://cdn.example/2.png', 'the second is reported');
like(page('mia', $many)->[2]{content}, qr/^1 2 3 /, 'a text too long to be searched is there, cut');
is(sql("select length(old_row ->> 'content') from messaging.import_report "
       . "where code = 'content_cut'"), 2_688_894, 'and reported whole');

# --- back to a directory of one's own

sql(q{update later."User" set "firstName" = 'Amihan' where id = 'mia'});
$r = script('directory_prisma.sql', old => 'later', copy => 'on');
ok($r->{ok}, 'the table of users is copied') or diag $r->{out};
sql('drop table later."User"');
is(sql("select first_name from messaging.people where id = 'mia'"), 'Amihan', 'as it was');
sql("update messaging.people set first_name = 'Ana' where id = 'ana'");

script('directory_prisma.sql');
$r = script('directory_prisma.sql', old => '');
ok($r->{ok}, 'the table of users is unplugged') or diag $r->{out};
ok((nginx()->wait_for(sub { call('ana', GET => '/me')->{json}{firstName} eq 'Ana' }, 'names')),
   'and names come from the own one again');

finish();
