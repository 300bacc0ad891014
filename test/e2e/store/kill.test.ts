import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { SqliteStore } from '../../../src/store/sqlite-store.js';

const PROGRAM = fileURLToPath(new URL('commit-program.js', import.meta.url));
const KILLS = 200;
const MAX_COMMITS = 12;

/** Commits until it is killed at a random moment. @returns The numbers that were acknowledged. */
async function commitAndKill(folder: string, first: number): Promise<number[]> {
  const child = spawn(process.execPath, [PROGRAM, folder, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const commits = 1 + Math.floor(Math.random() * MAX_COMMITS);
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(Number(line));
    // Not always right after an answer: most kills shall meet a commit on its way.
    if (acknowledged.length === commits) setTimeout(() => child.kill('SIGKILL'), Math.random() * 3);
  }
  await exited;
  return acknowledged;
}

describe('a store that is killed', () => {
  it(`has lost nothing that was acknowledged, ${KILLS} times over`, { timeout: 240_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-kill-'));
    try {
      const acknowledged: number[] = [];
      for (let kill = 0; kill < KILLS; kill++)
        acknowledged.push(...(await commitAndKill(folder, (acknowledged.at(-1) ?? 0) + 1 + MAX_COMMITS)));
      const store = await SqliteStore.open(folder);
      const state = (await store.load())!;
      const kept = new Set(state.devices.map(({ id }) => id));
      assert.ok(acknowledged.length >= KILLS);
      assert.deepEqual(
        acknowledged.filter((number) => !kept.has(`k${number}`)),
        [],
      );
      assert.equal(state.revision, kept.size, 'a revision for each commit, and no half of one');
      assert.equal((await store.verifyAudit()).isIntact, true);
      await store.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
