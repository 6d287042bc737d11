#!/bin/sh
# One run, with as few rights as it needs; start it from cron or a timer of the host.
# The host's name is given: in a name that changes at each start, the lease of a run that was
# killed would have to be waited for.
set -eu
exec docker run --rm --name pipeline-sync-acme --hostname pipeline-sync-acme \
    --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
    --memory 512m --pids-limit 64 --stop-timeout 90 \
    --volume /srv/pipeline-sync/acme/etc:/etc/pipeline-sync:ro \
    --volume /srv/pipeline-sync/acme/taiga-password:/run/secrets/taiga-password:ro \
    --volume /srv/pipeline-sync/acme/data:/var/lib/pipeline-sync \
    pipeline-sync run
