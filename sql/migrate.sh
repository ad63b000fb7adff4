#!/bin/sh
# Brings a database to the newest schema: numbered migrations that are
# missing, then the functions.  Can be run at any time, also twice.
#
#   sql/migrate.sh "host=/run/postgresql dbname=mentara"
set -eu

[ $# -eq 1 ] || { echo "usage: $0 CONNINFO" >&2; exit 2; }

here=$(cd "$(dirname "$0")" && pwd)
run() { PGOPTIONS='-c client_min_messages=warning' \
        psql -X -q -v ON_ERROR_STOP=1 -d "$conninfo" "$@"; }
conninfo=$1

for file in "$here"/migrations/*.sql; do
    number=$(basename "$file" | sed 's/^0*//; s/_.*//')
    have=$(run -At -c "select coalesce((select version from
        messaging.schema_migrations where version = $number), 0)" \
        2>/dev/null || echo 0)
    [ "$have" = "$number" ] || run -f "$file"
done

{ echo 'begin;'; cat "$here"/api/*.sql; echo 'commit;'; } | run -f -
