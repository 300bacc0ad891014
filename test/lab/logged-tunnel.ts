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
import { TunnelControl } from '../../src/cli/daemon/tunnel-control.js';
import { UapiServer } from '../../src/control/uapi-server.js';
import { UapiSocketFile, uapiSocketPath } from '../../src/control/uapi-socket-file.js';
import { Device } from '../../src/core/device.js';
import type { Environment } from '../../src/core/ports.js';
import { NativeAead } from '../../src/crypto/native-aead.js';
import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { Driver } from '../../src/host/driver.js';
import { LinuxTun } from '../../src/host/linux-tun.js';
import { NativeSocket } from '../../src/host/native-socket.js';

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
const aead = new NativeAead(addon);
const tun = LinuxTun.open(addon, interfaceName);
const device = new Device({ crypto: new NodeCrypto(), environment, aead });
const driver = new Driver({ device, aead, socket: NativeSocket.open(addon, 0), tun });
const control = new TunnelControl({
  device,
  driver,
  openSocket: (port, mark) => NativeSocket.open(addon, port, { mark }),
});
const server = new UapiServer(control);

tun.onChange = () => {
  device.setMtu(tun.mtu);
  device.setUp(tun.isUp, Math.floor(performance.now()));
  driver.settle();
};
tun.onChange();
const socketFile = await UapiSocketFile.create(uapiSocketPath(interfaceName), {
  onConnection: (socket) => void server.serve(socket),
  onRemoved: () => process.exit(0),
});
process.once('SIGTERM', () => {
  socketFile.close();
  process.exit(0);
});
