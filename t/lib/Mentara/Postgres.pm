package Mentara::Postgres;

# A private Postgres cluster in a temporary folder, on a Unix socket.  The
# data folder is copied from one that was made once per state of sql/.

use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::SHA qw(sha1_hex);
use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use POSIX ();

my $top = abs_path(dirname(__FILE__) . '/../../..');
my ($bin) = sort { $b cmp $a } glob '/usr/lib/postgresql/*/bin';


sub new {
    my ($class, %o) = @_;
    my $dir = tempdir('mentara-pg-XXXXXX', TMPDIR => 1, CLEANUP => 0);
    my $self = bless { dir => $dir, owner => $$, %o }, $class;

    chmod 0755, $dir;
    _chown($dir);
    my $source = $o{empty} ? _template('empty') : _template('schema');
    _run('cp', '-a', $source, "$dir/data");
    $self->start;

    return $self;
}


sub conninfo { "host=$_[0]{dir} user=postgres dbname=mentara" }


# one statement; all values as text: a list of rows, or the first value
sub query {
    my ($self, $sql) = @_;
    my @rows = $self->rows($sql);

    return wantarray ? @rows : $rows[0] ? $rows[0][0] : undef;
}


sub rows {
    my ($self, $sql, %o) = @_;
    my @command = ('psql', '-X', '-q', '-A', '-t', '-F', "\x1f", '-R', "\x1e",
                   '-v', 'ON_ERROR_STOP=1', '-d', $self->conninfo, '-c', $sql);
    open my $fh, '-|', @command or die "psql: $!";
    local $/;
    my $out = <$fh>;
    close $fh or $o{may_fail} or die "psql failed: $sql\n";
    $out //= '';
    $out =~ s/[\n\x1e]\z//;

    return map { [split /\x1f/, $_, -1] } split /\x1e/, $out;
}


sub file {
    my ($self, @files) = @_;

    for my $file (@files) {
        _run('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d',
             $self->conninfo, '-f', $file);
    }
}


sub start {
    my ($self) = @_;

    _postgres("$bin/pg_ctl", '-D', "$self->{dir}/data", '-w', '-s', '-l',
              "$self->{dir}/log", '-o',
              "-k $self->{dir} -c listen_addresses='' -c fsync=off"
              . ' -c max_connections=200 -c shared_buffers=32MB',
              'start') == 0
        or die "postgres does not start: " . `tail -n 5 $self->{dir}/log`;
}


# mode: fast or immediate
sub stop {
    my ($self, $mode) = @_;

    _postgres("$bin/pg_ctl", '-D', "$self->{dir}/data", '-w', '-s', '-m',
              $mode // 'immediate', 'stop');
}


sub DESTROY {
    my ($self) = @_;

    return if $$ != $self->{owner};
    local ($?, $!, $@);
    $self->stop;
    remove_tree($self->{dir}) unless $ENV{MENTARA_KEEP};
}


# a data folder that is copied: with the schema and the demo's people
sub _template {
    my ($kind) = @_;
    my $key = sha1_hex(join '', map { _slurp($_) }
                       sort glob "$top/sql/*.s* $top/sql/*/*.sql");
    my $root = "$top/t/.cache";
    my $dir = "$root/$kind-" . substr $key, 0, 12;

    make_path($root);
    chmod 0755, $root;
    open my $lock, '>', "$root/lock" or die "$root/lock: $!";
    flock $lock, LOCK_EX;
    return "$dir/data" if -f "$dir/done";

    remove_tree($dir);
    make_path($dir);
    chmod 0755, $dir;
    _chown($dir);
    _postgres("$bin/initdb", '-D', "$dir/data", '-A', 'trust', '-U',
              'postgres', '-E', 'UTF8', '--locale=C.UTF-8', '-N') == 0
        or die "initdb failed";

    my $self = bless { dir => tempdir(TMPDIR => 1), owner => 0 },
        __PACKAGE__;
    chmod 0755, $self->{dir};
    _chown($self->{dir});
    rename "$dir/data", "$self->{dir}/data" or _run('mv', "$dir/data",
                                                    "$self->{dir}/data");
    $self->start;
    _run('psql', '-X', '-q', '-d',
         "host=$self->{dir} user=postgres dbname=postgres", '-c',
         'create database mentara');

    if ($kind eq 'schema') {
        _run("$top/sql/migrate.sh", $self->conninfo);
        $self->query(<<'SQL');
insert into messaging.people (id, first_name, last_name, role) values
    ('ana', 'Ana', 'Reyes', 'therapist'), ('ben', 'Ben', 'Okafor', 'therapist'),
    ('mia', 'Mia', 'Santos', 'client'), ('jun', 'Jun', 'Castillo', 'client'),
    ('rosa', 'Rosa', 'Dela Cruz', 'client'),
    ('sol', 'Sol', 'Navarro', 'moderator'),
    ('tess', 'Tess', 'Novak', 'moderator'),
    ('kai', 'Kai', 'Lindqvist', 'admin'),
    ('xeno', 'Xeno', 'Outsider', 'therapist')
SQL
    }

    $self->stop('fast');
    _run('mv', "$self->{dir}/data", "$dir/data");
    open my $done, '>', "$dir/done" or die;

    return "$dir/data";
}


sub _slurp {
    my ($file) = @_;
    open my $fh, '<', $file or die "$file: $!";
    local $/;

    return <$fh>;
}


sub _chown {
    my ($dir) = @_;
    return if $> != 0;
    my (undef, undef, $uid, $gid) = getpwnam 'postgres';
    chown $uid, $gid, $dir;
}


sub _run {
    system(@_) == 0 or die "@_ failed";
}


# quietly, as user postgres
sub _postgres {
    my @command = $> == 0 ? ('runuser', '-u', 'postgres', '--', @_) : @_;
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        open STDOUT, '>', '/dev/null';
        open STDIN, '<', '/dev/null';
        chdir '/';
        exec { $command[0] } @command or POSIX::_exit(127);
    }

    waitpid $pid, 0;

    return $?;
}


1;
