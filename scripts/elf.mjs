/** The symbols that a shared object needs and provides, by `readelf` for any processor. */
import { spawnSync } from 'node:child_process';

const SYMBOL = /^\s*\d+: [0-9a-f]+ +\S+ +\S+ +(LOCAL|GLOBAL|WEAK|UNIQUE) +\S+ +(\S+) (\S+)/;

/**
 * @returns `machine`; `needed`, the names of libraries; `wanted`, the symbols that other objects must provide, each with
 *   its version if it has one; `provided`, the names of its own symbols.
 * @throws {Error} The message contains the output of `readelf`.
 */
export function readElf(file) {
  const text = readelf('--wide', '--file-header', '--dynamic', '--dyn-syms', file);
  const symbols = text.split('\n').map((line) => SYMBOL.exec(line));
  const all = symbols.filter((match) => match !== null && match[1] !== 'LOCAL');
  const named = all.map(([, , section, symbol]) => ({ section, ...splitVersion(symbol) }));
  return {
    machine: /^ *Machine: +(.*)$/m.exec(text)?.[1],
    needed: Array.from(text.matchAll(/\(NEEDED\) +Shared library: \[(.*)\]/g), (match) => match[1]),
    wanted: named.filter(({ section }) => section === 'UND').map(({ name, version }) => ({ name, version })),
    provided: new Set(named.filter(({ section }) => section !== 'UND').map(({ name }) => name)),
  };
}

function splitVersion(symbol) {
  const [name, version] = symbol.split(/@+/);
  return { name, version };
}

function readelf(...words) {
  const { status, stdout, stderr, error } = spawnSync('readelf', words, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`readelf failed: ${error?.message ?? stderr}`);
  return stdout;
}
