# Runs a command as a container does that may write nowhere: with a file system of its own, as one user, without capabilities.
#   unshare -m sh isolate.sh IMAGE MOUNTPOINT NODE_FOLDER WORKDIR USER [SHOWN=AT]... -- COMMAND...
set -eu
image=$1 root=$2 node=$3 workdir=$4 user=$5
shift 5

show() {
  if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$root$(dirname "$2")" && touch "$root$2"; fi
  mount --bind "$1" "$root$2"
  mount -o remount,bind,ro "$root$2"
}

umask 022
mount -t tmpfs -o mode=755 tmpfs "$root"
# Of the base image: whatever this machine has.
for folder in /usr /bin /lib /lib64 /etc /dev "$node"; do
  if [ -e "$folder" ]; then show "$folder" "$folder"; fi
done
mkdir "$root/proc" && mount --rbind /proc "$root/proc"
mkdir -p -m 1777 "$root/tmp"
for entry in "$image"/*; do show "$entry" "/$(basename "$entry")"; done
while [ "$1" != -- ]; do
  show "${1%%=*}" "${1#*=}"
  shift
done
shift
mount -o remount,ro "$root"
# shellcheck disable=SC2016
exec chroot "$root" setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
  sh -c 'cd "$1" && shift && exec "$@"' sh "$workdir" "$@"
