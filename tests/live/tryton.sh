#!/usr/bin/env bash
# A real Tryton 8 from its own packages on 127.0.0.1, throw-away, in one folder.
#
#   tryton.sh install     a virtual environment of its own with Tryton (about 90 MB)
#   tryton.sh init        a SQLite database: a company, an employee, users, application keys
#   tryton.sh start|stop  trytond on 127.0.0.1:$TT_PORT
#   tryton.sh destroy     stop, and remove $TT_DIR
#   tryton.sh all         install, init, start
#
# Settings (environment): TT_DIR (.live/tryton below the present folder), TT_PORT (8099), PYTHON
# (python3), and the keys of three applications: TT_KEY (the administrator's), TT_ROBOT_KEY (of a
# user who may work with opportunities), TT_OUTSIDER_KEY (of one who may do nothing).
set -euo pipefail
TT_DIR=${TT_DIR:-$PWD/.live/tryton}
TT_PORT=${TT_PORT:-8099}
export TT_KEY=${TT_KEY:-$(printf 'a%.0s' {1..64})}
export TT_ROBOT_KEY=${TT_ROBOT_KEY:-$(printf 'b%.0s' {1..64})}
export TT_OUTSIDER_KEY=${TT_OUTSIDER_KEY:-$(printf 'c%.0s' {1..64})}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=$TT_DIR/venv/bin/python
config=$TT_DIR/trytond.conf
database=$TT_DIR/db/erp.sqlite
export TT_CONFIG=$config

# An application without a key is answered with 401.
answers='import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], timeout=5)
except urllib.error.HTTPError as error:
    sys.exit(error.code != 401)
except OSError:
    sys.exit(1)'

log() { echo "tryton.sh: $*" >&2; }

do_install() {
    [[ -x $TT_DIR/venv/bin/trytond ]] && return
    mkdir -p "$TT_DIR/db"
    "${PYTHON:-python3}" -m venv "$TT_DIR/venv"
    "$python" -m pip install --quiet --disable-pip-version-check \
        'trytond>=8.0,<9' 'trytond-sale-opportunity>=8.0,<9' 'proteus>=8.0,<9' >"$TT_DIR/install.log" 2>&1 || {
        tail -5 "$TT_DIR/install.log" >&2
        rm -rf "$TT_DIR/venv"
        return 1
    }
}

do_init() {
    [[ -f $TT_DIR/ready ]] && return
    printf '[database]\nuri = sqlite://\npath = %s\n[web]\nlisten = 127.0.0.1:%s\n' \
        "$TT_DIR/db" "$TT_PORT" >"$config"
    # Fields of one's own take a module of one's own.
    local modules
    modules=$("$python" -c 'import trytond.modules as m, pathlib; print(pathlib.Path(m.__file__).parent)')
    rm -rf "$modules/delivery_facts"
    cp -r "$here/tryton_module" "$modules/delivery_facts"
    : >"$database" # trytond-admin does not make the file
    head -c 18 /dev/urandom | base64 >"$TT_DIR/password"
    {
        TRYTONPASSFILE=$TT_DIR/password "$TT_DIR/venv/bin/trytond-admin" -c "$config" -d erp --all \
            --email admin@example.invalid &&
            "$TT_DIR/venv/bin/trytond-admin" -c "$config" -d erp -u delivery_facts \
                --activate-dependencies &&
            "$python" "$here/tryton_seed.py"
    } >"$TT_DIR/init.log" 2>&1 || {
        tail -30 "$TT_DIR/init.log" >&2
        return 1
    }
    touch "$TT_DIR/ready"
}

do_start() {
    nohup setsid "$TT_DIR/venv/bin/trytond" -c "$config" -d erp >"$TT_DIR/trytond.log" 2>&1 \
        </dev/null &
    echo $! >"$TT_DIR/trytond.pid"
    for _ in $(seq 3000); do
        if "$python" -c "$answers" "http://127.0.0.1:$TT_PORT/erp/rest/model/ir.lang"; then
            log "Tryton answers on http://127.0.0.1:$TT_PORT"
            return
        fi
        sleep 0.1
    done
    tail -30 "$TT_DIR/trytond.log" >&2
    return 1
}

do_stop() {
    local pid
    pid=$(cat "$TT_DIR/trytond.pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    rm -f "$TT_DIR/trytond.pid"
}

do_destroy() {
    do_stop
    rm -rf "$TT_DIR"
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
        sed -n '2,13p' "$0" >&2
        exit 2
        ;;
esac
