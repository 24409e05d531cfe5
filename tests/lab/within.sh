# within.sh FILE_SYSTEM PROJECT CA_BUNDLE COMMAND...: the command in that file system.
#
# In a mount namespace of its own: what is mounted here ends with it, and the file system, which
# others share, is not written to. The project is there under the path that it has outside.
set -eu
lower=$1 project=$2 bundle=$3
shift 3
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
root=/mnt/root
mount -t overlay -o "lowerdir=$lower,upperdir=/mnt/upper,workdir=/mnt/work" overlay "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mkdir -p "$root$project"
mount --bind "$project" "$root$project"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
if [ -n "$bundle" ]; then
    mkdir -p "$root$(dirname "$bundle")"
    cp -L "$bundle" "$root$bundle"
fi
exec chroot "$root" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/tmp \
    sh -c 'cd "$1" && shift && exec "$@"' sh "$project" "$@"
