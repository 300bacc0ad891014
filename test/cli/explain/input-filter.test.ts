import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { findDroppingChain } from '../../../src/cli/explain/input-filter.js';
import { FakeCommands } from '../../host/net/fake-commands.js';

const CHAIN = { family: 'inet', table: 'f', name: 'in', hook: 'input', policy: 'drop' };
const ACCEPT = { accept: null };
const LOOPBACK = { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'lo' } };
const ESTABLISHED = { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established', 'related'] } };

describe('findDroppingChain', () => {
  it('finds a chain that drops packets by default, where no rule lets the port in', async () => {
    assert.deepEqual(
      await find(
        [CHAIN],
        [
          [LOOPBACK, ACCEPT],
          [ESTABLISHED, ACCEPT],
          [dport(22), ACCEPT],
          [dport(51820), { drop: null }],
        ],
      ),
      {
        family: 'inet',
        table: 'f',
        name: 'in',
      },
    );
  });

  it('finds one that ends with a rule for everything', async () => {
    const chain = { ...CHAIN, policy: 'accept' };
    assert.equal(await find([chain], [[LOOPBACK, ACCEPT]]), undefined);
    assert.ok(
      await find(
        [chain],
        [
          [LOOPBACK, ACCEPT],
          [{ counter: {} }, { reject: {} }],
        ],
      ),
    );
    assert.equal(await find([chain], [[LOOPBACK, { drop: null }]]), undefined);
  });

  it('is content with a rule that lets the port in, however it names it', async () => {
    for (const right of [
      51820,
      { set: [500, 51820] },
      { range: [51000, 52000] },
      { set: [{ range: [51820, 51830] }] },
    ]) {
      assert.equal(await find([CHAIN], [[dport(right), ACCEPT]]), undefined, JSON.stringify(right));
    }
    assert.equal(await find([CHAIN], [[{ counter: {} }, ACCEPT]]), undefined, 'everything');
    for (const right of [51821, { set: [500] }, { range: [1, 51819] }, '@ports', null]) {
      assert.ok(await find([CHAIN], [[dport(right), ACCEPT]]), JSON.stringify(right));
    }
    assert.ok(await find([CHAIN], [[dport(51820, 'tcp'), ACCEPT]]));
    assert.ok(await find([CHAIN], [[{ xt: { type: 'match', name: 'comment' } }, ACCEPT]]), 'what nft cannot show');
  });

  it('looks at chains of input only, and at rules of the same table only', async () => {
    assert.equal(await find([{ ...CHAIN, hook: 'forward' }], []), undefined);
    assert.equal(await find([{ ...CHAIN, family: 'arp' }], []), undefined);
    assert.ok(await find([{ ...CHAIN, table: 'other' }], [[dport(51820), ACCEPT]]));
  });

  it('finds nothing in what it cannot read', async () => {
    for (const answer of ['', '{', '[]', '{"nftables":7}', '{"nftables":[null,{"chain":7},{"rule":{"expr":7}}]}']) {
      assert.equal(await findDroppingChain(new FakeCommands(() => answer), 1), undefined, answer);
    }
    assert.equal(await findDroppingChain(new FakeCommands(() => ({ status: 127, stderr: '' })), 1), undefined);
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        await findDroppingChain(
          new FakeCommands(() => JSON.stringify({ nftables: [{ chain: CHAIN }, { rule: value }, value] })),
          1,
        );
      }),
    );
  });
});

function dport(right: unknown, protocol = 'udp') {
  return { match: { op: '==', left: { payload: { protocol, field: 'dport' } }, right } };
}

async function find(chains: readonly object[], rules: readonly (readonly object[])[]) {
  const nftables = [
    { metainfo: { version: '1.0.6' } },
    ...chains.map((chain) => ({ chain })),
    ...rules.map((expr) => ({ rule: { family: 'inet', table: 'f', chain: 'in', handle: 1, expr } })),
  ];
  return await findDroppingChain(new FakeCommands(() => JSON.stringify({ nftables })), 51_820);
}
