import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseOptions, USAGE } from '../../bench/options.js';
import { FULL, QUICK, SMOKE } from '../../bench/settings.js';

describe('The command line of the benchmarks', () => {
  it('asks for everything, in five rounds, when it says nothing', () => {
    const { action, settings, only, contenders } = parseOptions([]);

    assert.equal(action, 'measure');
    assert.deepEqual({ settings, only, contenders }, { settings: FULL, only: [], contenders: [] });
    assert.equal(settings.rounds, 5);
  });

  it('can be quick or a smoke run, with rounds and seconds of its own', () => {
    assert.deepEqual(parseOptions(['--quick']).settings, QUICK);
    assert.deepEqual(parseOptions(['--smoke']).settings, SMOKE);
    assert.equal(parseOptions(['--smoke']).action, 'smoke');
    assert.deepEqual(parseOptions(['--quick', '--rounds', '7', '--seconds', '0.5']).settings, {
      ...QUICK,
      rounds: 7,
      seconds: 0.5,
    });
  });

  it('takes lists with commas and repeated options', () => {
    const { only, contenders, also } = parseOptions(
      '--only tcp,udp --only ping --contenders a,b --also x=y'.split(' '),
    );

    assert.deepEqual(
      { only, contenders, also },
      { only: ['tcp', 'udp', 'ping'], contenders: ['a', 'b'], also: ['x=y'] },
    );
  });

  it('takes the measures without root by a word in front', () => {
    const { action, suite, files } = parseOptions(['rootless', '--quick']);

    assert.deepEqual({ action, suite, files }, { action: 'measure', suite: 'rootless', files: [] });
    assert.equal(parseOptions([]).suite, 'tunnel');
    assert.throws(() => parseOptions(['rootless', 'more']), /"more" is no option/);
  });

  it('takes files to render only', () => {
    assert.deepEqual(parseOptions(['--render', 'a.json', 'b.json']).files, ['a.json', 'b.json']);
    assert.throws(() => parseOptions(['a.json']), /"a\.json" is no option/);
  });

  it('refuses what makes no sense', () => {
    for (const words of [
      '--rounds 0',
      '--rounds 1.5',
      '--seconds -1',
      '--seconds x',
      '--also x',
      '--also =x',
      '--bogus',
    ])
      assert.throws(() => parseOptions(words.split(' ')), TypeError, words);
  });

  it('explains every option that it takes', () => {
    const options = ['quick', 'smoke', 'stages', 'list', 'render', 'rounds', 'seconds', 'only', 'contenders'];
    for (const option of [...options, 'wireguard-go', 'limit', 'gvisor', 'also', 'out'])
      assert.match(USAGE, RegExp(`--${option}\\b`));
    assert.equal(parseOptions(['-h']).action, 'help');
  });
});
