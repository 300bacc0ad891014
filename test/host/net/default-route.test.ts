import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import {
  bypassOthers,
  divertTraffic,
  divertUntilGone,
  isTrafficDiverted,
  pickTable,
  removeBypass,
  removeRules,
} from '../../../src/host/net/default-route.js';
import { parsePrefix } from '../../../src/host/net/prefix.js';
import { FakeCommands } from './fake-commands.js';

const EVERYTHING = parsePrefix('0.0.0.0/0')!;

/** The rules of a host, as `ip rule` keeps them: a new rule goes before the others. */
class Rules {
  readonly rules: { priority: number; words: string }[] = [
    { priority: 0, words: 'table local' },
    { priority: 32_766, words: 'table main' },
    { priority: 32_767, words: 'table default' },
  ];
  readonly commands = new FakeCommands((words) => this.#answer(words));

  #answer(words: readonly string[]) {
    const [, ...rest] = words;
    if (rest.includes('show')) return rest.includes('rule') ? JSON.stringify(this.rules.map(toJson)) : '[]';
    if (rest[1] !== 'rule') return '';

    const [priority, said] = rest[3] === 'priority' ? [Number(rest[4]), rest.slice(5)] : [undefined, rest.slice(3)];
    if (rest[2] === 'add') {
      this.rules.splice(1, 0, { priority: this.rules[1]!.priority - 1, words: said.join(' ') });
      return '';
    }
    const at = this.rules.findIndex((rule) => rule.priority === priority && rule.words === said.join(' '));
    if (at < 0) return { status: 2, stderr: 'RTNETLINK answers: No such file or directory' };
    this.rules.splice(at, 1);
    return '';
  }

  /** Returns the rules for one mark; the suppressing rule belongs to the diverting one behind it. */
  of(mark: number): string[] {
    return this.rules.map(({ words }) => words).filter((words) => new RegExp(`\\b${mark}\\b`).test(words));
  }
}

describe('policy rules of tunnels', () => {
  it('stand in the order in which they have to be tried', async () => {
    const host = new Rules();

    await divertTraffic(host.commands, 'wg0', EVERYTHING, 51_820);
    assert.equal(await bypassOthers(host.commands, 4, 51_821), true);
    await divertTraffic(host.commands, 'wg1', EVERYTHING, 51_821);

    assert.deepEqual(
      host.rules.map(({ words }) => words),
      [
        'table local',
        'table main suppress_prefixlength 0',
        'not fwmark 51821 table 51821',
        'fwmark 51821 table main',
        'table main suppress_prefixlength 0',
        'not fwmark 51820 table 51820',
        'table main',
        'table default',
      ],
    );
  });

  it('are there before the route, so that nothing leaves by another way meanwhile', async () => {
    const { commands } = new Rules();

    await divertTraffic(commands, 'wg0', EVERYTHING, 51_820);

    assert.deepEqual(
      commands.echoes.map((line) => line.replace('ip -4 ', '')),
      [
        'rule add not fwmark 51820 table 51820',
        'rule add table main suppress_prefixlength 0',
        'route add 0.0.0.0/0 dev wg0 table 51820',
        'route add unreachable default metric 4294967295 table 51820',
      ],
    );
  });

  it('lead nowhere when the interface is gone, where the host is to leave by itself then', async () => {
    const { commands } = new Rules();

    await divertUntilGone(commands, 'wg0', EVERYTHING, 51_820);

    assert.ok(!commands.echoes.some((line) => line.includes('unreachable')));
  });

  it('are removed one tunnel at a time, in any order, and nobody loses a rule of his own', async () => {
    const tunnel = fc.integer({ min: 0, max: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(tunnel, { maxLength: 20 }), async (toggles) => {
        const host = new Rules();
        const before = structuredClone(host.rules);
        const up = new Map<number, boolean>();
        const takeDown = async (mark: number) => {
          await removeRules(host.commands, `wg${mark}`, 4, mark);
          if (up.get(mark) === true) await removeBypass(host.commands, 4, mark);
          up.delete(mark);
        };

        for (const mark of toggles.map((i) => 51_820 + i)) {
          if (up.has(mark)) {
            await takeDown(mark);
          } else {
            up.set(mark, await bypassOthers(host.commands, 4, mark));
            await divertTraffic(host.commands, `wg${mark}`, EVERYTHING, mark);
          }
          for (const [there, hasBypass] of up) assert.equal(host.of(there).length, hasBypass ? 2 : 1);
          const suppressing = host.rules.filter(({ words }) => words.includes('suppress')).length;
          assert.equal(suppressing, up.size, 'one for each');
          assert.equal(await isTrafficDiverted(host.commands, 4), up.size > 0);
        }
        for (const mark of [...up.keys()]) await takeDown(mark);

        assert.deepEqual(host.rules, before);
      }),
      { numRuns: 50 },
    );
  });

  it('of another tunnel stay, where the suppressing rule of this one has gone', async () => {
    const host = new Rules();
    await divertTraffic(host.commands, 'wg0', EVERYTHING, 51_820);
    host.rules.splice(1, 1);
    await divertTraffic(host.commands, 'wg1', EVERYTHING, 51_821);

    await removeRules(host.commands, 'wg0', 4, 51_820);

    assert.deepEqual(
      host.rules.map(({ words }) => words),
      [
        'table local',
        'table main suppress_prefixlength 0',
        'not fwmark 51821 table 51821',
        'table main',
        'table default',
      ],
    );
  });

  it('stay where their table leads into another interface: the record is of a namespace that has gone', async () => {
    const host = new Rules();
    await divertTraffic(host.commands, 'wg1', EVERYTHING, 51_820);
    const before = structuredClone(host.rules);
    const commands = new FakeCommands((words) =>
      words.includes('route')
        ? JSON.stringify([{ dst: 'default', dev: 'wg1' }])
        : JSON.stringify(host.rules.map(toJson)),
    );

    await removeRules(commands, 'wg0', 4, 51_820);

    assert.deepEqual(host.rules, before);
    assert.deepEqual(commands.echoes, []);
  });

  it('go in an order in which nothing is left for good when it is cut short', async () => {
    const host = new Rules();
    await divertTraffic(host.commands, 'wg0', EVERYTHING, 51_820);
    const from = host.commands.echoes.length;

    await removeRules(host.commands, 'wg0', 4, 51_820);

    const [first, second] = host.commands.echoes.slice(from);
    assert.match(first!, /rule delete priority \d+ table main suppress_prefixlength 0/);
    assert.match(second!, /rule delete priority \d+ not fwmark 51820 table 51820/);
  });

  it('of the user stay, even where they look much like ours', async () => {
    const host = new Rules();
    await divertTraffic(host.commands, 'wg0', EVERYTHING, 51_820);
    host.rules.splice(1, 0, { priority: 100, words: 'table main suppress_prefixlength 0' });
    host.rules.splice(1, 0, { priority: 99, words: 'from 10.0.0.0/8 not fwmark 51820 table 51820' });

    await removeRules(host.commands, 'wg0', 4, 51_820);

    assert.deepEqual(
      host.rules.map(({ priority }) => priority),
      [0, 99, 100, 32_766, 32_767],
    );
  });
});

describe('pickTable', () => {
  it('takes the first number from 51820 on that no route and no rule has', async () => {
    const host = new Rules();
    await divertTraffic(host.commands, 'wg0', EVERYTHING, 51_820);
    const commands = new FakeCommands((words) => {
      if (words.includes('rule')) return JSON.stringify(host.rules.map(toJson));
      return words.includes('51821') && words.includes('-6') ? '[{"dst":"::/0"}]' : '[]';
    });

    assert.equal(await pickTable(commands), 51_822);
  });
});

function toJson({ priority, words }: { priority: number; words: string }): Record<string, unknown> {
  const wordAfter = (key: string) => new RegExp(`\\b${key} (\\S+)`).exec(words)?.[1];
  const tables: Record<string, string> = { main: '254', local: '255', default: '253' };
  const table = wordAfter('table')!;
  const mark = wordAfter('fwmark');
  return {
    priority,
    src: wordAfter('from') ?? 'all',
    table: tables[table] ?? table,
    ...(words.includes('not ') ? { not: null } : {}),
    ...(mark === undefined ? {} : { fwmark: `0x${Number(mark).toString(16)}` }),
    ...(words.includes('suppress') ? { suppress_prefixlen: 0 } : {}),
  };
}
