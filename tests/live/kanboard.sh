#!/usr/bin/env bash
# A real Kanboard from Debian's own package on 127.0.0.1, throw-away, in one folder.
#
#   kanboard.sh install     PHP from this release, and Kanboard from the suite that has it (40 MB)
#   kanboard.sh init        a SQLite database with the users ana and bo
#   kanboard.sh start|stop  PHP's own server on 127.0.0.1:$KB_PORT, four requests at once
#   kanboard.sh destroy     stop, and remove $KB_DIR
#   kanboard.sh all         install, init, start
#
# Settings (environment): KB_DIR (.live/kanboard below the present folder), KB_PORT (8391), KB_TOKEN
# (the application's), KB_PERSON_TOKEN (the password of ana and bo), KB_SUITE (sid).
# Exits with 77, saying why, where it cannot be had: it takes root, and a mirror of Debian with
# that suite. The mirror is the one that this machine's apt is set up with.
set -euo pipefail
KB_DIR=${KB_DIR:-$PWD/.live/kanboard}
KB_PORT=${KB_PORT:-8391}
KB_TOKEN=${KB_TOKEN:-$(printf 't%.0s' {1..40})}
KB_PERSON_TOKEN=${KB_PERSON_TOKEN:-$(printf 'p%.0s' {1..40})}
KB_SUITE=${KB_SUITE:-sid}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
quiet=(-qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=2)

log() { echo "kanboard.sh: $*" >&2; }

leave_out() {
    log "$*"
    exit 77
}

php() { # the versioned package of this release's PHP, such as php8.2
    apt-cache depends php-cli 2>/dev/null | sed -n 's/.*Depends: \(php[0-9.]*\)-cli/\1/p' | head -1
}

install_php() {
    local version missing=() package
    version=$(php)
    if [[ -z $version ]]; then
        timeout 120 apt-get "${quiet[@]}" update >/dev/null 2>&1 || true
        version=$(php)
    fi
    [[ -n $version ]] || leave_out "no package source here has PHP"
    for package in "$version-cli" "$version-sqlite3" "$version-xml" "$version-gd" \
        "$version-mbstring" php-christianriesen-otp php-eluceo-ical php-parsedown \
        php-gregwar-captcha php-matthiasmullie-minify php-pimple php-psr-log php-swiftmailer \
        php-symfony-console php-symfony-event-dispatcher php-symfony-event-dispatcher-contracts \
        php-symfony-finder php-symfony-service-contracts php-symfony-string \
        php-symfony-deprecation-contracts composer libjs-jquery-ui fonts-font-awesome; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$package")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    [[ $(id -u) == 0 ]] || leave_out "installing ${missing[*]} takes root"
    DEBIAN_FRONTEND=noninteractive apt-get "${quiet[@]}" install -y --no-install-recommends \
        "${missing[@]}" >/dev/null || leave_out "the packages that Kanboard needs cannot be had"
}

# The package is taken apart instead of installed: its own dependencies are newer than this release.
unpack_kanboard() {
    local mirror own=$KB_DIR/apt
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
        grep '/debian/$' | sort -u | head -1) || leave_out "this machine has no mirror of Debian"
    mkdir -p "$own/state/lists/partial" "$own/cache/archives/partial"
    : >"$own/status"
    printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$KB_SUITE" >"$own/sources.list"
    {
        printf 'Dir::State "%s/state";\nDir::State::status "%s/status";\n' "$own" "$own"
        printf 'Dir::Cache "%s/cache";\nDir::Etc::sourcelist "%s/sources.list";\n' "$own" "$own"
        printf 'Dir::Etc::sourceparts "/dev/null";\nAPT::Sandbox::User "root";\n'
    } >"$own/apt.conf"
    (
        cd "$KB_DIR"
        export APT_CONFIG=$own/apt.conf
        apt-get "${quiet[@]}" update >/dev/null && apt-get "${quiet[@]}" download kanboard
    ) || leave_out "$KB_SUITE does not offer Kanboard"
    rm -rf "$KB_DIR/unpacked"
    dpkg-deb -x "$KB_DIR"/kanboard_*_all.deb "$KB_DIR/unpacked"
    mv "$KB_DIR/unpacked/usr/share/kanboard" "$KB_DIR/app"
    rm -rf "$KB_DIR/unpacked" "$own" "$KB_DIR/app/config.php"
}

do_install() {
    command -v apt-get >/dev/null || leave_out "there is no apt-get here"
    mkdir -p "$KB_DIR"
    install_php
    [[ -d $KB_DIR/app ]] || unpack_kanboard
}

do_init() {
    mkdir -p "$KB_DIR/data" "$KB_DIR/plugins"
    cat >"$KB_DIR/app/config.php" <<SETTINGS
<?php
define('DATA_DIR', '$KB_DIR/data');
define('PLUGINS_DIR', '$KB_DIR/plugins');
define('DB_DRIVER', 'sqlite');
define('DB_FILENAME', '$KB_DIR/data/db.sqlite');
define('API_AUTHENTICATION_TOKEN', '$KB_TOKEN');
define('LOG_DRIVER', 'file');
SETTINGS
    do_start
    for name in ana bo; do
        ask createUser "{\"username\":\"$name\",\"password\":\"$KB_PERSON_TOKEN\",\"name\":\"${name^}\",\
\"email\":\"$name@example.invalid\",\"role\":\"app-user\"}" >/dev/null
    done
    do_stop
}

ask() { # METHOD [PARAMETERS]
    curl -sf -m 20 -u "jsonrpc:$KB_TOKEN" -d \
        "{\"jsonrpc\":\"2.0\",\"method\":\"$1\",\"id\":1,\"params\":${2:-{\}}}" \
        "http://127.0.0.1:$KB_PORT/jsonrpc.php"
}

do_start() {
    (
        cd "$KB_DIR/app"
        PHP_CLI_SERVER_WORKERS=4 nohup setsid "$(php)" -S "127.0.0.1:$KB_PORT" -t . \
            >"$KB_DIR/server.log" 2>&1 </dev/null &
        echo $! >"$KB_DIR/kanboard.pid"
    )
    for _ in $(seq 3000); do
        if ask getVersion >/dev/null; then
            log "Kanboard answers on http://127.0.0.1:$KB_PORT"
            return
        fi
        sleep 0.1
    done
    tail -30 "$KB_DIR/server.log" >&2
    return 1
}

do_stop() {
    local pid
    pid=$(cat "$KB_DIR/kanboard.pid" 2>/dev/null) || return 0
    kill -- "-$pid" 2>/dev/null || kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    rm -f "$KB_DIR/kanboard.pid"
}

do_destroy() {
    do_stop
    rm -rf "$KB_DIR"
}

do_all() {
    do_install
    log "installed after $SECONDS s"
    do_init
    do_start
    log "started after $SECONDS s"
}

case "${1:-}" in
    install | init | start | stop | destroy | all) "do_$1" ;;
    *)
        sed -n '2,14p' "$0" >&2
        exit 2
        ;;
esac
