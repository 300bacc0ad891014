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
    summary: 'Add a client, and hand out its file or QR code',
    load: async () => (await import('./add-peer-command.js')).addPeer,
    isFinishedOnSignal: true,
  },
  {
    name: 'rotate-peer',
    summary: 'Give a client new keys and a new file',
    load: async () => (await import('./rotate-peer-command.js')).rotatePeer,
  },
  {
    name: 'disable-peer',
    summary: 'Lock a peer out, and keep it in the file',
    load: async () => (await import('./disable-peer-command.js')).disablePeer,
  },
  {
    name: 'enable-peer',
    summary: 'Let a disabled peer in again',
    load: async () => (await import('./enable-peer-command.js')).enablePeer,
  },
  {
    name: 'rename-peer',
    summary: 'Give a peer another name',
    load: async () => (await import('./rename-peer-command.js')).renamePeer,
  },
  {
    name: 'remove-peer',
    summary: 'Remove a peer from a file and from the running interface',
    load: async () => (await import('./remove-peer-command.js')).removePeer,
    isFinishedOnSignal: true,
  },
  {
    name: 'list-peers',
    summary: 'List the peers of a file, with names, state and handshakes',
    load: async () => (await import('./list-peers-command.js')).listPeers,
  },
  {
    name: 'expire',
    summary: 'Disable the peers whose time is over',
    load: async () => (await import('./expire-command.js')).expire,
  },
];
