package Mentara::Nginx;

# A real nginx with the module, in a temporary folder, on a free port.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

my $top = abs_path(dirname(__FILE__) . '/../../..');
my $asan = ($ENV{MENTARA_BUILD} // '') eq 'asan';
my $valgrind = ($ENV{MENTARA_BUILD} // '') eq 'valgrind';

our $binary = $asan ? "$top/build/asan/nginx" : '/usr/sbin/nginx';
our $module = $asan ? "$top/build/asan/ngx_mentara_module.so"
    : "$top/build/ngx_mentara_module.so";


# options: http, server, locations (text), workers, port
sub new {
    my ($class, %o) = @_;
    my $dir = tempdir('mentara-nginx-XXXXXX', TMPDIR => 1, CLEANUP => 0);
    my $self = bless { dir => $dir, port => free_port(), owner => $$,
                       workers => 1, killed => 0, %o }, $class;

    chmod 0755, $dir;
    $self->{listen} //= "listen 127.0.0.1:$self->{port};";

    return $self;
}


sub free_port {
    my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1',
                                  Proto => 'tcp') or die "port: $!";

    return $s->sockport;
}


sub url { "http://127.0.0.1:$_[0]{port}" }


sub write_file {
    my ($self, $name, $text) = @_;
    open my $fh, '>', "$self->{dir}/$name" or die "$name: $!";
    print $fh $text;
    close $fh;

    return "$self->{dir}/$name";
}


sub config {
    my ($self) = @_;
    my $dir = $self->{dir};
    my $main = $self->{main} // '';
    my $load = $self->{no_module} ? '' : "load_module $module;";

    return <<"CONF";
$load
@{[$> == 0 ? 'user root;' : '']}
worker_processes $self->{workers};
pid $dir/nginx.pid;
error_log $dir/error.log @{[$self->{log_level} // 'info']};
$main
events { worker_connections @{[$self->{connections} // 1024]}; }
http {
    log_format route '\$request_method \$uri \$status'
                     @{[$self->{no_module} ? '' : q(' $mentara_route $mentara_error_code')]};
    access_log $dir/access.log route;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
    @{[$self->{http} // '']}
    server {
        $self->{listen}
        @{[$self->{server} // '']}
        @{[$self->{locations} // '']}
        location = /static { default_type text/plain; return 200 "static\\n"; }
    }
}
CONF
}


# nginx -t: (whether it passes, what it says)
sub test {
    my ($self) = @_;
    my $conf = $self->write_file('nginx.conf', $self->config);
    local $ENV{ASAN_OPTIONS} = 'detect_leaks=0:detect_odr_violation=0';
    my $out = `$binary -t -p $self->{dir} -c $conf -e $self->{dir}/test.log 2>&1`;

    return ($? == 0, $out, $? & 127);
}


sub start {
    my ($self) = @_;
    my $conf = $self->write_file('nginx.conf', $self->config);
    local $ENV{ASAN_OPTIONS} =
        "detect_leaks=0:detect_odr_violation=0:log_path=$self->{dir}/sanitizer";
    local $ENV{UBSAN_OPTIONS} = "print_stacktrace=1";

    my $under = $valgrind
        ? "valgrind -q --trace-children=yes --log-file=$self->{dir}/sanitizer.%p"
        : '';

    system("$under $binary -p $self->{dir} -c $conf -e $self->{dir}/error.log"
           . " >$self->{dir}/start.log 2>&1") == 0
        or die 'nginx does not start: ' . $self->slurp('start.log')
        . $self->slurp('error.log');
    $self->wait_for(sub { -s "$self->{dir}/nginx.pid" }, 'a pid file');
    $self->wait_for(sub {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                              PeerPort => $self->{port});
    }, 'the port');

    return $self;
}


sub pid {
    my ($self) = @_;
    my ($pid) = $self->slurp('nginx.pid') =~ /(\d+)/;

    return $pid;
}


sub workers {
    my ($self) = @_;
    my $pid = $self->pid or return;

    return split ' ', `pgrep -P $pid`;
}


sub kill_worker {
    my ($self, $worker) = @_;
    $self->{killed}++;
    kill KILL => $worker;
}


sub reload { kill HUP => $_[0]->pid }


sub stop {
    my ($self, $signal) = @_;
    my $pid = $self->pid or return;

    kill $signal // 'QUIT', $pid;
    my $end = time + 10;
    sleep 0.02 while kill(0, $pid) && time < $end;
    kill KILL => $pid if kill 0, $pid;
}


sub slurp {
    my ($self, $name) = @_;
    open my $fh, '<', "$self->{dir}/$name" or return '';
    local $/;

    return <$fh> // '';
}


# waits for a condition; dies after a while
sub wait_for {
    my ($self, $condition, $what, $seconds) = @_;
    my $end = time + ($seconds // 15);

    while (time < $end) {
        my $value = $condition->();
        return $value if $value;
        sleep 0.02;
    }

    die "waited in vain for $what\n" . $self->slurp('error.log') =~ s/.*?(?=.{0,2000}\z)//sr;
}


# faults that no test may leave behind
sub faults {
    my ($self) = @_;
    my @found = grep { /\[(alert|emerg|crit)\]/ } split /\n/,
        $self->slurp('error.log');

    if ($self->{killed}) {
        # who is killed may hold the zone's lock, and nginx says so
        @found = grep { !/exited on signal 9|zone "\w+" was locked by/ }
            @found;
    }

    @found = grep { !$self->{expected} || !/$self->{expected}/ } @found;
    push @found, map { split /\n/, $self->slurp($_) }
        map { m{([^/]+)$} } glob "$self->{dir}/sanitizer.*";
    push @found, grep { /runtime error|AddressSanitizer/ }
        split /\n/, $self->slurp('error.log') . $self->slurp('start.log');

    return @found;
}


sub DESTROY {
    my ($self) = @_;

    return if $$ != $self->{owner};
    local ($?, $!, $@);
    $self->stop('TERM');
    remove_tree($self->{dir}) unless $ENV{MENTARA_KEEP};
}


1;
