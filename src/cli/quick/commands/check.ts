import { existsSync } from 'node:fs';
import type { Command } from '../../command.js';
import { formatJson } from '../../json-text.js';
import { jsonOption, type Manual, TARGET } from '../../manual.js';
import { checkFile } from '../check/check-file.js';
import { type Finding, formatFinding } from '../check/finding.js';
import { findConfig } from '../config-path.js';
import { parseCommandArguments } from './command-arguments.js';

const MANUAL: Manual = {
  usage: '[--json] INTERFACE|FILE',
  about: `
Reads a configuration file and shows everything that is wrong with it at once, with line and advice. Warns of lines
that work but are rarely meant: allowed IPs of two peers that overlap, bits behind a prefix length, addresses written
twice, a client behind NAT without PersistentKeepalive, an endpoint that is routed into the tunnel itself, keys that
others can read. Nothing is changed. The exit status is 1 if there are errors, 0 if there are warnings only.
`,
  words: [TARGET],
  options: jsonOption('check'),
  examples: ['wiretype check wg0', 'wiretype check ./office.conf'],
};

/** Finds everything that is wrong with a file. */
export const check: Command = {
  name: 'check',
  manual: MANUAL,

  async run(args, io) {
    const { target, flags } = parseCommandArguments(args, MANUAL.options);
    const file = target.includes('/') || existsSync(target) ? target : findConfig(target).file;
    const findings = await checkFile(file);
    if (flags.has('json')) io.write(formatJson({ file, findings }));
    else io.write(findings.map((finding) => formatFinding(finding, file)).join('') + summary(file, findings));
    return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
  },
};

function summary(file: string, findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  return `${file}: ${count(errors, 'error')}, ${count(warnings, 'warning')}\n`;
}

function count(number: number, what: string): string {
  return `${number === 0 ? 'no' : number} ${what}${number === 1 ? '' : 's'}`;
}
