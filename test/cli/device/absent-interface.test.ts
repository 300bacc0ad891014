import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { absentInterface } from '../../../src/cli/device/absent-interface.js';
import { TunnelRecords } from '../../../src/host/net/tunnel-record.js';

describe('an interface that nothing answers for', () => {
  let folder: string;
  let records: TunnelRecords;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wiretype-absent-'));
    records = new TunnelRecords(join(folder, 'records'));
    records.write('dead', {});
    for (const name of ['dead', 'down']) writeFileSync(join(folder, `${name}.conf`), '');
  });

  after(() => rmSync(folder, { recursive: true }));

  for (const [what, name, code] of [
    ['was brought up, and its daemon has ended', 'dead', 'ERR_DAEMON_ENDED'],
    ['has a file, but is not up', 'down', 'ERR_NOT_WIREGUARD'],
    ['is unknown', 'nope', 'ERR_CONTROL_UNREACHABLE'],
    ['cannot be one', '../dead', 'ERR_CONTROL_UNREACHABLE'],
  ] as const) {
    it(`${what}: ${code}`, () => {
      const traces = { socketFolder: folder, configFolder: folder, records };
      assert.equal(absentInterface(name, undefined, traces).code, code);
    });
  }
});
