/** Errors of sockets, TUN interfaces and the programs of the system, with the advice for each. */
export const HOST_ERRORS = {
  ERR_ADDON_MISSING: 'The package contains it for Linux on x64 and arm64; in a checkout, "npm run build" compiles it.',
  ERR_INTERFACE_NAME: 'An interface name has 1 to 15 characters, without spaces, "/", ":" or "%".',
  ERR_INTERFACE_BUSY: 'Choose another name, or end the program that holds the interface (ip link delete removes it).',
  ERR_TUN_MISSING: 'Load the TUN driver (modprobe tun), or give the container the device /dev/net/tun.',
  ERR_TUN_PERMISSION: 'Creating an interface needs CAP_NET_ADMIN: run the daemon as root.',
  ERR_TUN_DESCRIPTOR:
    'The descriptor must be an open TUN interface without packet information (IFF_TUN and IFF_NO_PI).',
  ERR_TUN_REFUSED: 'The kernel refused the interface; the message contains the reason.',
  ERR_PORT_IN_USE: 'Choose another port, or end the program that holds this one (ss -lunp shows it).',
  ERR_PORT_PERMISSION: 'Ports below 1024 need CAP_NET_BIND_SERVICE: run the daemon as root, or choose a higher port.',
  ERR_SOCKET_MARK: 'Setting a firewall mark needs CAP_NET_ADMIN: run the daemon as root.',
  ERR_SOCKET_REFUSED: 'The kernel refused the UDP socket; the message contains the reason.',
  ERR_SOCKET_ARGUMENT: 'Sockets of a tunnel take the arguments of node:net and node:dgram, except paths.',
  ERR_CLOSED: 'Create another tunnel: a closed tunnel stays closed.',
  ERR_COMMAND_FAILED: 'A program of the system failed; its own message follows the colon.',
  ERR_COMMAND_MISSING: 'Install the program, or put its folder into PATH.',
  ERR_DNS: 'Set the name servers by hand, or install resolvconf or systemd-resolved.',
  ERR_RECORD: 'Changes to the host are recorded in /run/wiretype: /run must be writable and have free space.',
} as const;

type Own = typeof HOST_ERRORS;

declare module '../core/errors.js' {
  interface ErrorCodes extends Record<keyof Own, string> {}
}
