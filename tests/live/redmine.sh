#!/usr/bin/env bash
# A real Redmine 5 from Debian's own packages on 127.0.0.1, throw-away, in one folder.
#
#   redmine.sh install     the packages (root; about 30 MB)
#   redmine.sh init        a private copy of the application, a database, accounts, fields
#   redmine.sh start|stop  puma on 127.0.0.1:$RM_PORT
#   redmine.sh destroy     stop, and remove $RM_DIR
#   redmine.sh all         install, init, start
#
# Settings (environment): RM_DIR (.live/redmine below the present folder), RM_PORT (3080),
# RM_KEY (the administrator's API key), RM_ROBOT_KEY (the key of an account that is none),
# RM_DB (sqlite, or postgresql: then PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE name an empty
# database, as `python -m tests.live.postgresql COMMAND` sets them).
set -euo pipefail
RM_DIR=${RM_DIR:-$PWD/.live/redmine}
RM_PORT=${RM_PORT:-3080}
RM_KEY=${RM_KEY:-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}
RM_ROBOT_KEY=${RM_ROBOT_KEY:-6666666666666666666666666666666666666666}
RM_DB=${RM_DB:-sqlite}
source=/usr/share/redmine
app=$RM_DIR/app
instance=$app/instances/default
case $RM_DB in
    sqlite) package=redmine-sqlite ;;
    postgresql) package=redmine-pgsql ;;
    *)
        echo "redmine.sh: RM_DB is sqlite or postgresql, not $RM_DB" >&2
        exit 2
        ;;
esac

log() { echo "redmine.sh: $*" >&2; }

# Debian's gems need the bundler that comes with them, not a later one of a security update.
bundler_version() { dpkg-query -W -f '${Version}' ruby-bundler 2>/dev/null | sed 's/-.*//'; }

in_app() {
    (cd "$app" && exec env -i BUNDLER_VERSION="$(bundler_version)" BUNDLE_GEMFILE="$app/Gemfile" \
        RAILS_ENV=production REDMINE_LANG=en SCHEMA=/dev/null HOME="$RM_DIR" LANG=C.UTF-8 TZ=UTC \
        PATH="$PATH" RM_KEY="$RM_KEY" RM_ROBOT_KEY="$RM_ROBOT_KEY" "$@")
}

is_installed() {
    dpkg-query -W -f '${Status}' redmine 2>/dev/null | grep -q 'ok installed' &&
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' &&
        command -v puma sqlite3 curl >/dev/null
}

do_install() {
    is_installed && return
    export DEBIAN_FRONTEND=noninteractive
    apt-get -o DPkg::Lock::Timeout=300 update -qq
    # The package must not set up a database of its own.
    apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends \
        debconf ruby-bundler >/dev/null
    printf '%s\n' 'redmine redmine/instances/default/dbconfig-install boolean false' \
        'redmine redmine/default-language select en' | debconf-set-selections
    BUNDLER_VERSION=$(bundler_version) apt-get -o DPkg::Lock::Timeout=300 install -y -q \
        --no-install-recommends redmine "$package" puma sqlite3 curl ca-certificates >/dev/null
}

database_yml() {
    if [[ $RM_DB == postgresql ]]; then
        printf 'production:\n  adapter: postgresql\n  encoding: unicode\n  pool: 8\n'
        printf '  host: "%s"\n  port: %s\n  username: "%s"\n  password: "%s"\n  database: "%s"\n' \
            "$PGHOST" "$PGPORT" "$PGUSER" "$PGPASSWORD" "$PGDATABASE"
    else
        printf 'production:\n  adapter: sqlite3\n  database: %s\n  timeout: 20000\n' \
            "$instance/redmine.sqlite3"
    fi
}

do_init() {
    [[ -f $RM_DIR/initialised ]] && return
    mkdir -p "$RM_DIR"
    rm -rf "$app"
    cp -a --no-preserve=ownership "$source" "$app"
    # The links to the packaged scripts are relative to where the package is.
    find "$app/public/javascripts" -type l | while read -r link; do
        ln -sfn "$(readlink -f "$source/${link#"$app"/}")" "$link"
    done
    rm -f "$app/instances" "$app/Gemfile.lock" "$app/config/database.yml"
    mkdir -p "$instance"/{config,log,files,tmp,public/plugin_assets}
    sed -i "s#/usr/share/redmine/{config,instances/\*/config}/database.yml#$instance/config/database.yml#" \
        "$app/Gemfile"
    echo "gem 'puma'" >"$app/Gemfile.local"
    database_yml >"$instance/config/database.yml"
    head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$instance/config/secret_key.txt"
    cp "$(dirname "${BASH_SOURCE[0]}")/redmine_seed.rb" "$RM_DIR/seed.rb"
    in_app bundle install --local --quiet 2>/dev/null
    in_app bundle exec rake db:migrate >"$RM_DIR/migrate.log" 2>&1 || {
        tail -30 "$RM_DIR/migrate.log" >&2
        return 1
    }
    in_app bundle exec rails runner "$RM_DIR/seed.rb"
    touch "$RM_DIR/initialised"
}

do_start() {
    # One thread: on SQLite, writers in parallel are now and then answered with 500.
    local threads=1:1 workers=0
    [[ $RM_DB == postgresql ]] && threads=4:4 workers=2
    in_app nohup setsid bundle exec puma -b "tcp://127.0.0.1:$RM_PORT" -t $threads -w $workers \
        -e production \
        --pidfile "$instance/tmp/puma.pid" config.ru >"$RM_DIR/puma.log" 2>&1 </dev/null &
    for _ in $(seq 3000); do
        if curl -sf -o /dev/null -H "X-Redmine-API-Key: $RM_KEY" \
            "http://127.0.0.1:$RM_PORT/users/current.json"; then
            log "Redmine answers on http://127.0.0.1:$RM_PORT"
            return
        fi
        sleep 0.1
    done
    tail -30 "$RM_DIR/puma.log" >&2
    return 1
}

do_stop() {
    local pid
    pid=$(cat "$instance/tmp/puma.pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
}

do_destroy() {
    do_stop
    rm -rf "$RM_DIR"
}

do_all() {
    do_install
    log "installed after $SECONDS s"
    do_init
    log "initialised after $SECONDS s"
    do_start
    log "started after $SECONDS s"
}

case "${1:-}" in
    install | init | start | stop | destroy | all) "do_$1" ;;
    *)
        sed -n '2,12p' "$0" >&2
        exit 2
        ;;
esac
