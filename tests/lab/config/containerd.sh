# Starts containerd; the first time without the containers of the lab before. Its images are
# kept, but its pods ended without a goodbye, and the kubelet would mourn them for minutes.
# $1: containerd, $2: ctr
set -eu
if [ ! -d /run/containerd ]; then
    cat > /run/clean.toml <<'END'
version = 2
root = "/run/lab/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "/run/clean.sock"
END
    "$1" --config=/run/clean.toml &
    cleaner=$!
    ctr="$2 --address=/run/clean.sock --namespace=k8s.io containers"
    tries=0
    until old=$($ctr list --quiet 2>/dev/null); do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || exit 1
        sleep 0.1
    done
    [ -z "$old" ] || $ctr delete $old
    kill $cleaner
    wait $cleaner || :
fi
exec "$1" --config=/run/lab/containerd.toml
