import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { restoreFolder, StoreFolder } from '../../src/store/store-folder.js';
import { audit, device, SETTINGS, SQLITE, VirtualClock, withFolder } from './samples.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe("a gateway's folder", () => {
  it('is created for its owner alone, and so are the files in it', () =>
    withFolder((parent) => {
      const folder = join(parent, 'state');
      const store = open(folder);
      store.state.commit({ settings: SETTINGS, audit: audit('init') });
      store.stats.addTraffic(0, 60, new Map([['d0', { received: 1, sent: 1 }]]));
      store.keepBackups();

      const modes = [
        folder,
        ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
      ]
        .map((path) => statSync(path))
        .filter((status) => (status.mode & 0o077) !== 0);

      assert.deepEqual(modes, []);
      store.close();
    }));

  it('refuses a second use, and names the process', () =>
    withFolder((folder) => {
      const store = open(folder);

      assert.throws(() => open(folder), {
        code: 'ERR_STORE_IN_USE',
        message: `${folder} is in use by another gateway, process ${process.pid}`,
      });
      store.close();
      open(folder).close();
    }));

  it('takes the time zone of its settings for days of traffic, from the start and with a change', () =>
    withFolder((folder) => {
      const clock = new VirtualClock();
      const first = open(folder, clock);
      first.state.commit({ settings: SETTINGS, audit: audit('init') });
      first.close();
      const store = open(folder, clock);

      store.stats.addTraffic(Date.UTC(2026, 0, 15, 12), 60, new Map([['d0', { received: 1, sent: 1 }]]));

      const year = { fromUnixMs: 0, toUnixMs: clock.unixMs, buckets: 100_000 };
      const [day] = store.stats.traffic('d0', year);
      assert.equal(new Date(day!.startUnixMs).toISOString(), '2026-01-14T23:00:00.000Z');
      store.close();
    }));
});

describe('daily backups', () => {
  it('are made with the first change of a day, and not without one', () =>
    withFolder((folder) => {
      const clock = new VirtualClock();
      const store = open(folder, clock);
      const backupsAfter = (ms: number, isChanged: boolean) => {
        clock.advance(ms);
        if (isChanged) store.state.commit({ settings: SETTINGS, audit: audit('change') });
        store.keepBackups();
        return store.health().backups.length;
      };

      assert.deepEqual(
        [
          backupsAfter(0, false),
          backupsAfter(0, true),
          backupsAfter(23 * HOUR_MS, true),
          backupsAfter(HOUR_MS, true),
          backupsAfter(5 * DAY_MS, false),
          backupsAfter(0, true),
        ],
        [0, 1, 1, 2, 2, 3],
      );
      store.close();
    }));

  it('are kept: the newest seven, also where a wrong clock has made some in times to come', () =>
    withFolder((folder) => {
      const clock = new VirtualClock();
      const store = open(folder, clock);
      const changeDaily = (days: number) => {
        for (let day = 0; day < days; day++) {
          clock.advance(DAY_MS);
          store.state.commit({ settings: SETTINGS, audit: audit('change') });
          store.keepBackups();
        }
        return store.health().backups.map(({ atUnixMs }) => atUnixMs);
      };

      clock.advance(1_000 * DAY_MS);
      assert.equal(changeDaily(9).length, 7);
      clock.advance(-1_000 * DAY_MS);
      const kept = changeDaily(9);

      assert.deepEqual(kept, Array.from({ length: 7 }, (_, day) => clock.unixMs - day * DAY_MS).map(toSecond));
      store.close();
    }));

  it('that fail do not stop the gateway: it is reported, and tried again an hour later', () =>
    withFolder((folder) => {
      const clock = new VirtualClock();
      const store = open(folder, clock);
      writeFileSync(join(folder, 'backups'), 'a file in the way');
      const change = () => {
        store.state.commit({ settings: SETTINGS, audit: audit('change') });
        store.keepBackups();
        return store.health();
      };

      assert.match(change().backupProblem ?? '', /backups: (EEXIST|ENOTDIR)/);
      rmSync(join(folder, 'backups'));
      assert.equal(change().backups.length, 0);
      clock.advance(HOUR_MS);
      const { backups, backupProblem } = change();

      assert.deepEqual([backups.length, backupProblem], [1, undefined]);
      store.close();
    }));
});

describe('a backup', () => {
  it('goes to a new file of mode 0600, and never over another file', () =>
    withFolder((folder) => {
      const store = open(folder);
      store.state.commit({ settings: SETTINGS, audit: audit('init') });
      const path = join(folder, 'copy.db');

      store.backup(path);

      assert.equal(statSync(path).mode & 0o777, 0o600);
      assert.throws(() => store.backup(path), {
        code: 'ERR_STORE_FILE',
        message: `${path} exists, and is not overwritten`,
      });
      assert.throws(() => store.backup(join(folder, 'missing/x.db')), { code: 'ERR_STORE_FILE' });
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.includes('partial') || name.startsWith('copy.db-')),
        [],
      );
      store.close();
    }));

  it('is restored as the state of its moment, and the state until now is kept aside', () =>
    withFolder((folder) => {
      const store = open(folder);
      store.state.commit({ settings: SETTINGS, putDevices: [device(0), device(1)], audit: audit('init') });
      const then = store.state.load();
      store.backup(join(folder, 'copy.db'));
      store.state.commit({ removeDevices: ['d1'], audit: audit('device.remove') });

      const aside = store.restore(join(folder, 'copy.db'));

      assert.deepEqual(store.state.load(), then);
      store.state.commit({ putDevices: [device(2)], audit: audit('device.add') });
      assert.equal(store.state.audit.verify().isIntact, true);
      store.restore(aside);
      assert.deepEqual(store.state.load()?.devices, [device(0)]);
      assert.ok(existsSync(join(folder, 'copy.db')));
      store.close();
    }));

  const wrong = {
    'is damaged, or is no database': (path: string) => writeFileSync(path, 'x'.repeat(9_000)),
    'is not the state of a gateway': (path: string) => {
      const other = SQLITE(path);
      other.exec('CREATE TABLE t (n INTEGER)');
      other.close();
    },
    'was written by a later version of wiretype (99)': (path: string) => change(path, 'PRAGMA user_version = 99'),
    'has an audit log that is broken at line 1': (path: string) =>
      change(path, "DROP TRIGGER audit_keeps_its_lines; UPDATE audit SET actor = 'nobody'"),
  };
  for (const [why, spoil] of Object.entries(wrong))
    it(`that ${why} is refused, and the state stays`, () =>
      withFolder((folder) => {
        const store = open(folder);
        const path = join(folder, 'copy.db');
        store.state.commit({ settings: SETTINGS, audit: audit('init') });
        store.backup(path);
        const before = store.state.load();
        rmSync(path, { force: why.includes('damaged') });
        if (!why.includes('damaged') && !why.includes('not the state')) store.backup(path);
        spoil(path);

        assert.throws(() => store.restore(path), { code: 'ERR_BACKUP', message: `${path} ${why}` });

        assert.deepEqual(store.state.load(), before);
        assert.deepEqual(
          readdirSync(folder).filter((name) => /new|replaced/.test(name)),
          [],
        );
        store.close();
      }));

  it('that is missing is refused with the reason of the system, and the state stays', () =>
    withFolder((folder) => {
      const store = open(folder);
      store.state.commit({ settings: SETTINGS, audit: audit('init') });

      assert.throws(() => store.restore(join(folder, 'missing.db')), { code: 'ERR_STORE_FILE', message: /ENOENT/ });

      assert.equal(store.state.load()?.revision, 1);
      store.close();
    }));
});

describe('a damaged state.db', () => {
  it('is refused with the path of the last backup, as often as it is opened, and stays in its place', () =>
    withFolder((folder) => {
      const backup = damagedFolder(folder);
      const content = readFileSync(join(folder, 'state.db'));

      for (let attempt = 0; attempt < 2; attempt++)
        assert.throws(() => open(folder), {
          code: 'ERR_STORE_DAMAGED',
          message: `${join(folder, 'state.db')} is damaged (file is not a database); the last backup is ${backup}`,
        });

      assert.deepEqual(readFileSync(join(folder, 'state.db')), content);
    }));

  it('is put aside when the last backup is restored', () =>
    withFolder((folder) => {
      const backup = damagedFolder(folder);
      const content = readFileSync(join(folder, 'state.db'));

      const restored = restoreFolder(SQLITE, folder, new VirtualClock());

      assert.deepEqual(restored, { backup, aside: `${join(folder, 'state.db')}.damaged-2026-11-26T092717Z` });
      assert.deepEqual(readFileSync(restored.aside), content);
      const store = open(folder);
      assert.deepEqual(store.state.load()?.devices, [device(0)]);
      store.close();
    }));

  it('is found by damage anywhere in its pages', () =>
    withFolder((folder) => {
      const store = open(folder);
      const devices = Array.from({ length: 90 }, (_, number) => device(number));
      store.state.commit({ settings: SETTINGS, putDevices: devices, audit: audit('init') });
      store.close();
      const content = readFileSync(join(folder, 'state.db'));
      const pages = content.length / 4_096;
      content.fill(0xa5, (pages - 2) * 4_096, (pages - 1) * 4_096);
      writeFileSync(join(folder, 'state.db'), content);

      assert.throws(() => open(folder), { code: 'ERR_STORE_DAMAGED', message: /; there is no backup$/ });
    }));

  it('is not taken for a first run where it is missing although there are backups', () =>
    withFolder((folder) => {
      const backup = damagedFolder(folder);
      rmSync(join(folder, 'state.db'));

      assert.throws(() => open(folder), {
        code: 'ERR_STORE_DAMAGED',
        message: `${join(folder, 'state.db')} is missing; the last backup is ${backup}`,
      });
      restoreFolder(SQLITE, folder, new VirtualClock());
      open(folder).close();
    }));

  it('cannot be restored where there is no backup', () =>
    withFolder((folder) => {
      assert.throws(() => restoreFolder(SQLITE, folder, new VirtualClock()), {
        code: 'ERR_BACKUP',
        message: `${folder} has no backup`,
      });
    }));

  it('is restored only while no gateway uses the folder', () =>
    withFolder((folder) => {
      const store = open(folder);

      assert.throws(() => restoreFolder(SQLITE, folder, new VirtualClock()), { code: 'ERR_STORE_IN_USE' });
      store.close();
    }));
});

describe('a damaged stats.db', () => {
  it('is put aside and reported, and history begins anew', () =>
    withFolder((folder) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'stats.db'), 'x'.repeat(9_000));

      const store = open(folder);

      const { statsSetAside } = store.health();
      assert.equal(readFileSync(statsSetAside!, 'utf8'), 'x'.repeat(9_000));
      store.stats.addTraffic(0, 60, new Map([['d0', { received: 1, sent: 1 }]]));
      store.close();
    }));
});

function open(folder: string, clock = new VirtualClock()): StoreFolder {
  return StoreFolder.open(SQLITE, folder, clock);
}

/** Makes a folder whose state is damaged. @returns The path of its only backup. */
function damagedFolder(folder: string): string {
  const store = open(folder);
  store.state.commit({ settings: SETTINGS, putDevices: [device(0)], audit: audit('init') });
  store.keepBackups();
  const [backup] = store.health().backups;
  store.close();
  writeFileSync(join(folder, 'state.db'), 'no database '.repeat(1_000));
  return backup!.path;
}

function change(path: string, sql: string): void {
  const connection = SQLITE(path);
  connection.exec(sql);
  connection.close();
}

function toSecond(unixMs: number): number {
  return Math.floor(unixMs / 1_000) * 1_000;
}
