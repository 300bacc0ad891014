import { CONFIG_KEYS, lookupKey } from './config-keys.js';
import type { ConfigLine } from './config-line.js';
import { type ConfigProblem, showLine, suggestKey } from './config-problem.js';
import type { ConfigSection } from './config-section.js';
import type { ConfigFault } from './config-values.js';
import { isRestOfKey, quote } from './secret-text.js';

/** The lines of a document, and how the document is read. */
export interface CheckedLines {
  /** Errors are only faults that stock tools refuse as well. */
  readonly isReadAsWg: boolean;
  /** The lines before the first section. */
  readonly preamble: readonly ConfigLine[];
  readonly sections: readonly ConfigSection[];
}

type Note = (line: ConfigLine, number: number, fault: ConfigFault) => void;

/** Finds everything that is wrong with a file, in one pass over its lines. */
export function checkDocument(document: CheckedLines): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const note: Note = (line, number, fault) => {
    const isTaken = document.isReadAsWg && fault.isTakenByWg === true;
    problems.push(problemAt(line, number, isTaken ? { ...fault, severity: 'warning' } : fault));
  };
  const seen = { interfaces: 0, publicKeys: new Map<string, number>() };

  let number = 1;
  for (const line of document.preamble) {
    if (line.kind === 'entry' || line.kind === 'stray') {
      note(
        line,
        number,
        onKey(line, 'error', 'this line stands before the first section', 'Put [Interface] above it.'),
      );
    }
    number++;
  }
  for (const section of document.sections) {
    number += section.leading.length;
    checkHeader(section, number, seen, note);
    checkBody(section, number + 1, seen.publicKeys, note);
    number += 1 + section.body.length;
  }
  return problems.sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Places a fault of a value, or of the whole line, in the file. */
export function problemAt(line: ConfigLine, number: number, fault: ConfigFault): ConfigProblem {
  const isKnown = line.kind === 'entry' && lookupKey(line.key) !== undefined;
  const shownLine = showLine(line);
  const { severity, message, advice } = fault;
  return {
    severity,
    message: isKnown ? `${line.key}: ${message}` : message,
    ...(advice === undefined ? {} : { advice }),
    line: number,
    column: line.valueAt + fault.at + 1,
    length: fault.length,
    shownLine,
  };
}

function checkHeader(section: ConfigSection, number: number, seen: { interfaces: number }, note: Note): void {
  const { header, kind } = section;
  if (kind === 'interface') {
    if (seen.interfaces++ > 0) {
      note(header, number, onKey(header, 'warning', 'there is an [Interface] section above: both count as one'));
    }
  } else if (kind !== 'peer' && !section.isDisabledPeer) {
    note(
      header,
      number,
      onKey(header, 'error', `there is no section ${quote(header.key)}`, 'Sections are [Interface] and [Peer].'),
    );
  }
}

function checkBody(section: ConfigSection, start: number, publicKeys: Map<string, number>, note: Note): void {
  const firstOf = new Map<string, number>();
  for (const [i, line] of section.body.entries()) {
    const number = start + i;
    if (line.kind === 'stray') note(line, number, strayFault(line));
    if (line.kind !== 'entry') continue;

    const known = lookupKey(line.key);
    if (known === undefined || known.section.toLowerCase() !== section.kind) {
      if (section.kind === 'interface' || section.kind === 'peer') note(line, number, unknownFault(line, section.kind));
      continue;
    }
    known.parse(line.value, (fault) => note(line, number, withAdvice(line, fault)));
    if (known.isList) continue;
    const first = firstOf.get(known.name);
    if (first !== undefined) {
      note(line, number, onKey(line, 'warning', `line ${first} says it too: only the last one counts`));
    }
    firstOf.set(known.name, number);
  }
  if (section.kind === 'peer') checkPublicKey(section, start, publicKeys, note);
}

function checkPublicKey(section: ConfigSection, start: number, publicKeys: Map<string, number>, note: Note): void {
  const line = section.lastEntry('PublicKey');
  if (line === undefined) {
    note(section.header, start - 1, onKey(section.header, 'error', 'this peer has no PublicKey'));
    return;
  }
  const number = start + section.body.indexOf(line);
  const first = publicKeys.get(line.value);
  if (first === undefined) publicKeys.set(line.value, number);
  else note(line, number, onKey(line, 'warning', `the peer of line ${first} has the same key: they are one peer`));
}

function strayFault(line: ConfigLine): ConfigFault {
  if (line.key.startsWith(';')) return onKey(line, 'error', 'this line is not understood', 'Comments start with "#".');
  const text = line.key.toLowerCase();
  const known = CONFIG_KEYS.find(({ name }) => text.startsWith(name.toLowerCase()));
  if (known !== undefined) return onKey(line, 'error', `"=" is missing behind ${known.name}`);
  const advice = 'A line is a section in brackets, KEY = VALUE, or a comment.';
  return onKey(line, 'error', 'this line is not understood', advice);
}

function unknownFault(line: ConfigLine, section: 'interface' | 'peer'): ConfigFault {
  const elsewhere = lookupKey(line.key);
  if (elsewhere !== undefined) {
    return onKey(line, 'error', `it belongs into [${elsewhere.section}], not here`);
  }
  if (isRestOfKey(line.key, line.value)) {
    return onKey(line, 'error', 'this line looks like the rest of a key', 'Write a value and its key into one line.');
  }
  const suggestion = suggestKey(line.key, section);
  const advice = suggestion === undefined ? undefined : `Did you mean ${suggestion}?`;
  return onKey(line, 'error', `unknown key ${quote(line.key)}`, advice);
}

/** Adds advice about characters that cannot be part of a value: a comment of another format, a space from a web page. */
function withAdvice(line: ConfigLine, fault: ConfigFault): ConfigFault {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: everything outside ASCII
  const foreign = /[^\u0000-\u007f]/u.exec(line.value.slice(fault.at, fault.at + fault.length))?.[0];
  if (fault.advice !== undefined || fault.severity === 'warning') return fault;
  if (line.value.includes(';')) return { ...fault, advice: 'Comments start with "#".' };
  if (foreign === undefined) return fault;
  const code = foreign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  return { ...fault, advice: `It contains the character U+${code}, which may look like another one.` };
}

/** A fault of the line itself, shown at its start. */
function onKey(line: ConfigLine, severity: ConfigFault['severity'], message: string, advice?: string): ConfigFault {
  const length = Math.max(1, line.kind === 'header' ? line.key.length + 2 : line.key.length);
  const at = line.keyAt - line.valueAt;
  return { severity, message, ...(advice === undefined ? {} : { advice }), at, length };
}
