/**
 * The parts of the daemon put together with a source of randomness that is written down, so that another program can decrypt
 * what was captured: `node logged-tunnel.js LOG-FILE -f INTERFACE`.
 *
 * Only this program has such a log, and it is a test's: the product has no way to give its keys away. The log gets one
 * line of base64 for every 32 random bytes that were drawn; ephemeral private keys are among them.
 */
import { randomFillSync } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';

import { loadAddon } from '../../src/addon/load.js';
import { UapiServer } from '../../src/control/uapi-server.js';
import { UapiSocketFile, uapiSocketPath } from '../../src/control/uapi-socket-file.js';
import type { Environment } from '../../src/core/ports.js';
import { NativeAead } from '../../src/crypto/native-aead.js';
import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { LinuxTun } from '../../src/host/linux-tun.js';
import { NativeSocket } from '../../src/host/native-socket.js';
import { Tunnel } from '../../src/host/tunnel.js';

const KEY_BYTES = 32;

const [logPath = '', , interfaceName = ''] = process.argv.slice(2);
writeFileSync(logPath, '', { mode: 0o600 });

const environment: Environment = {
  random(out) {
    randomFillSync(out);
    if (out.length === KEY_BYTES) appendFileSync(logPath, `${Buffer.from(out).toString('base64')}\n`);
  },
  unixTimeMs: () => Date.now(),
};

const addon = loadAddon();
const tunnel = await Tunnel.create({
  crypto: new NodeCrypto(),
  aead: new NativeAead(addon),
  tun: LinuxTun.open(addon, interfaceName),
  openSocket: (port, mark) => NativeSocket.open(addon, port, { mark }),
  environment,
});
const server = new UapiServer(tunnel);
const socketFile = await UapiSocketFile.create(uapiSocketPath(interfaceName), {
  onConnection: (socket) => void server.serve(socket),
  onRemoved: () => process.exit(0),
});
process.once('SIGTERM', () => {
  socketFile.close();
  process.exit(0);
});
