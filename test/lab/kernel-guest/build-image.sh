#!/bin/bash
# Makes a minimal Linux system around Debian's unmodified cloud kernel, with its WireGuard module, for a virtual machine.
#
# usage: build-image.sh FOLDER
#   FOLDER/vmlinuz, FOLDER/initrd   what to boot; the guest takes commands on its serial console (init.sh)
#
# The kernel's package is downloaded, not installed. Nothing is done if the image is there and newer than this script.
# needs: apt-get, dpkg-deb, kmod, cpio, busybox-static, wireguard-tools, iproute2, iperf3
set -euo pipefail

folder=${1:?usage: build-image.sh FOLDER}
source_folder=$(dirname "$(readlink -f "$0")")
modules=(virtio_pci virtio_net virtio_blk wireguard sch_netem)
# What the packet filter of a full tunnel takes: loaded only for a guest with a disk.
filter_modules=(nf_tables nf_conntrack nft_ct nft_fib_inet nft_fib_ipv4 nft_fib_ipv6 nft_compat xt_mark)
programs=(/usr/bin/wg /sbin/ip /sbin/tc /usr/bin/iperf3)
applets=(sh cat chroot echo ping ping6 insmod ln ls mount poweroff sha256sum sleep stty wget)

if [[ -s $folder/initrd && $folder/initrd -nt $0 && $folder/initrd -nt $source_folder/init.sh ]]; then exit 0; fi

mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

package=$(apt-cache depends --important linux-image-cloud-amd64 | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
[[ -n $package ]] || { echo "the package lists know no linux-image-cloud-amd64: run apt-get update" >&2; exit 1; }
(cd "$work" && apt-get -o APT::Sandbox::User=root -qq download "$package")
dpkg-deb --extract "$work"/linux-image-*.deb "$work/package"
release=$(basename "$work"/package/lib/modules/*)
depmod --basedir "$work/package" "$release"

root=$work/root
mkdir -p "$root"/{bin,dev,disk,etc,lib/modules,proc,run,sys,tmp}
cp /bin/busybox "$root/bin/"
for applet in "${applets[@]}"; do ln -s busybox "$root/bin/$applet"; done

for program in "${programs[@]}"; do
  cp --dereference "$program" "$root/bin/"
  # Each library goes where the loader looks for it.
  ldd "$program" | grep --only-matching --extended-regexp '/[^ ]+' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp --dereference --update "$library" "$root$library"
  done
done

# What a module needs comes before it; the guest loads the files in the order of the list.
copy_modules() {
  local order=$1 module
  shift
  for module in "$@"; do
    modprobe --dirname "$work/package" --set-version "$release" --show-depends "$module"
  done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
    if [[ -e $root/lib/modules/$(basename "$path") ]]; then continue; fi
    cp "$path" "$root/lib/modules/"
    basename "$path" >> "$root/lib/modules/$order"
  done
}
copy_modules order "${modules[@]}"
copy_modules filter-order "${filter_modules[@]}"

install --mode 755 "$source_folder/init.sh" "$root/init"
(cd "$root" && find . | cpio --quiet --create --format newc --owner 0:0 | gzip -1) > "$work/initrd"
cp "$work/package/boot/vmlinuz-$release" "$folder/vmlinuz"
mv "$work/initrd" "$folder/initrd"
