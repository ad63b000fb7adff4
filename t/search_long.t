# Search in long conversations: what is common is found newest first, what is rare
# wherever it is, page by page, and only what the caller may see.
use strict;
use warnings;
use lib 't/lib';
use Mentara::Test;
use Test::More;

server();

my $long = group('ana', 'mia', 'ben');
my $short = direct('mia', 'ana');
my $foreign = direct('ben', 'tess');

# 12,000 messages: each tenth says common, each thousandth seldom, few say needle
db->query(<<"SQL");
with c as (select '$long'::uuid as id, seq from messaging.conversations where id = '$long')
insert into messaging.messages (conversation_id, seq, id, sender_id, content, type, created_at,
                                updated_at)
select c.id, c.seq + s, gen_random_uuid(), case when s % 2 = 0 then 'ana' else 'mia' end,
       'line' || s || case when s % 10 = 0 then ' common' else '' end
       || case when s % 1000 = 0 then ' seldom' else '' end
       || case when s in (7, 5000, 11990) then ' needle' else '' end,
       'TEXT', now() - interval '1 day' + s * interval '1 second',
       now() - interval '1 day' + s * interval '1 second'
  from c, generate_series(1, 12000) s;
update messaging.conversations set seq = seq + 12000 where id = '$long';
analyze messaging.messages;
SQL

said('mia', $short, 'a needle that was lost just now, common as it is');
said('ben', $foreign, 'a needle and a common seldom thing of others');


# the numbers of lines that a search finds, in its order
sub lines_of {
    my ($who, $query) = @_;
    my $r = call($who, GET => "/search?$query");

    is($r->{code}, 200, "$who searches: $query");

    return [map { $_->{content} } @{ $r->{json} }];
}

sub numbers { [map { /^line(\d+)/ ? $1 : 0 } @{ $_[0] }] }

is_deeply(numbers(lines_of('mia', 'query=needle&limit=20')), [0, 11990, 5000, 7],
          'b31: a rare word is found wherever it is, newest first');
is_deeply(numbers(lines_of('mia', 'query=seldom&limit=5')), [12000, 11000, 10000, 9000, 8000],
          'b31: so is one that is seldom, the first page');
is_deeply(numbers(lines_of('mia', 'query=seldom&limit=5&page=2')),
          [7000, 6000, 5000, 4000, 3000], 'b31: and the second');
is_deeply(numbers(lines_of('mia', 'query=seldom&limit=5&page=3')), [2000, 1000],
          'b31: and the last');
is_deeply(numbers(lines_of('mia', 'query=common&limit=4')), [0, 12000, 11990, 11980],
          'b31: what is common is found newest first, over all conversations');
is_deeply(numbers(lines_of('mia', 'query=common&limit=4&page=2')),
          [11970, 11960, 11950, 11940], 'b31: page by page');
is_deeply(numbers(lines_of('mia', "query=common&limit=100&page=12&conversationId=$long")),
          [map { 10 * $_ } reverse 1 .. 100], 'b31: down to the oldest');
is_deeply(numbers(lines_of('mia', 'query=needle&limit=20&senderId=mia')), [0, 7],
          'b31: of one sender');
is_deeply(numbers(lines_of('jun', 'query=needle&limit=20')), [], 'b31: nothing for an outsider');

# who came later sees what came later
db->query("update messaging.participants set visible_from = 6000
            where conversation_id = '$long' and user_id = 'ben'");
is_deeply(numbers(lines_of('ben', "query=needle&conversationId=$long")), [11990],
          'b31: nor for a newcomer from before');

finish();
