import type { CommandEntry } from '../command.js';

/** The commands of `wiretype` that make a server and its clients. */
export const SETUP_COMMANDS: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: "Make a server's file: keys, addresses, port, forwarding",
    load: async () => (await import('./init-command.js')).init,
    isFinishedOnSignal: true,
  },
  {
    name: 'add-peer',
    summary: 'Add a client, and give its file or QR code',
    load: async () => (await import('./add-peer-command.js')).addPeer,
    isFinishedOnSignal: true,
  },
  {
    name: 'remove-peer',
    summary: 'Take a peer out of a file and of the running interface',
    load: async () => (await import('./remove-peer-command.js')).removePeer,
    isFinishedOnSignal: true,
  },
  {
    name: 'list-peers',
    summary: 'List the peers of a file, with names and handshakes',
    load: async () => (await import('./list-peers-command.js')).listPeers,
  },
];
