#!/bin/sh
# The first and only process of the virtual machine: loads the modules, then runs what comes in on the serial console.
#
# One line is one command. After its output comes a line "=== STATUS", the exit status. End of input switches the machine off.
# With a disk (build-disk.sh), the commands run inside its system.
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
ln -s /proc/self/fd /dev/fd
mount -t tmpfs none /tmp
while read -r module; do insmod "/lib/modules/$module"; done < /lib/modules/order
ip link set lo up
shell=sh
if [ -e /dev/vda ]; then
  while read -r module; do insmod "/lib/modules/$module"; done < /lib/modules/filter-order
  mount -t ext4 /dev/vda /disk
  for folder in proc sys dev; do mount --bind "/$folder" "/disk/$folder"; done
  for folder in run tmp; do mount -t tmpfs none "/disk/$folder"; done
  shell='chroot /disk /usr/bin/env -i PATH=/usr/bin HOME=/root /usr/bin/bash'
fi
stty -echo -onlcr < /dev/ttyS0
echo '=== ready' > /dev/ttyS0
while read -r line; do
  $shell -c "$line" < /dev/null 2>&1
  echo "=== $?"
done < /dev/ttyS0 > /dev/ttyS0
poweroff -f
