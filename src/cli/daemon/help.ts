/** What `wiretyped --help` shows. */
export const DAEMON_HELP = `Usage: wiretyped [-f | --foreground] INTERFACE

Makes the WireGuard interface INTERFACE and serves it until it is told to end. Returns as soon as the
interface and its control socket /var/run/wireguard/INTERFACE.sock are there. Needs root.

  -f, --foreground  Stay in the foreground
  -V, --version     Tell the version
  -h, --help        Show this text

The interface has no keys, peers or addresses yet. wg, wg-quick and ip give it some:

  wiretyped wg0
  wg set wg0 listen-port 51820 private-key /etc/wireguard/wg0.key
  wg set wg0 peer PUBLIC-KEY allowed-ips 10.0.0.2/32 endpoint 192.0.2.7:51820
  ip address add 10.0.0.1/24 dev wg0
  ip link set wg0 up

  WG_QUICK_USERSPACE_IMPLEMENTATION=wiretyped wg-quick up wg0

The daemon ends with SIGTERM or SIGINT, when the interface is deleted (ip link delete wg0), and when its
control socket is removed. Its UDP sockets stay in the network namespace in which it was started, wherever
the interface is moved.

Environment:
  LOG_LEVEL                silent, error (the default), info, debug or verbose. In the background the
                           log is kept only when this is set
  WG_PROCESS_FOREGROUND=1  The same as --foreground
  WG_TUN_FD=N              Take over the open TUN interface of file descriptor N
  WG_UAPI_FD=N             Take over the listening control socket of file descriptor N
  WIRETYPE_CRYPTO_THREADS=N
                           Threads that encrypt and decrypt. 1 with up to two cores, else one core is
                           left to the others, and 4 are the most
`;
