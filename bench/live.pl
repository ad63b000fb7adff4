# The rows of real time, for bench/run.

use strict;
use warnings;

use IO::Handle;
use Time::HiRes qw(sleep);

our ($bench, $top, $dir, $rounds, $pgbench, $socket, @instances);

my $client  = "$top/build/bench/live";
my $people  = 12_000;
my $crowd   = 10_000;           # sockets of the rows of memory
my $arrival = 2_000;            # sockets of the rows of connecting
my $long    = 'sender_' . 'x' x 120;

my ($database, $targets, $node, %seen);


sub live_rows {
    return (
        [ fanout            => 0.85, \&row_fanout, 'plain', 1 ],
        [ fanout_sio        => 0.85, \&row_fanout, 'sio', 1 ],
        [ fanout_burst      => 1.50, \&row_fanout, 'plain', 20 ],
        [ fanout_sio_burst  => 1.50, \&row_fanout, 'sio', 20 ],
        [ cross_ms          => 2.00, \&row_cross ],
        [ memory_plain_kib  => 6.50, \&row_socket_memory, 'plain' ],
        [ memory_sio_kib    => 6.50, \&row_socket_memory, 'sio' ],
        [ latency100        => 2.00, \&row_latency, 100 ],
        [ latency1000       => 2.00, \&row_latency, 1000 ],
        [ connect_us        => 250,  \&row_connect, 1 ],
        [ connect2_us       => 250,  \&row_connect, 2 ],
        [ node_connect      => 1.00, \&row_node_connect ],
        [ node_fanout       => 1.00, \&row_node_fanout ],
        [ node_latency      => 1.00, \&row_node_latency, 1000 ],
        [ node_memory       => 0.25, \&row_node_memory ],
    );
}


# the database, and who connects: `room` has the sender and a thousand
# sockets, `pairs` people of whom each two share a conversation

sub live_targets {
    my ($name) = @_;
    my (@sender, @people, @room, @pairs);

    $database //= { conninfo => fill('bench_live', 'live.sql',
                                     people => $people, room => 50) };

    return "$dir/live.$name" if $targets;

    @sender = live_tokens($long, 1, 1);
    @people = live_tokens('live_', 1, $people);
    @room = map { "$_ " . conversation(0) } @sender, (@people[0 .. 49]) x 20;
    @pairs = map { "$people[$_] " . conversation($_ - $_ % 2 + 1) }
        0 .. $#people;

    spew("$dir/live.room", join("\n", @room) . "\n");
    spew("$dir/live.pairs", join("\n", @pairs) . "\n");
    $targets = 1;

    return "$dir/live.$name";
}


sub live_tokens {
    return split "\n", run("$client sign $instances[0]{run}/jwt.key @_ 7200");
}


sub live_start {
    my ($kind, $workers, $name) = @_;

    live_targets('room');

    return start($name // "live_${kind}_$workers", $database, 4,
                 WORKERS => $workers,
                 REUSEPORT => $workers > 1 ? 1 : '',
                 EXTRA => "mentara_user_sockets 100; "
                          . 'location = /worker { return 200 "$pid\n"; }');
}


sub live_stop {
    my ($i) = @_;

    run("$top/tools/stop", RUN_DIR => $i->{run});
    @instances = grep { $_ != $i } @instances;
}


sub workers {
    my ($i) = @_;
    my $master = slurp("$i->{run}/nginx.pid") + 0;

    return split ' ', run("pgrep -P $master");
}


sub worker { return (workers(@_))[0] }


sub live {
    my ($scenario, @arguments) = @_;
    my $out = run("$client $scenario @arguments </dev/null");

    return { $out =~ /(\w+)=([\d.-]+)/g };
}


# a process that says when it listens

sub background {
    my (@command) = @_;
    my $pid = open my $out, '-|', @command or die "$command[0]: $!\n";
    my $line = <$out> // die "@command has ended\n";

    return { pid => $pid, out => $out };
}


sub live_fanout {
    my ($i, $kind, $burst, $pid) = @_;

    return live('fanout', '-p', $i->{port}, '-k', $kind, '-n 1000 -e', $burst,
                '-r', $burst == 1 ? 100 : 10, '-P', $pid,
                "-w $dir/live.frame", live_targets('room'));
}


sub live_floor {
    my ($burst) = @_;
    my $port = free_port();
    my $floor = background($client, 'floor', '-p', $port, '-n', 1000, '-w',
                           "$dir/live.frame");
    my $answer = live('fanout', '-p', $port, '-k raw -n 1000 -e', $burst,
                      '-r', $burst == 1 ? 100 : 10, '-P', $floor->{pid});

    close $floor->{out};

    return $answer;
}


sub row_fanout {
    my ($kind, $burst) = @_;
    my $i = live_start($kind, 1);
    my (@ratio, @module);

    # machines are fast and slow by turns: pairs are compared, and many

    for (1 .. 3 * $rounds) {
        my $module = live_fanout($i, $kind, $burst, worker($i));
        my $floor = live_floor($burst);

        push @module, $module->{rate};
        push @ratio, $module->{rate} / $floor->{rate};
        printf "  CPU: floor %6.0f frames/s, module %7.0f, %.3f   wall: "
             . "%.2f and %.2f us/frame   %d octets\n", $floor->{rate},
             $module->{rate}, $module->{rate} / $floor->{rate},
             $floor->{wall}, $module->{wall}, $module->{octets};
    }

    $seen{fanout} = median(@module) if $kind eq 'sio' && $burst == 1;

    return median(@ratio);
}


sub row_cross {
    my $i = live_start('plain', 2);
    my @added;

    for (1 .. $rounds) {
        my $answer = live('cross', '-p', $i->{port}, '-k plain -R 500 -t 2',
                          live_targets('room'));

        push @added, $answer->{added99};
        print '  ms: ', join('  ', map { "$_ $answer->{$_}" }
            qw(same50 same99 other50 other99 added50 added99)), "\n";
    }

    return median(@added);
}


# what is private to a process, its part of what is shared; kB

sub private {
    my ($pid) = @_;
    my $text = slurp("/proc/$pid/smaps_rollup");
    my %kb = $text =~ /^(\w+):\s+(\d+) kB/mg;

    return ($kb{Private_Clean} + $kb{Private_Dirty}, $kb{Pss});
}


# KiB per socket, once all are there and what starting took is freed

sub socket_memory {
    my ($port, $kind, $pid, $sockets) = @_;
    my (@before, @after, $line);

    live('hold', '-p', $port, '-k', $kind, '-n 100', live_targets('pairs'));
    sleep(0.5);
    @before = private($pid);

    my $child = open my $in, '|-', "$client hold -p $port -k $kind "
        . "-n $sockets $dir/live.pairs >$dir/live.held"
        or die "$client: $!\n";

    for (1 .. 600) {
        $line = -f "$dir/live.held" ? slurp("$dir/live.held") : '';
        last if $line =~ /rate/;
        sleep(0.1);
    }

    die "no $sockets sockets\n" if $line !~ /rate/;
    sleep(3);
    @after = private($pid);
    close $in;
    unlink "$dir/live.held";

    my @kib = map { ($after[$_] - $before[$_]) / $sockets } 0, 1;
    printf "  %s, %d sockets: private %.2f KiB, PSS %.2f KiB each\n", $kind,
        $sockets, @kib;

    return $kib[0];
}


sub row_socket_memory {
    my ($kind) = @_;
    my $i = live_start($kind, 1, "memory_$kind");
    my $kib = socket_memory($i->{port}, $kind, worker($i), $crowd);

    live_stop($i);
    $seen{memory} = $kib if $kind eq 'sio';

    return $kib;
}


# messages by socket against pgbench, at the same rate

sub row_latency {
    my ($rate) = @_;
    my $i = live_start('plain', 1);
    my (@module, @floor);

    for (1 .. $rounds) {
        my $answer = live('latency', '-p', $i->{port}, '-k plain -x message',
                          '-n 100 -t 2 -R', $rate, live_targets('pairs'));
        my $floor = latency_floor($rate);

        push @module, $answer->{p50};
        push @floor, $floor->{p50};
        printf "  ms: pgbench p50 %.2f p99 %.2f   send to receive p50 %.2f "
             . "p95 %.2f p99 %.2f max %.2f\n", $floor->{p50}, $floor->{p99},
             $answer->{p50}, $answer->{p95}, $answer->{p99}, $answer->{max};
    }

    return median(@module) / median(@floor);
}


sub latency_floor {
    my ($rate) = @_;
    my $run = 1_000_000_000_000_000 + int(time() * 1e5);
    my @us;

    run("rm -f $dir/pgbench.*; cd $dir && $pgbench -n -M prepared -h $socket "
        . "-U postgres -c 4 -j 1 -T 2 -R $rate -l --log-prefix=pgbench "
        . "-D s=0 -D run=$run -f $bench/live_send.sql bench_live");

    for my $file (glob "$dir/pgbench.*") {
        push @us, map { (split ' ')[2] } split "\n", slurp($file);
    }

    @us = sort { $a <=> $b } @us;

    return { p50 => $us[$#us * 0.5] / 1000, p99 => $us[$#us * 0.99] / 1000 };
}


# the workers' time per socket; Postgres has the larger part of the wall

sub row_connect {
    my ($workers) = @_;
    my $i = live_start('sio', $workers);
    my (@us, @plain);

    for (1 .. $rounds) {
        my ($sio, $plain) = map { connect_time($i, $_) } qw(sio plain);

        push @us, $sio->{us};
        printf "  Socket.IO: %.0f sockets/s, %.0f us of the workers each   "
             . "plain: %.0f, %.0f us\n", $sio->{rate}, $sio->{us},
             $plain->{rate}, $plain->{us};
    }

    $seen{connect} = median(@us) if $workers == 1;

    return median(@us);
}


sub connect_time {
    my ($i, $kind) = @_;
    my @pids = $i->{pid} // workers($i);
    my $before = cpu_time(@pids);
    my $answer = live('hold', '-p', $i->{port}, '-k', $kind, '-n', $arrival,
                      live_targets('pairs'));

    $answer->{us} = (cpu_time(@pids) - $before) / $arrival;

    return $answer;
}


# of processes and all their threads, us

sub cpu_time {
    my $ns = 0;

    for my $pid (@_) {
        $ns += (split ' ', slurp($_))[0] for glob "/proc/$pid/task/*/schedstat";
    }

    return $ns / 1000;
}


# CPU time per socket, module / Node

sub row_node_connect {
    my $n = node();
    my @us;

    row_connect(1) if !defined $seen{connect};

    for (1 .. $rounds) {
        my $answer = connect_time($n, 'sio');

        push @us, $answer->{us};
        printf "  Node: %.0f sockets/s, %.0f us each\n", $answer->{rate},
            $answer->{us};
    }

    return $seen{connect} / median(@us);
}


# the Socket.IO server beside us, started once

sub node {
    my (%rooms, $port);

    return $node if $node;

    live_targets('pairs');
    $rooms{"live_$_"} = join ' ', conversation($_),
        conversation($_ == 1 ? $people : $_ - 1) for 1 .. $people;
    $rooms{"live_$_"} .= ' ' . conversation(0) for 1 .. 50;
    $rooms{"${long}1"} = conversation(0);

    spew("$dir/live.members",
         join('', map { "$_ $rooms{$_}\n" } keys %rooms));

    $port = free_port();
    local $ENV{MODULES} = "$bench/node";
    $node = background("$top/tools/node", "$bench/node/server.mjs", $port,
                       "$instances[0]{run}/jwt.pem", "$dir/live.members");
    $node->{port} = $port;

    return $node;
}


sub node_stop {
    return if !$node;

    kill 'TERM', $node->{pid};
    close $node->{out};
    $node = undef;
}


# frames per second of CPU time, module / Node

sub row_node_fanout {
    my $i = live_start('sio', 1);
    my $n = node();
    my (@module, @node);

    for (1 .. $rounds) {
        my $other = live_fanout($n, 'sio', 1, $n->{pid});
        my $own = live_fanout($i, 'sio', 1, worker($i));

        push @module, $own->{rate};
        push @node, $other->{rate};
        printf "  CPU: Node %.0f frames/s, module %.0f   wall: %.2f and %.2f "
             . "us/frame\n", $node[-1], $module[-1], $other->{wall},
             $own->{wall};
    }

    return median(@module) / median(@node);
}


# typing_indicator, which neither of the two stores; p50, module / Node

sub row_node_latency {
    my ($rate) = @_;
    my $i = live_start('sio', 1);
    my $n = node();
    my (@module, @node);

    for (1 .. $rounds) {
        my ($own, $other) = map {
            live('latency', '-p', $_->{port}, '-k sio -n 100 -t 2 -R', $rate,
                 live_targets('pairs'))
        } $i, $n;

        push @module, $own->{p50};
        push @node, $other->{p50};
        printf "  ms: module p50 %.3f p99 %.3f, Node p50 %.3f p99 %.3f\n",
            $own->{p50}, $own->{p99}, $other->{p50}, $other->{p99};
    }

    return median(@module) / median(@node);
}


sub row_node_memory {
    my ($n, $kib);

    $seen{memory} // row_socket_memory('sio');
    node_stop();
    $n = node();
    $kib = socket_memory($n->{port}, 'sio', $n->{pid}, $crowd);
    node_stop();

    return $seen{memory} / $kib;
}


END { node_stop() }


1;
