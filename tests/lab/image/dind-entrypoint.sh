#!/bin/sh
# Starts dockerd as the official dind image does; arguments with a host of their own win.
set -eu

if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    # cgroup v2: a cgroup with processes cannot give controllers to its children.
    mkdir -p /sys/fs/cgroup/init
    xargs -rn1 < /sys/fs/cgroup/cgroup.procs > /sys/fs/cgroup/init/cgroup.procs || :
    sed -e 's/ / +/g' -e 's/^/+/' < /sys/fs/cgroup/cgroup.controllers \
        > /sys/fs/cgroup/cgroup.subtree_control || :
fi

# A pid file outlives an engine that was killed, and the next one would refuse to start.
rm -f /run/docker.pid /var/run/docker.pid /run/docker/containerd/containerd.pid
if [ "$#" -gt 0 ] && [ "${1#-}" = "$1" ]; then
    exec "$@"
fi
case " $* " in
*" -H"* | *" --host"*) exec dockerd "$@" ;;
esac
certificates="${DOCKER_TLS_CERTDIR:-}/server"
if [ -n "${DOCKER_TLS_CERTDIR:-}" ] && [ -s "$certificates/key.pem" ]; then
    exec dockerd -H unix:///var/run/docker.sock -H tcp://0.0.0.0:2376 --tlsverify \
        --tlscacert "$certificates/ca.pem" --tlscert "$certificates/cert.pem" \
        --tlskey "$certificates/key.pem" "$@"
fi
exec dockerd -H unix:///var/run/docker.sock -H tcp://0.0.0.0:2375 "$@"
