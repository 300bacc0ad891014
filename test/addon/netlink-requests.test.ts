import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { describe, it } from 'node:test';

import { loadAddon } from '../../src/addon/load.js';
import { KernelWireguard } from '../../src/control/netlink/kernel-wireguard.js';
import { KernelNetlink } from '../../src/host/kernel-netlink.js';
import { attributes, message, text } from '../control/netlink/raw-netlink.js';
import { inOwnNamespace, ip } from './own-namespace.js';

const ROUTE = 0;
const [EBADF, EINVAL, EMSGSIZE, EPROTONOSUPPORT, ETIMEDOUT] = [9, 22, 90, 93, 110];
const [GET_LINK, DUMP, REQUEST, ACK] = [18, 0x300, 1, 4];

it(...inOwnNamespace(import.meta.url, defineTests));

function defineTests(): void {
  const addon = loadAddon();

  describe('a netlink socket for requests', () => {
    it('carries a request to the kernel and the answer back, in the namespace of the process', () => {
      ip('tuntap add dev only0 mode tun');
      const socket = KernelNetlink.open(addon, ROUTE) as KernelNetlink;
      const into = new Uint8Array(65_536);

      assert.equal(socket.send(message(GET_LINK, REQUEST | DUMP, 5, Buffer.alloc(16))), 0);
      const length = socket.receive(into);
      socket.close();

      const answer = Buffer.from(into.subarray(0, length)).toString('latin1');
      assert.ok(answer.includes('only0\0') && answer.includes('lo\0'));
      assert.equal(Buffer.from(into).readUInt32LE(8), 5);
    });

    it("brings the kernel's own words about an error, and does not bring the request back", () => {
      const socket = KernelNetlink.open(addon, ROUTE) as KernelNetlink;
      const into = new Uint8Array(4_096);
      const secret = attributes([3, text('a-secret-of-ours-that-is-too-long-for-a-name')]);

      socket.send(message(GET_LINK, REQUEST | ACK, 6, Buffer.concat([Buffer.alloc(16), secret])));
      const answer = Buffer.from(into.subarray(0, socket.receive(into)));
      socket.close();

      assert.equal(answer.readUInt16LE(4), 2);
      assert.ok(answer.readInt32LE(16) < 0);
      assert.match(answer.toString('latin1'), /Attribute failed policy validation/);
      assert.ok(!answer.includes('a-secret'));
    });

    it('waits no longer than its timeout, and refuses an answer that does not fit', () => {
      const route = addon.netlinkOpen(ROUTE);
      assert.equal(addon.netlinkReceive(route, new Uint8Array(100), 20), -ETIMEDOUT);
      addon.netlinkSend(route, message(GET_LINK, REQUEST | DUMP, 1, Buffer.alloc(16)));
      assert.equal(addon.netlinkReceive(route, new Uint8Array(20), 1_000), -EMSGSIZE);
      closeSync(route);
    });

    it('returns refusals of the system as numbers, and throws for an argument that is no array', () => {
      assert.equal(addon.netlinkOpen(99), -EPROTONOSUPPORT);
      assert.equal(addon.netlinkSend(-1, new Uint8Array(20)), -EBADF);
      assert.ok([-EBADF, -EINVAL, -ETIMEDOUT].includes(addon.netlinkReceive(-1, new Uint8Array(20), 1)));
      assert.throws(() => addon.netlinkSend(0, 'text' as unknown as Uint8Array), TypeError);
      assert.throws(() => addon.netlinkReceive(0, new Uint8Array(0), 1), RangeError);
    });

    it('finds no interface of WireGuard where there is none', () => {
      const wireguard = new KernelWireguard((protocol) => KernelNetlink.open(addon, protocol));
      assert.deepEqual(wireguard.interfaces(), []);
      assert.throws(() => wireguard.get('only0'), { code: 'ERR_CONTROL_UNREACHABLE' });
    });
  });
}
