# nginx.conf.example as it is (b15), and an nginx that has the module and others that do
# not (b57).
use strict;
use warnings;
use lib 't/lib';
use File::Temp qw(tempdir);
use Mentara::Nginx;
use Mentara::Test;
use Mentara::Token qw(rsa_key);
use Mojo::UserAgent;
use Test::More;

# --- b15

my $text = do { open my $fh, '<', 'nginx.conf.example' or die; local $/; <$fh> };
my $dir = tempdir(CLEANUP => 1);
my ($key, $public) = rsa_key("$dir/clerk");
system("openssl req -x509 -newkey rsa:2048 -nodes -keyout $dir/tls.key -out $dir/tls.pem -days 2"
       . ' -subj /CN=app.example 2>/dev/null') == 0 or die;
my @passes = $text =~ /^(?!\s*#).*?proxy_pass\s+(\S+);/mg;
is("@passes", 'https://clerk.example/.well-known/jwks.json',
   'b15: nothing but keys comes from elsewhere');
unlike($text, qr/^(?!\s*#).*(fastcgi_pass|uwsgi_pass|grpc_pass|upstream)/m, 'b15: no other server');

my $module = $Mentara::Nginx::module;
my $conf = $text =~ s{modules/ngx_mentara_module\.so}{$module}r
    =~ s{/etc/mentara/clerk\.pem}{$public}r =~ s{/etc/mentara/(tls\.\w+)}{$dir/$1}gr
    =~ s{/etc/ssl/certs/ca-certificates\.crt}{$dir/tls.pem}r
    =~ s{/var/log/nginx/}{$dir/}gr =~ s{https://clerk\.example/\.well}{https://127.0.0.1/.well}r
    =~ s{listen 443}{listen 127.0.0.1:@{[Mentara::Nginx::free_port()]}}r;
open my $out, '>', "$dir/nginx.conf" or die;
print $out "pid $dir/nginx.pid;\n$conf";
close $out;
local $ENV{ASAN_OPTIONS} = 'detect_leaks=0:detect_odr_violation=0';
my $says = `$Mentara::Nginx::binary -t -p $dir -c $dir/nginx.conf -e $dir/error.log 2>&1`;
is($?, 0, 'b15: nginx -t accepts the example') or diag($says);
unlike($says, qr/warn/, 'b15: without a warning');
my $jwks = $conf =~ s/^\s*mentara_jwt_key .*\n//mr =~ s/# (mentara_jwt_jwks)/$1/r;
open $out, '>', "$dir/nginx.conf" or die;
print $out "pid $dir/nginx.pid;\n$jwks";
close $out;
$says = `$Mentara::Nginx::binary -t -p $dir -c $dir/nginx.conf -e $dir/error.log 2>&1`;
is($?, 0, 'b15: nor with the key set instead of the key') or diag($says);

# --- b57: loaded, other locations go on as before

sub get { Mojo::UserAgent->new->get($_[0]->url . $_[1])->res }

my $with = server(locations => <<'CONF');
location /other { default_type text/plain; return 200 "other\n"; }
location /other/mentara { return 204; }
location /limited { limit_rate 1m; default_type text/plain; return 200 "$mentara_user-$mentara_route\n"; }
location /messagingx { return 418; }
CONF
is(get($with, '/other')->body, "other\n", 'b57: another location');
is(get($with, '/other')->headers->header('X-Request-Id'), undef, 'b57: gets nothing of ours');
is(get($with, '/other/mentara')->code, 204, 'b57: nor its children');
is(get($with, '/limited')->body, "-\n", 'b57: variables are empty there');
is(get($with, '/messaging/health')->code, 200, 'b57: the API answers');
is(get($with, '/nowhere')->code, 404, 'b57: and nginx where there is nothing');
unlike(get($with, '/nowhere')->body, qr/requestId/, 'b57: in its own words');

# reloaded without a word of ours: the same port, no API, no zone, no connection

my $before = db->query("select count(*) from pg_stat_activity where datname = 'mentara'");
$with->{no_module} = 1;
$with->{http} = '';
$with->{locations} = 'location /other { default_type text/plain; return 200 "other\n"; }';
$with->write_file('nginx.conf', $with->config);
my @old = $with->workers;
$with->reload;
$with->wait_for(sub { get($with, '/messaging/health')->code == 404 }, 'the end of the API');
is(get($with, '/other')->body, "other\n", 'b57: switched off, other locations go on');
$with->wait_for(sub { my %now = map { $_ => 1 } $with->workers; !grep { $now{$_} } @old },
                'the end of the old workers');
$with->wait_for(sub { db->query("select count(*) from pg_stat_activity where datname = 'mentara'")
                      < $before }, 'the end of its connections');
is(db->query(q(select count(*) from pg_stat_activity where datname = 'mentara'
               and pid <> pg_backend_pid() and backend_type = 'client backend')), 0,
   'b57: and no connection is left');
my ($worker) = $with->workers;
my $maps = do { open my $fh, '<', "/proc/$worker/maps" or die; local $/; <$fh> };
unlike($maps, qr/mentara/, 'b57: nor the module in memory');

finish();
