#!/usr/bin/env node
import { existsSync } from 'node:fs';

const built = new URL('../dist/bench/main.js', import.meta.url);
if (existsSync(built)) {
  const { main } = await import(built.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write('bench: this checkout is not built yet: run "npm run bench" in it.\n');
  process.exitCode = 1;
}
