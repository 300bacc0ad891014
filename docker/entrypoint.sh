#!/bin/sh
# Keeps one interface up for as long as the container runs: makes its file on the first start, brings the interface up,
# and takes it down when the container is stopped. With words behind the image's name, runs those instead.
#
# Environment: WIRETYPE_INTERFACE (wg0), WIRETYPE_ENDPOINT (where clients reach this server, HOST or HOST:PORT).
set -eu

[ $# -eq 0 ] || exec "$@"

interface=${WIRETYPE_INTERFACE:-wg0}
file=/etc/wireguard/$interface.conf

if [ ! -e "$file" ]; then
  wiretype init "$interface" ${WIRETYPE_ENDPOINT:+--endpoint "$WIRETYPE_ENDPOINT"}
  # In a container /proc/sys is read-only: forwarding comes from the "sysctls" of compose.yaml.
  [ -w /proc/sys/net/ipv4/ip_forward ] || sed -i '/^Post[UpDown]* = .*sysctl -q /d' "$file"
fi
if [ "$(cat /proc/sys/net/ipv4/ip_forward)" != 1 ]; then
  echo "wiretype: this container does not forward: peers reach it, and nothing behind it (sysctls in compose.yaml)" >&2
fi

wiretype up "$interface"
trap 'wiretype down "$interface"; exit 0' TERM INT
echo "wiretype: $interface is up" >&2

# The interface goes with its daemon.
while [ -e "/sys/class/net/$interface" ]; do
  sleep 2 &
  wait $! || true
done
echo "wiretype: the daemon of $interface has ended" >&2
exit 1
