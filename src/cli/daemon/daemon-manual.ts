import type { Manual } from '../manual.js';

/** The options of `wiretyped`. */
export const DAEMON_OPTIONS = {
  foreground: { type: 'boolean', short: 'f', about: 'stay in the foreground' },
  version: { type: 'boolean', short: 'V', about: 'print the version' },
  help: { type: 'boolean', short: 'h', about: 'show this text' },
} as const;

/** The text of `wiretyped --help` and wiretyped(8). */
export const DAEMON_MANUAL: Manual = {
  usage: '[-f | --foreground] INTERFACE',
  about: `
Makes the WireGuard interface INTERFACE and serves it until the daemon is ended. Returns as soon as the interface and its
control socket /var/run/wireguard/INTERFACE.sock are there. Needs root.
`,
  words: [{ name: 'INTERFACE', kinds: ['configured'] }],
  options: DAEMON_OPTIONS,
  environment: {
    LOG_LEVEL:
      'silent, error (the default), info, debug or verbose. In the background the log is kept only when this is set',
    'WG_PROCESS_FOREGROUND=1': 'the same as --foreground',
    'WG_TUN_FD=N': 'take over the open TUN interface of file descriptor N',
    'WG_UAPI_FD=N': 'take over the listening control socket of file descriptor N',
    'WIRETYPE_CRYPTO_THREADS=N':
      'threads that encrypt and decrypt; default: 1 with up to two cores, else one less than the cores, at most 4',
    'WIRETYPE_SUPERVISE=1':
      'restart the daemon with its configuration when it dies; the interface stays meanwhile. Only in the background. wiretype up sets this variable; 0 switches it off there',
    'WIRETYPE_SECCOMP=0': 'keep the system calls that no tunnel needs, such as those that start programs',
    'WIRETYPE_PID_FILE=FILE': 'the supervisor writes its process id there, for systemd',
    'WIRETYPE_OFFLOADS=0':
      'read, write, send and receive every packet singly: slower, but otherwise the same. This shows whether an offload of the system is to blame',
  },
  notes: `
The interface has no keys, peers or addresses at first: wg, wg-quick and ip give it some, or wiretype.

In the background the daemon keeps only three capabilities of root if setpriv can drop the others, and it cannot start programs.

The daemon ends with SIGTERM, SIGINT or SIGHUP, when the interface is deleted (ip link delete wg0), and when its control socket is
removed. Its UDP sockets stay in the network namespace in which it was started, wherever the interface is moved.
`,
  examples: [
    'wiretyped wg0',
    'wg set wg0 listen-port 51820 private-key /etc/wireguard/wg0.key',
    'wg set wg0 peer PUBLIC-KEY allowed-ips 10.0.0.2/32 endpoint 192.0.2.7:51820',
    'ip address add 10.0.0.1/24 dev wg0',
    'ip link set wg0 up',
    'WG_QUICK_USERSPACE_IMPLEMENTATION=wiretyped wg-quick up wg0',
  ],
};
