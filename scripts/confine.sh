#!/bin/sh
# Runs Node as a user without any right on a file system that nothing can be written to, but for one folder.
#
#     unshare -m --propagation private sh confine.sh CHECKOUT NODE FOLDER ARGUMENT…
#
# The checkout appears in FOLDER/stage/checkout, since a folder above it may be closed to other users. FOLDER/results can be
# written to.
set -eu
checkout=$1 node=$2 folder=$3
shift 3
stage=$folder/stage
nobody='setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs'

mkdir "$stage" "$folder/results"
chmod 755 "$folder"
chmod 777 "$folder/results"
mount -t tmpfs -o mode=755 tmpfs "$stage"
mkdir "$stage/checkout"
touch "$stage/node"
mount --bind "$checkout" "$stage/checkout"
mount --bind "$node" "$stage/node"
mount --bind "$folder/results" "$folder/results"
cut -d ' ' -f 5 /proc/self/mountinfo | sort -u | while read -r place; do
  case $place in "$folder/results" | /dev | /dev/* | /proc | /proc/* | /sys | /sys/*) continue ;; esac
  # A mount below another one cannot be reached by its name.
  if mountpoint -q "$place" || [ "$place" = "$stage/node" ]; then mount -o remount,bind,ro "$place"; fi
done

cd "$stage/checkout"
for place in / "$stage" "$stage/checkout" /tmp /var/tmp; do
  if touch "$place/written" 2>&-; then
    echo "confine.sh: $place can be written to" >&2
    exit 1
  fi
done
exec env HOME=/nonexistent TMPDIR="$folder/results" $nobody "$stage/node" "$@"
