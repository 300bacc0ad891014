#!/bin/bash
# Makes a disk with Node, this checkout and the programs of Linux that it works with, for the virtual machine of build-image.sh.
#
# usage: build-disk.sh FOLDER CHECKOUT
#   FOLDER/disk   an ext4 file system; init.sh runs the commands of the console inside if the machine has such a disk
#
# The checkout is /opt/wiretype there, /opt/names has it as wg and wg-quick. Made anew each time: the checkout changes.
# needs: node, mke2fs, wireguard-tools, iproute2, nftables, iputils-ping, procps, util-linux
set -euo pipefail

folder=${1:?usage: build-disk.sh FOLDER CHECKOUT}
checkout=${2:?usage: build-disk.sh FOLDER CHECKOUT}
programs=(bash cat chmod cmp cp cut date env find flock getent grep head id ip ln ls mkdir mkfifo mktemp mount mv nft node nsenter
  ping readlink rm sed setpriv setsid sh sleep sort stat sync sysctl tail timeout touch tr true umount unshare wc wg wg-quick)
megabytes=320

mkdir -p "$folder"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{dev,etc/wireguard,opt/names,opt/wiretype,proc,root,run,sys,tmp,usr/bin,usr/lib,usr/lib64,usr/sbin}
for name in bin lib lib64 sbin; do ln -s "usr/$name" "$root/$name"; done
ln -s ../run "$root/var-run"
mkdir "$root/var"
mv "$root/var-run" "$root/var/run"
printf 'root:x:0:0:root:/root:/bin/bash\n' > "$root/etc/passwd"
printf '127.0.0.1 localhost\n' > "$root/etc/hosts"
printf 'hosts: files\n' > "$root/etc/nsswitch.conf"
: > "$root/etc/resolv.conf"

libraries() { ldd "$1" 2> /dev/null | grep --only-matching --extended-regexp '/[^ ]+' || true; }
install_library() {
  mkdir -p "$root$(dirname "$1")"
  cp --dereference --update "$1" "$root$1"
}

for name in "${programs[@]}"; do
  program=$(type -P "$name") || { echo "there is no program $name" >&2; exit 1; }
  cp --dereference "$program" "$root/usr/bin/$name"
  libraries "$program" | while read -r library; do install_library "$library"; done
done
# What the C library loads only when a name is looked up.
for library in /lib/*-linux-gnu/libnss_files.so.2 /lib/*-linux-gnu/libresolv.so.2; do
  if [[ -e $library ]]; then install_library "$library"; fi
done

modules=(@noble fast-check pure-rand qrcode dijkstrajs pngjs)
mkdir -p "$root/opt/wiretype/node_modules" "$root/opt/wiretype/build" "$root/opt/wiretype/dist"
for module in "${modules[@]}"; do
  if [[ -e $checkout/node_modules/$module ]]; then cp -r "$checkout/node_modules/$module" "$root/opt/wiretype/node_modules/"; fi
done
cp -r "$checkout"/{bin,package.json,schema} "$root/opt/wiretype/"
cp "$checkout/build/wiretype.node" "$root/opt/wiretype/build/"
cp -r "$checkout"/dist/{src,test} "$root/opt/wiretype/dist/"
for name in wg wg-quick wiretype; do ln -s /opt/wiretype/bin/wiretype "$root/opt/names/$name"; done

rm -f "$folder/disk.new"
mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$root" "$folder/disk.new" "${megabytes}M"
mv "$folder/disk.new" "$folder/disk"
