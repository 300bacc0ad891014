/**
 * The daemon takes over an interface and a control socket that another program opened.
 *
 * Topology: one host, nothing else. The other program is Python, which is there wherever the addon was compiled.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';

import { wiretype } from '../lab/implementation.js';
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait.js';
import { Wireguard } from '../lab/wireguard.js';

/** Opens a TUN interface and a listening socket, and runs a program that inherits both. */
const OPENER = `
import fcntl, os, socket, struct, subprocess, sys
name, path, command = sys.argv[1], sys.argv[2], sys.argv[3:]
tun = os.open('/dev/net/tun', os.O_RDWR)
TUNSETIFF, IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x400454ca, 1, 0x1000, 0x4000
fcntl.ioctl(tun, TUNSETIFF, struct.pack('16sH22x', name.encode(), IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
os.makedirs(os.path.dirname(path), exist_ok=True)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(8)
for fd in (tun, listener.fileno()): os.set_inheritable(fd, True)
environment = dict(os.environ, WG_TUN_FD=str(tun), WG_UAPI_FD=str(listener.fileno()))
sys.exit(subprocess.run(command, env=environment, close_fds=False).returncode)
`;

describe('WG_TUN_FD and WG_UAPI_FD', () => {
  it('are served from the background like an interface of its own', { timeout: 120_000 }, async (t) => {
    const lab = Lab.open(t);
    const host = await lab.host('host');
    const wireguard = new Wireguard(lab, host, wiretype);

    const words = ['-c', OPENER, wireguard.name, wireguard.socketPath, wiretype.command, wireguard.name];
    const { status, stderr } = await host.attempt('python3', words);

    assert.equal(status, 0, stderr);
    await wireguard.setKeys(wireguard.keys, 51820);
    assert.equal((await wireguard.state()).listenPort, 51820);
    await wireguard.up(['10.0.0.1/24']);
    await host.ip(`link del ${wireguard.name}`);
    await waitFor('the process to be gone', async () => (await host.processIds()).length === 0);
    assert.ok(!existsSync(wireguard.socketPath));
  });

  it('are refused in one sentence when they are something else', { timeout: 120_000 }, async (t) => {
    const lab = Lab.open(t);
    const host = await lab.host('host');
    const { name } = new Wireguard(lab, host, wiretype);
    for (const [variable, descriptor, expected] of [
      ['WG_TUN_FD', '0', /no TUN interface/],
      ['WG_TUN_FD', '999', /not an open file descriptor/],
      ['WG_TUN_FD', 'zero', /WG_TUN_FD/],
      ['WG_UAPI_FD', '0', /control socket/],
    ] as const) {
      const { status, stderr } = await host.attempt(wiretype.command, [name], { env: { [variable]: descriptor } });
      assert.notEqual(status, 0);
      assert.match(stderr, expected);
      assert.equal(stderr.trimEnd().split('\n').length, 2, stderr);
      assert.doesNotMatch(await host.ip('-o link show'), new RegExp(name));
    }
  });
});
