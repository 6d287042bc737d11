#!/usr/bin/env bash
# A real Odoo with CRM, Project and Timesheets on 127.0.0.1:$OD_PORT, beside a PostgreSQL of this
# machine on $OD_PGPORT. Database crm, user admin, password admin. All of it is in the folder
# $OD_DIR, and may be thrown away.
#
# $OD_RELEASE is 14, Debian 11's package in a folder tree of its own, or 19, the code of the package
# of Debian's next release with the packages from PyPI that odoo-19.txt names. What Debian has there
# may be exchanged any day: an Odoo 19 that cannot be set up or started is left out, too.
#
#   odoo.sh install   fetches the packages (exit 77 where they cannot be had)
#   odoo.sh init      makes the database, or restores it from what was made before
#   odoo.sh start     starts both servers, and waits until they answer
#   odoo.sh key LOGIN makes an API key for an account, and shows it (19)
#   odoo.sh destroy   stops them, and deletes the folder
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

: "${OD_DIR:?the folder that holds everything}"
release=${OD_RELEASE:-14}
port=${OD_PORT:-8369} pgport=${OD_PGPORT:-55441}
tree=$OD_DIR/tree recent=$OD_DIR/recent
mkdir -p "$OD_DIR"

leave_out() {
    echo "LEFT OUT: $1." >&2
    exit 77
}

postgresql_folder() {
    local initdb
    initdb=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -1) || return 1
    dirname "$initdb"
}

as_postgres() { runuser -u postgres -- "$@"; }

on_server() { # PROGRAM ARGUMENTS...
    local program=$1
    shift
    as_postgres "$(postgresql_folder)/$program" -h 127.0.0.1 -p "$pgport" "$@"
}

# The index of another Debian, by the mirror that this machine itself takes Debian from.
with_index() { # COMMAND ARGUMENTS...
    APT_CONFIG=$OD_DIR/apt/apt.conf "$@"
}

make_index() { # MIRROR SUITE
    local mirror=$1 at=$OD_DIR/apt
    mkdir -p "$at/state/lists/partial" "$at/cache/archives/partial"
    : >"$at/status"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
        "$mirror" "$2" >"$at/sources.list"
    printf '%s\n' "Dir::State \"$at/state\";" "Dir::State::status \"$at/status\";" \
        "Dir::Cache \"$at/cache\";" "Dir::Etc::sourcelist \"$at/sources.list\";" \
        'Dir::Etc::sourceparts "/dev/null";' 'APT::Sandbox::User "root";' >"$at/apt.conf"
    with_index timeout 300 apt-get update -qq >/dev/null
}

demand() { # PROGRAM PACKAGE
    ! command -v "$1" >/dev/null || return 0
    apt-get update -qq >/dev/null 2>&1 || true
    apt-get -o DPkg::Lock::Timeout=900 install -qq -y --no-install-recommends "$2" \
        >/dev/null 2>&1 || leave_out "$2 cannot be installed"
}

install_odoo() {
    [[ $(id -u) == 0 ]] || leave_out "accounts and folders of its own take root"
    command -v apt-get >/dev/null || leave_out "there is no apt-get here to install Odoo with"
    postgresql_folder >/dev/null || demand initdb postgresql
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
        grep '/debian/$' | sort -u | head -1) || leave_out "this machine takes no Debian packages"
    "install_$release" "$mirror"
    rm -rf "$OD_DIR/apt"
}

install_14() { # MIRROR
    local mirror=$1 needs
    [[ ! -e $tree/usr/bin/odoo ]] || return 0
    demand mmdebstrap mmdebstrap
    make_index "$mirror" bullseye || leave_out "Debian 11 is not offered here"
    needs=$(with_index apt-cache show odoo-14 2>/dev/null | sed -n 's/^Depends: //p' | head -1 |
        tr ',' '\n' | sed 's/ //g;s/:any//;s/(.*//;s/|.*//' | grep '^python3' | paste -sd,) ||
        leave_out "Debian 11 has no odoo-14 any more"
    rm -rf "$tree"
    # Documentation, translations and the accounting of countries are left out.
    mmdebstrap --mode=root --variant=apt --components=main \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/lib/python3/dist-packages/odoo/addons/*/i18n/*' \
        --dpkgopt='path-exclude=/usr/lib/python3/dist-packages/odoo/addons/l10n_*/*' \
        --include="$needs,adduser" --skip=check/empty \
        --customize-hook='chroot "$1" sh -c "cd /tmp && apt-get download -qq odoo-14 && dpkg --force-depends -i odoo-14_*.deb; rm -f odoo-14_*.deb"' \
        bullseye "$tree" \
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bullseye main" \
        >"$OD_DIR/mmdebstrap.log" 2>&1 || {
        tail -3 "$OD_DIR/mmdebstrap.log" >&2
        leave_out "Odoo cannot be installed"
    }
}

# What takes longer than five minutes on its own is given up.
install_19() { # MIRROR
    local python
    python=$(realpath -s "${PYTHON:-.venv/bin/python}")
    [[ ! -e $OD_DIR/venv/ready ]] || return 0
    "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' ||
        leave_out "Odoo 19 runs on Python 3.11 to 3.13"
    make_index "$1" sid || leave_out "Debian's next release is not offered here"
    mkdir -p "$recent"
    (cd "$OD_DIR" && with_index timeout 300 apt-get download -qq odoo-19 >/dev/null 2>&1) ||
        leave_out "Debian has no odoo-19 any more"
    # Translations and the accounting of countries are left out.
    dpkg-deb --fsys-tarfile "$OD_DIR"/odoo-19_*.deb | tar x -C "$recent" --strip-components=5 \
        --exclude='*/i18n/*' --exclude='*/addons/l10n_*' ./usr/lib/python3/dist-packages/odoo ||
        leave_out "the package odoo-19 is not what it was"
    rm -f "$OD_DIR"/odoo-19_*.deb
    "$python" -m venv "$OD_DIR/venv" || leave_out "there is no venv here"
    timeout 300 "$OD_DIR/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --no-input --no-compile --only-binary :all: -r tests/live/odoo-19.txt \
        >"$OD_DIR/pip.log" 2>&1 || leave_out "what Odoo 19 needs from PyPI cannot be had"
    touch "$OD_DIR/venv/ready"
}

start_postgresql() {
    local bin
    bin=$(postgresql_folder)
    chmod a+x "$OD_DIR"
    if [[ ! -d $OD_DIR/pg ]]; then
        install -d -o postgres "$OD_DIR/pg" "$OD_DIR/run"
        as_postgres "$bin/initdb" -D "$OD_DIR/pg" -A trust -E UTF8 --locale=C >/dev/null
    fi
    as_postgres "$bin/pg_ctl" status -D "$OD_DIR/pg" >/dev/null ||
        as_postgres "$bin/pg_ctl" start -D "$OD_DIR/pg" -w -l "$OD_DIR/run/pg.log" -o \
            "-p $pgport -c listen_addresses=127.0.0.1 -c unix_socket_directories=$OD_DIR/run -c fsync=off" \
            >/dev/null
    on_server psql -q -c 'create role odoo login createdb' postgres 2>/dev/null || true
}

odoo() { # ARGUMENTS...
    "odoo_$release" "$@"
}

odoo_14() {
    mkdir -p "$tree/tmp" "$tree/proc"
    mountpoint -q "$tree/proc" || mount --bind /proc "$tree/proc"
    settings 'without_demo = all' 'data_dir = /tmp/odoo-data' >"$tree/tmp/odoo.conf"
    exec chroot "$tree" odoo "${1:-server}" -c /tmp/odoo.conf -d crm "${@:2}"
}

odoo_19() {
    settings 'with_demo = False' "data_dir = $OD_DIR/data" "addons_path = $recent/odoo/addons" \
        >"$OD_DIR/odoo.conf"
    exec env PYTHONPATH="$recent" "$OD_DIR/venv/bin/python" -m odoo "${1:-server}" \
        -c "$OD_DIR/odoo.conf" -d crm "${@:2}"
}

settings() { # LINE...
    printf '%s\n' '[options]' 'db_host = 127.0.0.1' "db_port = $pgport" 'db_user = odoo' \
        'http_interface = 127.0.0.1' "http_port = $port" 'max_cron_threads = 0' \
        'list_db = False' "$@"
}

init() {
    local dump=$OD_DIR/pristine.dump
    start_postgresql
    if [[ ! -f $dump ]]; then
        (odoo server -i crm,project,hr_timesheet --stop-after-init --log-level=error) \
            >"$OD_DIR/init.log" 2>&1 || broken "$OD_DIR/init.log"
        on_server pg_dump -U odoo -Fc crm >"$dump"
        return
    fi
    on_server dropdb -U odoo --if-exists crm
    on_server createdb -U odoo crm
    on_server pg_restore -U odoo -d crm <"$dump"
}

start() {
    start_postgresql
    (odoo server --log-level=warn) >"$OD_DIR/odoo.log" 2>&1 &
    echo $! >"$OD_DIR/odoo.pid"
    local ask='{"jsonrpc":"2.0","method":"call","id":1,"params":{"service":"common","method":"version","args":[]}}'
    for _ in $(seq 3000); do
        ! curl -sf -o /dev/null -H 'Content-Type: application/json' -d "$ask" \
            "http://127.0.0.1:$port/jsonrpc" || return 0
        kill -0 "$(cat "$OD_DIR/odoo.pid")" 2>/dev/null || break
        sleep 0.2
    done
    broken "$OD_DIR/odoo.log"
}

broken() { # LOG
    tail -5 "$1" >&2
    [[ $release != 19 ]] || leave_out "Odoo 19, as Debian has it today, does not run here"
    exit 1
}

make_key() { # LOGIN
    local made
    made=$(odoo shell --no-http --log-level=error 2>/dev/null <<END
from datetime import datetime, timedelta
user = env['res.users'].search([('login', '=', '$1')])
until = datetime.now() + timedelta(days=80)
key = env['res.users.apikeys'].with_user(user)._generate(None, 'live suite', until)
env.cr.commit()
print('key:', key)
END
    )
    sed -n 's/^key: //p' <<<"$made" | grep . || broken "$OD_DIR/odoo.log"
}

destroy() {
    [[ ! -f $OD_DIR/odoo.pid ]] || kill "$(cat "$OD_DIR/odoo.pid")" 2>/dev/null || true
    if [[ -d $OD_DIR/pg ]]; then
        as_postgres "$(postgresql_folder)/pg_ctl" stop -m immediate -D "$OD_DIR/pg" >/dev/null 2>&1 ||
            true
    fi
    local mounted=0
    for _ in $(seq 50); do
        mounted=0
        ! mountpoint -q "$tree/proc" || umount "$tree/proc" 2>/dev/null || mounted=1
        [[ $mounted == 1 ]] || break
        sleep 0.2
    done
    if [[ $mounted == 1 ]]; then # never deleted while it shows what runs on this machine
        umount -l "$tree/proc"
    fi
    rm -rf --one-file-system "$OD_DIR"
}

case ${1:-} in
    install) install_odoo ;;
    init) init ;;
    start) start ;;
    key) make_key "${2:?a login}" ;;
    destroy) destroy ;;
    *)
        echo "usage: odoo.sh install | init | start | key LOGIN | destroy" >&2
        exit 2
        ;;
esac
