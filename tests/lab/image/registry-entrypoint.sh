#!/bin/sh
# Takes the same arguments as the official registry image: a configuration file or a command.
set -eu
case "${1:-}" in
*.yaml | *.yml) set -- registry serve "$@" ;;
serve | garbage-collect | help | -*) set -- registry "$@" ;;
esac
exec "$@"
