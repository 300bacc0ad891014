/**
 * Writes docs/netstack-throughput.md from transfers over simulated links. Needs a build; takes some seconds.
 *
 *     node scripts/netstack-throughput.mjs [--check]
 *
 * `--check` writes nothing, and exits with 1 if the page is stale.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { throughputPage } from '../dist/test/netstack/throughput.js';

const PAGE = fileURLToPath(new URL('../docs/netstack-throughput.md', import.meta.url));

const page = throughputPage();
if (!process.argv.includes('--check')) writeFileSync(PAGE, page);
else if (!existsSync(PAGE) || readFileSync(PAGE, 'utf8') !== page) {
  process.stderr.write('docs/netstack-throughput.md is stale: node scripts/netstack-throughput.mjs\n');
  process.exitCode = 1;
}
