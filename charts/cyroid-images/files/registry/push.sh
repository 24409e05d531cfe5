#!/bin/sh
# Runs the push listener, except while the collector asks it to stand still:
#   push.sh GATE COMMAND [ARGUMENT...]
# While GATE/paused is there and was touched within the last minute, COMMAND is stopped, and
# GATE/stopped says that its process has ended. A collector that died keeps nobody waiting.
set -u
gate=$1
shift
child=
ending=

is_paused() { [ -n "$(find "$gate/paused" -mmin -1 2>/dev/null)" ]; }

# In the background, so that a signal ends the wait at once.
pause() {
    sleep "$1" &
    wait $!
}

stop() {
    kill -TERM "$child" 2>/dev/null
    # A signal to this script ends a `wait` early.
    while kill -0 "$child" 2>/dev/null; do wait "$child"; done
    child=
}

trap 'ending=1' TERM INT

while [ -z "$ending" ]; do
    # First this, then the look: the collector asks first and looks for this file then.
    rm -f "$gate/stopped"
    if is_paused; then
        : >"$gate/stopped"
        pause 0.1
        continue
    fi
    "$@" &
    child=$!
    until [ -n "$ending" ] || is_paused; do
        if ! kill -0 "$child" 2>/dev/null; then
            wait "$child"
            exit
        fi
        pause 1
    done
    stop
done
