import { ConfigDocument } from './config-document.js';
import { lookupKey } from './config-keys.js';
import { type ConfigLine, parseLine } from './config-line.js';
import { ConfigSection } from './config-section.js';
import { enableLine, isDisabledLine } from './disabled-lines.js';

const BYTE_ORDER_MARK = '\ufeff';
/** An entry that was commented out belongs to the section above it, not to the section below. */
const COMMENTED_ENTRY = /^\s*#+\s*([A-Za-z]+)\s*=/;

/**
 * Reads a configuration file of `wg` or `wg-quick`. Any text can be read: its faults are in
 * `problems`, and `document.text` is the same text again.
 *
 * @param fileName The name of the file in messages.
 */
export function parseConfig(text: string, fileName: string): ConfigDocument {
  return parseLines(text, fileName, (lines) => cutPieces(lines, fileName));
}

function parseLines(
  text: string,
  fileName: string,
  cut: (lines: readonly ConfigLine[]) => readonly Piece[],
): ConfigDocument {
  const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
  const newline = /^[^\n]*\r\n/.test(text) ? '\r\n' : '\n';
  const preamble: ConfigLine[] = [];
  const sections: ConfigSection[] = [];

  let body = preamble;
  for (const { lines, isDisabledPeer } of cut([...cutLines(text, mark.length)])) {
    if (!isDisabledPeer && lines[0]!.kind !== 'header') {
      body.push(...lines);
      continue;
    }
    const leading = isDisabledPeer ? [] : takeLeading(body); // the comment above a disabled peer has its mark
    const [header, ...rest] = lines;
    body = rest;
    sections.push(new ConfigSection(leading, header!, body, newline));
  }
  return new ConfigDocument({ fileName, mark, preamble, sections, newline });
}

/** Lines that stay together: a disabled peer, or a single line. */
interface Piece {
  readonly lines: readonly ConfigLine[];
  readonly isDisabledPeer: boolean;
}

function cutPieces(lines: readonly ConfigLine[], fileName: string): Piece[] {
  const pieces: Piece[] = [];
  const endsSection = sectionEnds(lines);
  for (let at = 0; at < lines.length; ) {
    let end = at;
    while (end < lines.length && isDisabledLine(lines[end]!.raw)) end++;
    const run = lines.slice(at, Math.max(end, at + 1));
    const disabled = end > at && endsSection[end]! ? cutDisabled(run, fileName) : [];
    pieces.push(...(disabled.length > 0 ? disabled : cutSingly(run)));
    at += run.length;
  }
  return pieces;
}

function cutSingly(lines: readonly ConfigLine[]): Piece[] {
  return lines.map((line) => ({ lines: [line], isDisabledPeer: false }));
}

/**
 * Finds for every line whether the next line with a meaning is a header, or there is no such line. An entry behind a
 * run of
 * comments would belong to the section above: then the comments belong to that section as well.
 */
function sectionEnds(lines: readonly ConfigLine[]): boolean[] {
  const ends = new Array<boolean>(lines.length + 1).fill(true);
  for (let at = lines.length - 1; at >= 0; at--) {
    const { kind } = lines[at]!;
    ends[at] = kind === 'header' || ((kind === 'blank' || kind === 'comment') && ends[at + 1]!);
  }
  return ends;
}

/** @returns One piece for each peer; no pieces if the lines are something else. */
function cutDisabled(lines: readonly ConfigLine[], fileName: string): Piece[] {
  const text = lines.map(({ raw }) => enableLine(raw)).join('');
  const { preamble, sections } = parseLines(text, fileName, cutSingly);
  if (preamble.length > 0 || text.startsWith(BYTE_ORDER_MARK) || sections.some(({ kind }) => kind !== 'peer'))
    return [];
  let at = 0;
  return sections.map((section) => {
    const start = at;
    at += [...section.lines()].length;
    return { lines: lines.slice(start, at), isDisabledPeer: true };
  });
}

function* cutLines(text: string, start: number): Iterable<ConfigLine> {
  for (let at = start; at < text.length; ) {
    const feed = text.indexOf('\n', at);
    const end = feed < 0 ? text.length : feed + 1;
    yield parseLine(text.slice(at, end));
    at = end;
  }
}

/** Removes from the end of a section the comment lines that belong to the next header. */
function takeLeading(body: ConfigLine[]): ConfigLine[] {
  let at = body.length;
  while (at > 0 && isLeadingComment(body[at - 1]!)) at--;
  return body.splice(at);
}

function isLeadingComment({ kind, raw }: ConfigLine): boolean {
  if (kind !== 'comment' || isDisabledLine(raw)) return false;
  const entry = COMMENTED_ENTRY.exec(raw)?.[1];
  return entry === undefined || lookupKey(entry) === undefined;
}
