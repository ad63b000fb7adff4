# Shared by the scripts of tools/: where things are.  Sourced, not run.

top=$(cd "$(dirname "$0")/.." && pwd)
pgbin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)

die() { echo "$*" >&2; exit 1; }

# Postgres refuses to run as root
as_postgres() {
    if [ "$(id -u)" -eq 0 ]; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}

# a folder's absolute path, made if missing
folder() { mkdir -p "$1" && cd "$1" && pwd; }
