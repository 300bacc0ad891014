/** Errors of the commands and the demo, with the advice for each. */
export const CLI_ERRORS = {
  ERR_DAEMON_START: 'Run it with LOG_LEVEL=debug and --foreground to see more.',
  ERR_DAEMON_ENDED:
    'If it is not back within a minute, bring the interface up again: wiretype down INTERFACE && wiretype up INTERFACE.',
  ERR_INTERFACE_EXISTS: 'Take it down first, or choose another name.',
  ERR_NOT_WIREGUARD: 'Bring it up first: wiretype up INTERFACE.',
  ERR_NOT_UP: 'There is nothing to take down.',
  ERR_OTHER_NAMESPACE: 'Run the command there: ip netns exec NAMESPACE wiretype …',
  ERR_ANOTHER_AT_WORK: 'Wait until the other command has finished.',
  ERR_HOOK: 'Try the command in a shell.',
  ERR_BACKEND: 'Choose another one with --implementation: kernel, auto, or a program such as wiretyped.',
  ERR_DAEMON_REFUSED: 'The daemon printed the reason above.',
  ERR_DEMO_REQUIREMENT: 'The demo needs root, Linux, /dev/net/tun and permission to create network namespaces.',
  ERR_DEMO_TRAFFIC: 'Run it again with LOG_LEVEL=debug to see what the daemons do.',
  ERR_WIPE: 'Nothing was changed. To remove all peers, pass --allow-wipe.',
  ERR_PEER: 'List the peers of the file with wiretype list-peers.',
  ERR_NO_ADDRESS: 'Give the server an Address with a prefix length, such as 10.66.3.1/24, or pass --address.',
  ERR_NO_ENDPOINT: 'Pass --endpoint HOST:PORT: where clients reach the server.',
  ERR_FILE_EXISTS: 'Nothing was changed. Choose another name, or move the existing file away.',
  ERR_OUTPUT_LOST: 'Nothing was changed. Run it again, or write a file with --output FILE.',
  ERR_QR_CODE: 'Nothing was changed. Make the terminal larger, or write a picture with --qr-file FILE.',
  ERR_GATEWAY: 'Start it with wiretype gateway, or name its folder with --state FOLDER.',
  ERR_GATEWAY_REFUSED: 'Nothing was changed.',
  ERR_VARIABLE: 'Correct the variable of the environment, or unset it; --help says what variables hold.',
  ERR_INSTALL: 'Nothing was changed. wiretype install --help describes what is installed where.',
} as const;

type Own = typeof CLI_ERRORS;

declare module '../core/errors.js' {
  interface ErrorCodes extends Record<keyof Own, string> {}
}
