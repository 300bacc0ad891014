import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { addFirewall, removeFirewall } from '../../../src/host/net/firewall.js';
import { parsePrefix } from '../../../src/host/net/prefix.js';
import { FakeCommands } from './fake-commands.js';

const RULES = {
  interfaceName: 'a+b=c',
  family: 4,
  addresses: [parsePrefix('10.0.0.1/24')!, parsePrefix('fd00::1/64')!],
  mark: 51_820,
} as const;
const IPTABLES = ['iptables-restore', 'iptables-save', 'ip6tables-restore', 'ip6tables-save'];

describe('addFirewall', () => {
  it('replaces the table of the interface in one step, by a name that nft can read', async () => {
    const commands = new FakeCommands();

    await addFirewall(commands, RULES);

    assert.deepEqual(commands.said, ['nft -f -']);
    const [created, deleted, ...rest] = commands.inputs[0]!.split('\n');
    assert.deepEqual([created, deleted], ['table ip wg-quick-a.2bb.3dc { }', 'delete table ip wg-quick-a.2bb.3dc']);
    assert.ok(rest.includes('iifname != "a+b=c" ip daddr 10.0.0.1 fib saddr type != local drop'));
    assert.ok(!rest.join('\n').includes('fd00'), 'the other family has a table of its own');
    assert.ok(rest.includes('meta l4proto udp mark 51820 ct mark set mark'));
  });

  it('gives the mark to answers by TCP as well where the tunnel is carried so, and leaves other marks of TCP', async () => {
    const [nft, iptables] = [new FakeCommands(), new FakeCommands(() => '', IPTABLES)];

    await addFirewall(nft, { ...RULES, hasTcp: true });
    await addFirewall(iptables, { ...RULES, hasTcp: true });

    assert.match(nft.inputs[0]!, /^meta l4proto tcp mark 51820 ct mark set mark$/m);
    assert.match(nft.inputs[0]!, /^meta l4proto tcp ct mark 51820 meta mark set ct mark$/m);
    const script = iptables.inputs.at(-1)!;
    assert.match(script, /^-I POSTROUTING -m mark --mark 51820 -p tcp -j CONNMARK --save-mark /m);
    assert.match(script, /^-I PREROUTING -p tcp -m connmark --mark 51820 -j CONNMARK --restore-mark /m);
  });

  it('uses iptables where there is no nft, and leaves nothing where that fails', async () => {
    const save = '*raw\n-A PREROUTING -m comment --comment "wg-quick(8) rule for a+b=c" -j DROP\nCOMMIT\n';
    let restores = 0;
    const commands = new FakeCommands(([program]) => {
      if (program!.endsWith('-save')) return restores === 0 ? '' : save;
      return restores++ === 0 ? { status: 1, stderr: 'refused' } : '';
    }, IPTABLES);

    await assert.rejects(addFirewall(commands, RULES), { code: 'ERR_COMMAND_FAILED' });

    assert.match(
      commands.inputs[1]!,
      /-I PREROUTING ! -i a\+b=c -d 10\.0\.0\.1 -m addrtype ! --src-type LOCAL -j DROP/,
    );
    assert.equal(commands.inputs.at(-1), save.replace('-A', '-D'));
  });

  it('is an error where there is neither', async () => {
    const commands = new FakeCommands(() => ({ status: 127, stderr: '' }), []);
    await assert.rejects(addFirewall(commands, RULES), { code: 'ERR_COMMAND_MISSING' });
  });
});

describe('removeFirewall', () => {
  it('removes what is of this interface, and nothing that looks like it', async () => {
    const commands = new FakeCommands(
      ([program, verb]) => {
        if (program === 'nft' && verb === 'list') {
          return 'table ip wg-quick-wg0\ntable ip6 wg-quick-wg0\ntable ip wg-quick-wg01\ntable inet wg-quick-wg0\n';
        }
        if (program !== 'iptables-save') return '';
        return [
          '# Generated',
          '*raw',
          ':PREROUTING ACCEPT [0:0]',
          '-A PREROUTING -j DROP -m comment --comment "wg-quick(8) rule for wg0"',
          '-A PREROUTING -j DROP -m comment --comment "wg-quick(8) rule for wg01"',
          '-A PREROUTING -j ACCEPT',
          'COMMIT',
        ].join('\n');
      },
      ['nft', ...IPTABLES],
    );

    await removeFirewall(commands, 'wg0');

    assert.deepEqual(commands.echoes, ['nft -f -', 'iptables-restore -n -w']);
    assert.deepEqual(commands.inputs.filter(Boolean), [
      'delete table ip wg-quick-wg0\ndelete table ip6 wg-quick-wg0\n',
      '*raw\n-D PREROUTING -j DROP -m comment --comment "wg-quick(8) rule for wg0"\nCOMMIT\n',
    ]);
  });
});
