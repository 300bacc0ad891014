import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { COMMANDS } from '../../../src/cli/command-table.js';

/** This file runs as `dist/test/cli/quick/units.test.js`. */
const FOLDER = new URL('../../../../systemd/', import.meta.url);

describe('systemd units', () => {
  const units = new Map(readdirSync(FOLDER).map((name) => [name, readFileSync(new URL(name, FOLDER), 'utf8')]));

  it('call commands that exist', () => {
    const names = new Set(COMMANDS.map(({ name }) => name));
    const called = [...units.values()].flatMap((text) => [...text.matchAll(/^Exec\w+=.*wiretype (\w+)/gm)]);

    assert.deepEqual([...new Set(called.map(([, name]) => name))].sort(), [
      'down',
      'expire',
      'hub',
      'mesh',
      'reload',
      'reresolve',
      'up',
    ]);
    for (const [, name] of called) assert.ok(names.has(name!), name);
  });

  it('name units that exist', () => {
    const named = [...units.values()].flatMap(
      (text) => text.match(/wiretype[\w-]*@?(?:%i)?\.(?:service|target|timer)/g) ?? [],
    );
    for (const name of named) assert.ok(units.has(name.replace('%i', '')), name);
  });

  it('watch the process that keeps the daemon alive, and start anew when it dies', () => {
    const text = units.get('wiretype@.service')!;
    const [, pidFile] = /^PIDFile=(.+)$/m.exec(text) ?? [];
    assert.ok(text.includes(`\nEnvironment=WIRETYPE_PID_FILE=${pidFile}\n`), pidFile);
    for (const setting of ['Type=forking', 'Restart=on-failure']) assert.ok(text.includes(`\n${setting}\n`), setting);
    assert.doesNotMatch(text, /RemainAfterExit/);
  });

  it('leave the daemon what it needs, and what it drops', () => {
    const [, words = ''] = /^CapabilityBoundingSet=(.+)$/m.exec(units.get('wiretype@.service')!) ?? [];
    for (const name of ['NET_ADMIN', 'NET_BIND_SERVICE', 'NET_BROADCAST', 'SETPCAP'])
      assert.ok(words.split(' ').includes(`CAP_${name}`), name);
  });

  it('are hardened, and every protection that is left out says why', () => {
    for (const [name, text] of units) {
      if (!name.endsWith('.service')) continue;
      for (const setting of [
        'NoNewPrivileges=yes',
        'ProtectSystem=strict',
        name === 'wiretype-hub.service' ? 'CapabilityBoundingSet=' : 'CapabilityBoundingSet=CAP_',
        'SystemCallFilter=',
      ]) {
        assert.ok(text.includes(`\n${setting}`), `${name}: ${setting}`);
      }
      assert.match(text, /^ProtectKernelTunables=yes$|^# .*ProtectKernelTunables/m);
    }
  });
});
