import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Screen } from '../../../src/cli/demo/screen.js';

describe('screen of the demo', () => {
  it('replaces what it showed, on a terminal', () => {
    const { screen, written } = open(80);
    screen.update(['one', 'two']);
    screen.update(['three']);
    screen.print('stays');
    screen.print('too');
    assert.equal(written(), 'one\ntwo\n\x1b[2A\x1b[Jthree\n\x1b[1A\x1b[Jstays\ntoo\n');
  });

  it('only adds lines, and no control codes, elsewhere', () => {
    const { screen, written } = open(undefined);
    screen.update(['one', 'two']);
    screen.update(['x'.repeat(300)]);
    assert.equal(written(), `one\ntwo\n${'x'.repeat(300)}\n`);
  });

  it('cuts lines that would wrap', () => {
    const { screen, written } = open(10);
    screen.update(['0123456789abc', '012345678']);
    assert.equal(written(), '01234567…\n012345678\n');
  });
});

function open(columns: number | undefined): { screen: Screen; written: () => string } {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  return { screen: new Screen(write, () => columns), written: () => text };
}
