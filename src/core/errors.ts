/**
 * Every error a user can meet, with the advice that goes with it.
 *
 * Codes are public and never change their meaning. `docs/errors.md` lists them, and
 * `test/docs/errors.test.ts` fails when the two differ.
 */
export const ERROR_CODES = {
  ERR_KEY_FORMAT: 'A key is 32 bytes in base64: 44 characters, ending with "=".',
  ERR_USAGE: 'Run the command with --help to see how it is called.',
  ERR_TOO_MANY_PEERS: 'A device holds at most 65,536 peers: remove some, or use a second interface.',
  ERR_PORT_IN_USE: 'Choose another port, or end the program that holds this one (ss -lunp shows it).',
  ERR_SOCKET_MARK: 'Setting a firewall mark needs CAP_NET_ADMIN: run the daemon as root.',
  ERR_INTERFACE_NAME: 'An interface name has 1 to 15 characters, without spaces, "/", ":" or "%".',
  ERR_DAEMON_RUNNING: 'End the other daemon first (ip link delete removes its interface), or choose another name.',
  ERR_DAEMON_START: 'Run it with LOG_LEVEL=debug and --foreground to see more.',
  ERR_CONTROL_SOCKET: 'Run the daemon as root: it writes in /var/run/wireguard. WG_UAPI_FD has to be a Unix socket.',
  ERR_CONTROL_UNREACHABLE: 'Bring it up with wiretype up INTERFACE, or start its daemon: wiretyped INTERFACE.',
  ERR_CONTROL_TIMEOUT: 'The daemon is stopped or hangs: look for it with ps, end it, and bring the interface up again.',
  ERR_DAEMON_ENDED:
    'If it is not back within a minute, set the interface up anew: wiretype down INTERFACE && wiretype up INTERFACE.',
  ERR_CONTROL_REPLY: 'The program behind the socket does not speak the WireGuard configuration protocol.',
  ERR_CONTROL_REFUSED: 'Nothing was changed. The daemon logs the reason.',
  ERR_CONFIG: 'Correct the lines that are shown; nothing was changed.',
  ERR_CONFIG_FILE: 'Check the path, its owner and its permissions.',
  ERR_ADDON_MISSING: 'The package has it for Linux on x64 and arm64; in a checkout, "npm run build" compiles it.',
  ERR_TUN_MISSING: 'Load the TUN driver (modprobe tun), or give the container the device /dev/net/tun.',
  ERR_TUN_PERMISSION: 'Making an interface needs CAP_NET_ADMIN: run the daemon as root.',
  ERR_TUN_DESCRIPTOR:
    'The descriptor has to be an open TUN interface without packet information (IFF_TUN and IFF_NO_PI).',
  ERR_TUN_REFUSED: 'The kernel refused the interface; the message has its reason.',
  ERR_INTERFACE_BUSY: 'Choose another name, or end the program that holds the interface (ip link delete removes it).',
  ERR_PORT_PERMISSION: 'Ports below 1024 need CAP_NET_BIND_SERVICE: run the daemon as root, or choose a higher port.',
  ERR_CLOSED: 'Create another tunnel: a tunnel that was closed stays closed.',
  ERR_SOCKET_REFUSED: 'The kernel refused the UDP socket; the message has its reason.',
  ERR_COMMAND_FAILED: 'A program of the system refused; its own message follows the colon.',
  ERR_COMMAND_MISSING: 'Install the program, or put its folder into PATH.',
  ERR_DNS: 'Set the name servers by hand, or install resolvconf or systemd-resolved.',
  ERR_INTERFACE_EXISTS: 'Take it down first, or choose another name.',
  ERR_NOT_WIREGUARD: 'Bring it up first: wiretype up INTERFACE.',
  ERR_NOT_UP: 'There is nothing to take down.',
  ERR_OTHER_NAMESPACE: 'Run the command there: ip netns exec NAMESPACE wiretype …',
  ERR_ANOTHER_AT_WORK: 'Wait until the other command is done.',
  ERR_RECORD: 'What is done to the host is recorded in /run/wiretype: /run has to be writable and to have free space.',
  ERR_HOOK: 'Try the command in a shell of your own.',
  ERR_BACKEND: 'Choose another one with --implementation: kernel, auto, or a program such as wiretyped.',
  ERR_DAEMON_REFUSED: 'The daemon has said why, above.',
  ERR_INTERRUPTED: 'Everything that was done is undone.',
  ERR_NAME_RESOLUTION: 'Check the spelling of the name, and that this host can look up names.',
  ERR_NOT_ROOT: 'Run it as root.',
  ERR_DEMO_REQUIREMENT: 'The demo needs root, Linux, /dev/net/tun and the right to make network namespaces.',
  ERR_DEMO_TRAFFIC: 'Run it again with LOG_LEVEL=debug to see what the daemons do.',
  ERR_VALUE: 'Nothing was changed. Run the command with --help to see what it takes.',
  ERR_WIPE: 'Nothing was changed. To remove all peers, pass --allow-wipe.',
  ERR_KERNEL_REFUSED: 'The message has the reason of the kernel. Its interfaces are for root (CAP_NET_ADMIN).',
  ERR_PEER: 'List the peers of the file with wiretype list-peers.',
  ERR_NO_ADDRESS: 'Give the server an Address with a prefix length, such as 10.66.3.1/24, or pass --address.',
  ERR_NO_ENDPOINT: 'Pass --endpoint HOST:PORT: where clients reach the server.',
  ERR_FILE_EXISTS: 'Nothing was changed. Choose another name, or move the existing file away.',
  ERR_QR_CODE: 'Nothing was changed. Make the terminal larger, or write a picture with --qr-file FILE.',
  ERR_INSTALL: 'Nothing was changed. wiretype install --help describes what is installed where.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Something that a user gave us, or that the system refused. Messages name the place, never the secret. */
export class WireGuardError extends Error {
  override readonly name = 'WireGuardError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
