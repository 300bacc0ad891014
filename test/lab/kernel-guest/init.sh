#!/bin/sh
# The first and only process of the virtual machine: loads the modules, then runs what comes in on the serial console.
#
# One line is one command. After its output comes a line "=== STATUS", the exit status. End of input switches the machine off.
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
while read -r module; do insmod "/lib/modules/$module"; done < /lib/modules/order
ip link set lo up
stty -echo -onlcr < /dev/ttyS0
echo '=== ready' > /dev/ttyS0
while read -r line; do
  sh -c "$line" < /dev/null 2>&1
  echo "=== $?"
done < /dev/ttyS0 > /dev/ttyS0
poweroff -f
