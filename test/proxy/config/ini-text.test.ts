import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { cutIni } from '../../../src/proxy/config/ini-text.js';

describe('the text of a file of wireproxy', () => {
  it('is cut into sections, those of one name apart, with the entries above the first in one without a name', () => {
    const sections = cutIni(
      '\ufeffWGConfig = a.conf\n[Socks5]\nBindAddress=:1\r\n\n[ Tunnel  home office ]\n[Socks5] # 2\n',
    );

    assert.deepEqual(
      sections.map(({ name, title, line, endLine }) => [name, title, line, endLine]),
      [
        ['', '', 0, 2],
        ['Socks5', '', 2, 5],
        ['Tunnel', 'home office', 5, 6],
        ['Socks5', '', 6, 8],
      ],
    );
    assert.deepEqual(sections[0]!.entries, [{ key: 'WGConfig', value: 'a.conf', line: 1 }]);
    assert.deepEqual(sections[1]!.entries, [{ key: 'BindAddress', value: ':1', line: 3 }]);
  });

  for (const [written, value] of [
    ['plain', 'plain'],
    ['a # comment', 'a'],
    ['a;comment', 'a'],
    ['"in quotes"', 'in quotes'],
    ["'in quotes'", 'in quotes'],
    ['`raw # ; "`', 'raw # ; "'],
    ['a=b', 'a=b'],
    ['', ''],
  ])
    it(`has the value ${JSON.stringify(value)} in KEY = ${written}`, () => {
      assert.equal(cutIni(`[a]\nkey = ${written}`)[1]!.entries[0]!.value, value);
    });

  it('has comments with # and ; and stray lines, which are errors', () => {
    const [root] = cutIni('; one\n# two\nthree\n= four\n');

    assert.deepEqual(root!.entries, []);
    assert.deepEqual(root!.strayLines, [3, 4]);
  });
});
