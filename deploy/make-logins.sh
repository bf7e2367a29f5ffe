#!/bin/sh
# Run once by the postgres image, on an empty data volume: the logins that need a password.
# `skeldir migrate` makes every other role, and gives these their rights.
set -eu
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
    --set=api="$APP_USER_PASSWORD" --set=worker="$APP_WORKER_PASSWORD" <<'SQL'
CREATE ROLE app_user LOGIN PASSWORD :'api';
CREATE ROLE app_worker LOGIN PASSWORD :'worker';
SQL
