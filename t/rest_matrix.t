# Who may do what, printed and executed cell by cell.  b7: every operation by every
# role in a conversation and every account role; b67: every operation by who is
# not, or no longer, in the conversation; b73: what an account role gives.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Mentara::OpenApi;
use Mentara::Test;
use Mojo::Util qw(encode url_escape);
use Test::More;

use constant UNKNOWN => '00000000-0000-7000-8000-000000000000';
use constant THUMB => '%F0%9F%91%8D';

my $api = Mentara::OpenApi->new;
my %operation = map { $_->{id} => $_ } $api->operations;
my %covered;

server(workers => 2, directives => 'mentara_attachment_url /files/;');
db->query(<<'SQL');
insert into messaging.people (id, first_name, last_name, role, is_active) values
    ('neo', 'Neo', 'Newcomer', 'therapist', true), ('kim', 'Kim', 'Second', 'admin', true),
    ('ina', 'Ina', 'Gone', 'client', false)
SQL

my %account = (client => 'mia', therapist => 'ana', moderator => 'sol', admin => 'kai');
my @accounts = qw(client therapist moderator admin);

# do_it(user, operation, {id, userId, emoji, body, query})
sub do_it {
    my ($user, $id, $o) = @_;
    my $path = $operation{$id}{path} =~ s/\{(\w+)\}/$o->{$1}/gr;

    $covered{$id} = 1;
    $path .= "?$o->{query}" if $o->{query};

    return call($user, $operation{$id}{method}, $path, $o->{body});
}

# "403 system_message" names the code; 403 alone is forbidden
my %usual = (400 => 'validation_failed', 403 => 'forbidden', 404 => 'not_found',
             409 => 'direct_conversation');
sub cell {
    my ($r, $expected, $name) = @_;
    my ($status, $code) = split ' ', $expected;

    $code //= $usual{$status};
    is(join(' ', $r->{code}, $r->{code} >= 400 ? $r->{json}{code} : ()),
       join(' ', $status, $status >= 400 ? $code : ()), $name) or diag($r->{body});
}

sub table {
    my ($title, $columns, @rows) = @_;

    note $title;
    note sprintf '  %-18s %-34s' . ' %-9s' x @$columns, 'operation', 'what', @$columns;
    note sprintf '  %-18s %-34s' . ' %-9s' x @$columns, @$_ for @rows;
}

# --- b7: the roles of a conversation.  ben is ADMIN, tess MODERATOR, xeno MEMBER;
# jun has left; the actor is each account in each role

my @roles = qw(MEMBER MODERATOR ADMIN LEFT STRANGER);
my $n = 0;

sub circle {
    my ($actor, $role) = @_;
    my $g = { id => group('ben', 'tess', 'xeno', 'jun', $role eq 'STRANGER' ? () : $actor) };
    my $c = "/conversations/$g->{id}";

    $g->{$_} = said($_, $g->{id}, "the words of $_ in circle " . ++$n)->{id} for qw(ben tess xeno jun);
    $g->{own} = $role eq 'STRANGER' ? $g->{ben}
        : said($actor, $g->{id}, 'the words of the actor ' . ++$n)->{id};
    call('ben', PATCH => "$c/participants/tess", { role => 'MODERATOR' });
    call('jun', DELETE => "$c/participants/jun");
    call('ben', PATCH => "$c/participants/$actor", { role => $role })
        if $role =~ /^(MODERATOR|ADMIN)$/;
    call($actor, DELETE => "$c/participants/$actor") if $role eq 'LEFT';
    ($g->{system}) = map { $_->{id} } grep { $_->{system} }
        @{ call('ben', GET => "$c/messages")->{json} };
    $g->{by} = $actor;

    return $g;
}

# operation, what, [MEMBER, MODERATOR, ADMIN], what is asked of the circle
my @group_rows = (
    [conversationGet => 'read it', [200, 200, 200], sub { {} }],
    [messagePage => 'read', [200, 200, 200], sub { {} }],
    [messageGet => 'read one', [200, 200, 200], sub { { id => $_[0]{ben} } }],
    [accessList => 'see who has read', [200, 200, 200], sub { {} }],
    [messageRead => 'mark as read', [200, 200, 200], sub { { id => $_[0]{ben} } }],
    [messageReadBatch => 'mark several', [200, 200, 200],
     sub { { body => { messageIds => [$_[0]{ben}, $_[0]{own}] } } }],
    [messageSend => 'send', [201, 201, 201], sub { { body => { content => 'a word ' . ++$n } } }],
    [messageSend => 'send SYSTEM', [('403 system_message') x 3],
     sub { { body => { content => 'a word', messageType => 'SYSTEM' } } }],
    [messageEdit => 'edit own', [200, 200, 200],
     sub { { id => $_[0]{own}, body => { content => 'an edit ' . ++$n } } }],
    [messageEdit => "edit a member's", [403, 403, 403],
     sub { { id => $_[0]{xeno}, body => { content => 'an edit' } } }],
    [messageEdit => "edit an admin's", [403, 403, 403],
     sub { { id => $_[0]{ben}, body => { content => 'an edit' } } }],
    [messageEdit => 'edit a system line', [('403 system_message') x 3],
     sub { { id => $_[0]{system}, body => { content => 'an edit' } } }],
    [messageDelete => 'delete own', [204, 204, 204], sub { { id => $_[0]{own} } }],
    [messageDelete => "delete a member's", [403, 204, 204], sub { { id => $_[0]{xeno} } }],
    [messageDelete => "delete a moderator's", [403, 403, 204], sub { { id => $_[0]{tess} } }],
    [messageDelete => "delete an admin's", [403, 403, 403], sub { { id => $_[0]{ben} } }],
    [messageDelete => 'delete of who has left', [403, 204, 204], sub { { id => $_[0]{jun} } }],
    [messageDelete => 'delete a system line', [('403 system_message') x 3],
     sub { { id => $_[0]{system} } }],
    [messageRevisions => 'earlier texts', [403, 403, 403], sub { { id => $_[0]{ben} } }, 200],
    [reactionAdd => 'react', [201, 201, 201],
     sub { { id => $_[0]{ben}, body => { emoji => "\x{1F44D}" } } }],
    [reactionAdd => 'react to a system line', [('403 system_message') x 3],
     sub { { id => $_[0]{system}, body => { emoji => "\x{1F44D}" } } }],
    [reactionRemove => 'take a reaction away', [204, 204, 204],
     sub { { id => $_[0]{ben}, emoji => THUMB } }],
    [conversationUpdate => 'mute, archive', [200, 200, 200],
     sub { { body => { isMuted => \1, isArchived => \1 } } }],
    [conversationUpdate => 'rename', [403, 200, 200], sub { { body => { title => 'Title ' . ++$n } } }],
    [conversationUpdate => 'clear the title', [403, 200, 200], sub { { body => { title => undef } } }],
    [conversationUpdate => 'mute and rename', [403, 200, 200],
     sub { { body => { title => 'Title ' . ++$n, isMuted => \1 } } }],
    [conversationUpdate => 'close', [403, 403, 200], sub { { body => { isActive => \0 } } }],
    [conversationUpdate => 'reopen', [403, 403, 200], sub { { body => { isActive => \1 } } }],
    [conversationUpdate => 'rename and close', [403, 403, 200],
     sub { { body => { title => 'Title ' . ++$n, isActive => \0 } } }],
    (map { my $role = $_; [participantAdd => "add as $role", $role eq 'ADMIN' ? [403, 403, 201]
            : [403, 201, 201], sub { { body => { userId => 'neo', role => $role } } }] }
         qw(MEMBER MODERATOR ADMIN)),
    [participantAdd => 'add who is in', [403, 200, 200], sub { { body => { userId => 'xeno' } } }],
    [participantAdd => 'add nobody', [403, 400, 400], sub { { body => { userId => 'nobody' } } }],
    [participantUpdate => 'MEMBER to MODERATOR', [403, 403, 200],
     sub { { userId => 'xeno', body => { role => 'MODERATOR' } } }],
    [participantUpdate => 'MEMBER to ADMIN', [403, 403, 200],
     sub { { userId => 'xeno', body => { role => 'ADMIN' } } }],
    [participantUpdate => 'MODERATOR to MEMBER', [403, 403, 200],
     sub { { userId => 'tess', body => { role => 'MEMBER' } } }],
    [participantUpdate => 'ADMIN to MEMBER', [403, 403, 200],
     sub { { userId => 'ben', body => { role => 'MEMBER' } } }],
    [participantUpdate => 'oneself to ADMIN', [403, 403, 200],
     sub { { userId => $_[0]{by}, body => { role => 'ADMIN' } } }],
    [participantUpdate => 'oneself to MEMBER', [403, 403, 200],
     sub { { userId => $_[0]{by}, body => { role => 'MEMBER' } } }],
    [participantUpdate => 'of who is not in', [403, 403, 404],
     sub { { userId => 'neo', body => { role => 'MEMBER' } } }],
    [participantRemove => 'remove a MEMBER', [403, 204, 204], sub { { userId => 'xeno' } }],
    [participantRemove => 'remove a MODERATOR', [403, 403, 204], sub { { userId => 'tess' } }],
    [participantRemove => 'remove an ADMIN', [403, 403, 204], sub { { userId => 'ben' } }],
    [participantRemove => 'leave', [204, 204, 204], sub { { userId => $_[0]{by} } }],
    [participantRemove => 'remove who is not in', [403, 404, 404], sub { { userId => 'neo' } }],
    [supportClaim => 'claim a GROUP', [403, 403, 403], sub { {} }],
    [supportUnclaim => 'hand a GROUP back', [403, 403, 403], sub { {} }],
);

sub expected {
    my ($row, $role, $account) = @_;
    my ($op, undef, $cells, undef, $auditor) = @$row;
    my ($i) = grep { $roles[$_] eq $role } 0 .. 2;

    return $auditor if $auditor && $account eq 'admin';
    return $cells->[$i] if defined $i;
    return $op =~ /^(messagePage|messageSend)$/ ? 403 : 404;
}

table('b7: the roles of a GROUP, whatever the account', \@roles, map {
    my $row = $_;
    [@$row[0, 1], map { expected($row, $_, 'client') =~ s/ .*//r } @roles]
} @group_rows);
note '  messageRevisions is 200 for the auditor, the account admin, in each column';

for my $account (@accounts) {
    my $actor = $account{$account};

    for my $role (@roles) {
        my $g = circle($actor, $role);
        my $before = state_of_data();
        my $try = sub {
            my ($row) = @_;
            my ($op, $what, undef, $make) = @$row;
            my $expected = expected($row, $role, $account);
            my $r = do_it($actor, $op, { id => $g->{id}, %{ $make->($g) } });
            cell($r, $expected, join ' ', $role =~ /^[LS]/ ? 'b67:' : 'b7:', $account, 'as',
                 "$role:", $op, "($what) $expected");
        };

        $try->($_) for grep { expected($_, $role, $account) !~ /^2/ } @group_rows;
        is(state_of_data(), $before, "b7: $account as $role: what was refused changed nothing");

        for my $row (grep { expected($_, $role, $account) =~ /^2/ } @group_rows) {
            $try->($row);
            $g = circle($actor, $role) if $operation{ $row->[0] }{method} ne 'GET'
                && $role !~ /^[LS]/;
        }
    }
}

# --- b7: DIRECT: both are MEMBER for ever

my $dm = direct('mia', 'ana');
my %said = map { $_ => said($_, $dm, "the words of $_ to the other one")->{id} } qw(mia ana);
my @direct_rows = (
    [conversationUpdate => 'rename', 409, { body => { title => 'Us' } }],
    [conversationUpdate => 'clear the title', 409, { body => { title => undef } }],
    [conversationUpdate => 'close', 409, { body => { isActive => \0 } }],
    [participantAdd => 'add', 409, { body => { userId => 'neo' } }],
    [participantUpdate => 'make the other ADMIN', 409, { userId => 'OTHER', body => { role => 'ADMIN' } }],
    [participantUpdate => 'make oneself ADMIN', 409, { userId => 'SELF', body => { role => 'ADMIN' } }],
    [participantRemove => 'remove the other', 409, { userId => 'OTHER' }],
    [participantRemove => 'leave', 409, { userId => 'SELF' }],
    [participantRemove => 'remove who is not in', 409, { userId => 'neo' }],
    [messageEdit => "edit the other's", 403, { id => 'THEIRS', body => { content => 'not mine' } }],
    [messageDelete => "delete the other's", 403, { id => 'THEIRS' }],
    [supportClaim => 'claim', 403, {}],
    [supportUnclaim => 'hand back', 403, {}],
);
table('b7: a DIRECT', ['each'], map { [@$_[0 .. 2]] } @direct_rows);
my $before = state_of_data();
for my $user (qw(mia ana)) {
    my $other = $user eq 'mia' ? 'ana' : 'mia';
    for my $row (@direct_rows) {
        my ($op, $what, $expected, $o) = @$row;
        my %o = (id => $dm, %$o);
        for (grep { defined } @o{qw(id userId)}) {
            s/^OTHER$/$other/;
            s/^SELF$/$user/;
            s/^THEIRS$/$said{$other}/;
        }
        cell(do_it($user, $op, \%o), $expected, "b7: DIRECT: $user: $what");
    }
}
is(state_of_data(), $before, 'b7: DIRECT: nothing was changed');
is_deeply([map { $_->{role} } @{ call('mia', GET => "/conversations/$dm")->{json}{participants} }],
          ['MEMBER', 'MEMBER'], 'b7: who opens a DIRECT has no power over the other');

# --- b7: SESSION: the therapist is ADMIN, the client is not

my $session = call('ana', POST => '/conversations', { type => 'SESSION', sessionId => 'matrix',
                                                      participantIds => ['mia'] })->{json}{id};
my $lesson = said('ana', $session, 'the words of the therapist')->{id};
my @session_rows = (
    # operation, what, mia, ana
    [conversationUpdate => 'rename', 403, undef, { body => { title => 'Mine' } }],
    [conversationUpdate => 'close', 403, undef, { body => { isActive => \0 } }],
    [participantAdd => 'add', 403, undef, { body => { userId => 'neo' } }],
    [participantAdd => 'add a client as ADMIN', 403, 403,
     { body => { userId => 'rosa', role => 'ADMIN' } }],
    [participantUpdate => 'the client to ADMIN', 403, 403, { userId => 'mia', body => { role => 'ADMIN' } }],
    [participantUpdate => 'the therapist to MEMBER', 403, '409 last_admin',
     { userId => 'ana', body => { role => 'MEMBER' } }],
    [participantRemove => 'the therapist', 403, '409 last_admin', { userId => 'ana' }],
    [messageDelete => "the therapist's words", 403, undef, { id => $lesson }],
);
table('b7: a SESSION', [qw(client therapist)], map { [map { $_ // '-' } @$_[0 .. 3]] } @session_rows);
$before = state_of_data();
for my $row (@session_rows) {
    my ($op, $what, $client, $therapist, $o) = @$row;
    cell(do_it('mia', $op, { id => $session, %$o }), $client, "b7: SESSION: the client: $what");
    cell(do_it('ana', $op, { id => $session, %$o }), $therapist, "b7: SESSION: the therapist: $what")
        if $therapist;
}
is(state_of_data(), $before, 'b7: SESSION: nothing was changed');
is(call('ana', PATCH => "/conversations/$session", { title => 'Ours' })->{code}, 200,
   'b7: SESSION: the therapist renames it');

# --- b7: SUPPORT

sub support {
    for (1 .. 2) {
        my $r = call('rosa', POST => '/conversations', { type => 'SUPPORT' });
        return $r->{json}{id} if $r->{code} == 201;
        call('rosa', DELETE => "/conversations/$r->{json}{id}/participants/rosa");
    }
    die 'no support';
}

my @support_rows = (
    # what, operation, rosa (client), xeno (therapist outside), tess (staff outside), sol (claimant)
    [unclaimed => conversationUpdate => 'rename', 403, 404, 404, undef, { body => { title => 'Help' } }],
    [unclaimed => participantAdd => 'add', 403, 404, 404, undef, { body => { userId => 'neo' } }],
    [unclaimed => participantUpdate => 'become ADMIN', 403, 404, 404, undef,
     { userId => 'rosa', body => { role => 'ADMIN' } }],
    [unclaimed => messagePage => 'read', 200, 403, 403, undef, {}],
    [unclaimed => messageSend => 'send', 201, 403, 403, undef, { body => { content => 'a word of help' } }],
    [unclaimed => supportUnclaim => 'hand back', 403, 404, 404, undef, {}],
    [unclaimed => supportClaim => 'claim', 403, 404, 200, undef, {}],
    [unclaimed => conversationUpdate => 'close', 200, 404, 404, undef, { body => { isActive => \0 } }],
    [claimed => conversationUpdate => 'rename', 403, 404, 404, 200, { body => { title => 'Help' } }],
    [claimed => conversationUpdate => 'close', 403, 404, 404, 200, { body => { isActive => \0 } }],
    [claimed => participantAdd => 'add', 403, 404, 404, 201, { body => { userId => 'neo' } }],
    [claimed => participantAdd => 'add a client as ADMIN', 403, 404, 404, 403,
     { body => { userId => 'jun', role => 'ADMIN' } }],
    [claimed => participantUpdate => 'the client to ADMIN', 403, 404, 404, 403,
     { userId => 'rosa', body => { role => 'ADMIN' } }],
    [claimed => participantRemove => 'the claimant', 403, 404, 404, 204, { userId => 'sol' }],
    [claimed => messagePage => 'read', 200, 403, 403, 200, {}],
    [claimed => supportClaim => 'claim', 403, 404, '409 already_claimed', '409 already_claimed', {}],
    [claimed => supportUnclaim => 'hand back', 403, 404, 404, 204, {}],
    [closed => supportClaim => 'claim', 403, 404, '403 conversation_closed', undef, {}],
    [closed => messageSend => 'send', '403 conversation_closed', 403, 403, undef,
     { body => { content => 'a word of help' } }],
);
my @support_users = qw(rosa xeno tess sol);
table('b7: a SUPPORT', [qw(client therapist staff claimant)],
      map { [$_->[1], "$_->[0]: $_->[2]", map { $_ // '-' } @$_[3 .. 6]] } @support_rows);
for my $row (@support_rows) {
    my ($state, $op, $what, @cells) = @$row;
    my $o = pop @cells;
    my $id = support();
    call('sol', POST => "/conversations/$id/claim") if $state eq 'claimed';
    call('rosa', PATCH => "/conversations/$id", { isActive => \0 }) if $state eq 'closed';
    # what works last, since it changes things
    for my $i (sort { ($cells[$a] // 0) =~ /^2/ <=> ($cells[$b] // 0) =~ /^2/ } 0 .. 3) {
        next if !defined $cells[$i];
        cell(do_it($support_users[$i], $op, { id => $id, %$o }), $cells[$i],
             "b7: SUPPORT $state: $support_users[$i]: $what");
    }
}
my $helped = support();
call('rosa', POST => '/block', { userId => 'tess' });
cell(do_it('tess', 'supportClaim', { id => $helped }), '403 cannot_contact',
     'b7: SUPPORT: nobody claims across a block');
call('rosa', DELETE => '/block/tess');
call('sol', POST => "/conversations/$helped/claim");
call('sol', DELETE => "/conversations/$helped/participants/sol");
ok((grep { $_->{id} eq $helped } @{ call('tess', GET => '/support?limit=100')->{json} }),
   'b7: SUPPORT: without an ADMIN it is unclaimed again');

# --- b73: what an account role gives

my @account_rows = (
    # operation, what, client, therapist, moderator, admin
    [me => 'oneself', [200, 200, 200, 200], sub { {} }],
    [conversationList => 'list', [200, 200, 200, 200], sub { {} }],
    [contactList => 'contacts', [200, 200, 200, 200], sub { {} }],
    [searchGet => 'search', [200, 200, 200, 200], sub { { query => 'query=words' } }],
    [searchPost => 'search', [200, 200, 200, 200], sub { { body => { query => 'words' } } }],
    [blockAdd => 'block', [201, 201, 201, 201], sub { { body => { userId => 'jun' } } }],
    [blockList => 'blocks', [200, 200, 200, 200], sub { {} }],
    [blockRemove => 'unblock', [204, 204, 204, 204], sub { { userId => 'jun' } }],
    [conversationCreate => 'DIRECT with a client', ['403 cannot_contact', 201, 201, 201],
     sub { { body => { participantIds => ['rosa'] } } }],
    [conversationCreate => 'DIRECT with a therapist', [201, 201, 201, 201],
     sub { { body => { participantIds => ['neo'] } } }],
    [conversationCreate => 'DIRECT with a moderator', [201, 201, 201, 201],
     sub { { body => { participantIds => ['tess'] } } }],
    [conversationCreate => 'DIRECT with an admin', [201, 201, 201, 201],
     sub { { body => { participantIds => ['kim'] } } }],
    [conversationCreate => 'GROUP with a client', ['403 cannot_contact', 201, 201, 201],
     sub { { body => { type => 'GROUP', participantIds => ['neo', 'rosa'] } } }],
    [conversationCreate => 'GROUP without a client', [201, 201, 201, 201],
     sub { { body => { type => 'GROUP', participantIds => ['neo', 'tess'] } } }],
    [conversationCreate => 'SESSION with a client',
     ['403 cannot_contact', 201, '403 cannot_contact', '403 cannot_contact'],
     sub { { body => { type => 'SESSION', sessionId => 'row ' . ++$n, participantIds => ['rosa'] } } }],
    [conversationCreate => 'SESSION with a therapist', [('403 cannot_contact') x 4],
     sub { { body => { type => 'SESSION', sessionId => 'row ' . ++$n, participantIds => ['neo'] } } }],
    [conversationCreate => 'SUPPORT', [201, 403, 403, 403], sub { { body => { type => 'SUPPORT' } } }],
    [supportList => 'open requests', [403, 403, 200, 200], sub { {} }],
    [supportClaim => 'claim', [404, 404, 200, 200], sub { { id => support() } }],
    [supportUnclaim => "hand another's back", [404, 404, 404, 404], sub {
        my $id = support();
        call('tess', POST => "/conversations/$id/claim");
        { id => $id } }],
    [messageRevisions => 'earlier texts', [404, 404, 404, 200], sub { { id => $lesson } }, 'mia'],
    [health => 'health', [200, 200, 200, 200], sub { {} }],
    [logout => 'logout', [204, 204, 204, 204], sub { {} }],
);
table('b73: what an account role gives', \@accounts,
      map { [@$_[0, 1], map { s/ .*//r } @{ $_->[2] }] } @account_rows);
$lesson = said('ben', group('ben', 'neo'), 'the words that only an auditor sees')->{id};
for my $row (@account_rows) {
    my ($op, $what, $cells, $make) = @$row;
    for my $i (0 .. 3) {
        my $r = do_it($account{ $accounts[$i] }, $op, $make->());
        cell($r, $cells->[$i], "b73: $accounts[$i]: $op ($what) $cells->[$i]");
    }
}
is(call($account{$_}, GET => '/me')->{json}{role}, $_, "b73: $_ is told so") for @accounts;
for my $account (@accounts) {
    my %seen = map { $_->{role} => 1 }
        @{ call($account{$account}, GET => '/contacts?limit=100')->{json} };
    is(!!$seen{client}, $account ne 'client', "b73: contacts of a $account: clients or none");
    my $health = call($account{$account}, GET => '/health')->{json};
    is(exists $health->{zone}, $account =~ /^(moderator|admin)$/ ? 1 : '',
       "b73: health tells a $account " . ($account =~ /r$|n$/ ? 'more' : 'no more'));
}

# --- who is unknown or not active may do nothing at all

for my $user (qw(ina nobody)) {
    my $g = { id => $dm, map { $_ => $said{mia} } qw(own ben tess xeno jun system) };
    $before = state_of_data();
    for my $row (@group_rows, @account_rows) {
        my ($op, $what, undef, $make) = @$row;
        my $o = $op =~ /^support/ ? { id => $helped } : $make->({ %$g, by => $user });
        cell(do_it($user, $op, { id => $dm, %$o }), '403 user_inactive', "b7: $user: $op ($what)");
    }
    is(state_of_data(), $before, "b7: $user changed nothing");
}
is_deeply([grep { !$covered{$_} } sort keys %operation], [],
          'b7: every operation of the document is in a matrix');

# --- b67: every operation, with ids that are known, by who is outside

my $secret = canary('a secret of the circle that nobody outside may see');
my $inside = group('ben', 'mia', 'neo', 'tess');
call('ben', PATCH => "/conversations/$inside", { title => 'Hidden title' });
my %known = (message => said('mia', $inside, $secret)->{id}, conversation => $inside);
call('ben', POST => "/messages/$known{message}/reactions", { emoji => "\x{1F44D}" });
call('neo', DELETE => "/conversations/$inside/participants/neo");
call('ben', DELETE => "/conversations/$inside/participants/tess");
said('mia', $inside, "$secret, after some left");

my %outsiders = (xeno => 'a stranger', jun => 'a strange client', neo => 'who has left',
                 tess => 'who was removed', sol => 'a moderator', kim => 'an admin');
my %home;   # a conversation of each outsider
$home{$_} = group($_, 'ana') for keys %outsiders;
my %own = map { $_ => said($_, $home{$_}, "the own words of $_")->{id} } keys %outsiders;

my ($c, $m) = @known{qw(conversation message)};
my @known_rows = (
    # operation, what is asked, status
    [conversationGet => { id => $c }, 404],
    [conversationUpdate => { id => $c, body => { isMuted => \1 } }, 404],
    [participantAdd => { id => $c, body => { userId => 'SELF' } }, 404],
    [participantUpdate => { id => $c, userId => 'mia', body => { role => 'ADMIN' } }, 404],
    [participantRemove => { id => $c, userId => 'mia' }, 404],
    [participantRemove => { id => $c, userId => 'SELF' }, 404],
    [supportClaim => { id => $c }, 404],
    [supportUnclaim => { id => $c }, 404],
    [messagePage => { id => $c }, 403],
    [messagePage => { id => $c, query => "around=$m" }, 403],
    [messagePage => { id => 'HOME', query => "around=$m" }, 404],
    [messageSend => { id => $c, body => { content => 'let me in there' } }, 403],
    [messageSend => { id => 'HOME', body => { content => 'a quote', replyToId => $m } }, 400],
    [messageReadBatch => { id => $c, body => { messageIds => [$m] } }, 404],
    [messageReadBatch => { id => 'HOME', body => { messageIds => ['OWN', $m] } }, 400],
    [accessList => { id => $c }, 404],
    [messageGet => { id => $m }, 404],
    [messageEdit => { id => $m, body => { content => 'let me in there' } }, 404],
    [messageDelete => { id => $m }, 404],
    [messageRevisions => { id => $m }, 404],
    [messageRead => { id => $m }, 404],
    [reactionAdd => { id => $m, body => { emoji => "\x{1F44D}" } }, 404],
    [reactionRemove => { id => $m, emoji => THUMB }, 404],
    [conversationList => { query => 'archived=all&limit=100' }, 200],
    [searchGet => { query => 'query=secret' }, 200],
    [searchGet => { query => "query=secret&conversationId=$c" }, 200],
    [searchGet => { query => 'query=secret&senderId=mia' }, 200],
    [searchPost => { body => { query => 'secret circle', conversationId => $c } }, 200],
    [supportList => { query => 'limit=100' }, 403],
    [contactList => { query => 'limit=100' }, 200],
    [blockList => {}, 200],
    [blockRemove => { userId => 'nobody' }, 204],
    [me => {}, 200],
    [health => {}, 200],
    [logout => {}, 204],
);
# these name no conversation
my %without = map { $_ => 1 } qw(conversationCreate blockAdd);
is_deeply([sort keys %{ { %without, map { $_->[0] => 1 } @known_rows } }], [sort keys %operation],
          'b67: every operation of the document is tried by outsiders');
table('b67: by who is outside', ['answer'], map {
    my ($op, $o, $status) = @$_;
    [$op, join(' ', map { "$_" } grep { !/^(body|id)$/ } sort keys %$o), $status]
} @known_rows);

for my $user (sort keys %outsiders) {
    my $staff = $user =~ /^(tess|sol|kim)$/;
    $before = state_of_data();

    for my $row (@known_rows) {
        my ($op, $o, $status) = @$row;
        my %o = (%$o, $o->{body} ? (body => { %{ $o->{body} } }) : ());
        next if $op eq 'messageRevisions' && $user eq 'kim';   # the auditor
        $status = 200 if $op eq 'supportList' && $staff;
        $o{id} = $home{$user} if ($o{id} // '') eq 'HOME';
        for my $place (\%o, $o{body} // {}) {
            $place->{userId} = $user if ($place->{userId} // '') eq 'SELF';
        }
        $o{body}{messageIds} = [map { $_ eq 'OWN' ? $own{$user} : $_ } @{ $o{body}{messageIds} }]
            if $o{body} && $o{body}{messageIds};
        my $r = do_it($user, $op, \%o);
        cell($r, $status, "b67: $outsiders{$user}: $op $status");
        unlike($r->{body}, qr/\Q$secret\E|Hidden title|\Q$c\E|\Q$m\E/, 'b67: and reads nothing of it');
    }

    is(state_of_data(), $before, "b67: $outsiders{$user} changed nothing");
}

finish();
