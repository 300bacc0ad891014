/** Errors of configuration files, values and the control socket, with the advice for each. */
export const CONTROL_ERRORS = {
  ERR_KEY_FORMAT: 'A key is 32 bytes in base64: 44 characters, ending with "=".',
  ERR_USAGE: 'Run the command with --help to see its usage.',
  ERR_VALUE: 'Nothing was changed. Run the command with --help to see the allowed values.',
  ERR_CONFIG: 'Correct the lines that are shown; nothing was changed.',
  ERR_CONFIG_FILE: 'Check the path, its owner and its permissions.',
  ERR_NAME_RESOLUTION: 'Check the spelling of the name, and that this host can look up names.',
  ERR_INTERRUPTED: 'All changes were undone.',
  ERR_NOT_ROOT: 'Run it as root.',
  ERR_DAEMON_RUNNING: 'End the other daemon first (ip link delete removes its interface), or choose another name.',
  ERR_CONTROL_SOCKET: 'Run the daemon as root: it writes in /var/run/wireguard. WG_UAPI_FD must be a Unix socket.',
  ERR_CONTROL_UNREACHABLE: 'Bring it up with wiretype up INTERFACE, or start its daemon: wiretyped INTERFACE.',
  ERR_CONTROL_TIMEOUT: 'The daemon is stopped or hangs: find it with ps, end it, and bring the interface up again.',
  ERR_CONTROL_REPLY: 'The program behind the socket does not speak the WireGuard configuration protocol.',
  ERR_CONTROL_REFUSED: 'Nothing was changed. The daemon logs the reason.',
  ERR_KERNEL_REFUSED:
    'The message contains the reason of the kernel. Its interfaces are for root only (CAP_NET_ADMIN).',
} as const;

type Own = typeof CONTROL_ERRORS;

declare module '../core/errors.js' {
  interface ErrorCodes extends Record<keyof Own, string> {}
}
