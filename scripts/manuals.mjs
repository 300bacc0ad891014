/**
 * Writes the manual pages in `man/` from the output of `--help`. Needs a build.
 *
 *     node scripts/manuals.mjs [--check]
 *
 * `--check` writes nothing, and exits with 1 if a page is stale.
 *
 * Source: groff_man(7).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { COMMANDS } from '../dist/src/cli/command-table.js';
import { DAEMON_MANUAL } from '../dist/src/cli/daemon/daemon-manual.js';
import { listEnvironment, listTerms, splitParagraphs, wrap } from '../dist/src/cli/format-help.js';

const FOLDER = fileURLToPath(new URL('../man/', import.meta.url));
const DATE = '2026-11-22';
/** The width before escaping, which makes lines longer: mandoc requires lines within 80 bytes. */
const WIDTH = 70;

const pages = { 'wiretype.1': await toolPage(), 'wiretyped.8': daemonPage() };
process.exitCode = process.argv.includes('--check') ? check() : write();

function check() {
  const stale = Object.entries(pages).filter(([name, text]) => read(name) !== text);
  for (const [name] of stale) process.stderr.write(`man/${name} is not what --help says: node scripts/manuals.mjs\n`);
  return stale.length === 0 ? 0 : 1;
}

function write() {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, text] of Object.entries(pages)) writeFileSync(FOLDER + name, text);
  return 0;
}

function read(name) {
  return existsSync(FOLDER + name) ? readFileSync(FOLDER + name, 'utf8') : '';
}

async function toolPage() {
  const commands = [];
  for (const { name, summary, load } of COMMANDS) {
    commands.push(...commandSection(name, summary, (await load()).manual));
  }
  return page('WIRETYPE', 1, [
    '.SH NAME',
    'wiretype \\- set up, change and watch WireGuard interfaces',
    '.SH SYNOPSIS',
    ...synopsis('wiretype', 'COMMAND [ARGUMENTS]'),
    ...synopsis('wiretype', 'COMMAND --help'),
    ...synopsis('wiretype', '--version'),
    '.SH DESCRIPTION',
    ...paragraphs(`
wiretype does what wg(8) and wg-quick(8) do, and more. It works on every userspace WireGuard that has a control socket:
wiretyped(8), wireguard-go and others. Called through a link named wg or wg-quick, it behaves as these.
`),
    '.SH COMMANDS',
    ...commands,
    '.SH EXIT STATUS',
    ...terms([
      { term: '0', about: 'It is done.' },
      { term: '1', about: 'It is not; standard error says why, and what to do.' },
      { term: '2', about: 'The command was called in the wrong way.' },
      { term: '3', about: 'Joining or running a node needs a new invitation.' },
    ]),
    '.SH FILES',
    ...terms([
      { term: '/etc/wireguard/INTERFACE.conf', about: 'The configuration file of an interface.' },
      { term: '/var/run/wireguard/INTERFACE.sock', about: 'The control socket of the daemon behind it.' },
    ]),
    '.SH SEE ALSO',
    '.BR wiretyped (8),',
    '.BR wg (8),',
    '.BR wg\\-quick (8),',
    '.BR ip\\-link (8)',
  ]);
}

function daemonPage() {
  return page('WIRETYPED', 8, [
    '.SH NAME',
    'wiretyped \\- WireGuard daemon',
    '.SH SYNOPSIS',
    ...synopsis('wiretyped', DAEMON_MANUAL.usage),
    '.SH DESCRIPTION',
    ...paragraphs(DAEMON_MANUAL.about),
    '.PP',
    ...paragraphs(DAEMON_MANUAL.notes),
    '.SH OPTIONS',
    ...terms(listTerms(DAEMON_MANUAL)),
    '.SH ENVIRONMENT',
    ...terms(listEnvironment(DAEMON_MANUAL)),
    '.SH FILES',
    ...terms([{ term: '/var/run/wireguard/INTERFACE.sock', about: 'The control socket.' }]),
    '.SH EXAMPLES',
    ...block(DAEMON_MANUAL.examples),
    '.SH SEE ALSO',
    '.BR wiretype (1),',
    '.BR wg (8),',
    '.BR wg\\-quick (8)',
  ]);
}

function page(title, section, lines) {
  const head = ['.\\" Made by scripts/manuals.mjs from what --help says.', `.TH ${title} ${section} ${DATE} wiretype`];
  return `${[...head, ...lines].join('\n')}\n`;
}

function commandSection(name, summary, manual) {
  const listed = [...listTerms(manual), ...listEnvironment(manual)];
  return [
    `.SS ${roff(name)} \\(em ${roff(summary)}`,
    ...synopsis(`wiretype ${name}`, manual.usage),
    '.PP',
    ...paragraphs(manual.about),
    ...terms(listed),
    ...(manual.notes === undefined ? [] : ['.PP', ...paragraphs(manual.notes)]),
    '.PP',
    manual.examples.length === 1 ? 'Example:' : 'Examples:',
    '.PP',
    ...block(manual.examples),
  ];
}

/** Formats lines that break where the text does; all lines but the first are indented. */
function synopsis(name, usage) {
  const [first, ...rest] = usage.split('\n').map(roff);
  return ['.nf', `\\fB${roff(name)}\\fR ${first}`, ...rest.map((line) => `        ${line}`), '.fi'];
}

function paragraphs(text) {
  return splitParagraphs(text).flatMap((paragraph, i) => [...(i === 0 ? [] : ['.PP']), ...sentences(paragraph)]);
}

/** Starts a line with every sentence, as roff requires to detect the end of sentences. */
function sentences(paragraph) {
  const lines = paragraph.split(/(?<=[.:;]) (?=[A-Z])/).flatMap((sentence) => wrap(sentence, WIDTH));
  return lines.map((line) => guard(roff(line)));
}

function terms(list) {
  return list.flatMap(({ term, about }) => ['.TP', `\\fB${roff(term)}\\fR`, ...sentences(about)]);
}

/** Formats lines verbatim. */
function block(lines) {
  return ['.in +4n', '.nf', ...lines.map((line) => guard(roff(line))), '.fi', '.in'];
}

function roff(text) {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
}

/** Guards a leading dot or quote, which would make the line a request. */
function guard(line) {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}
