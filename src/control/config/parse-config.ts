import { ConfigDocument } from './config-document.js';
import { lookupKey } from './config-keys.js';
import { type ConfigLine, parseLine } from './config-line.js';
import { ConfigSection } from './config-section.js';

const BYTE_ORDER_MARK = '\ufeff';
/** An entry that was commented out belongs to the section above it, not to the one below. */
const COMMENTED_ENTRY = /^\s*#+\s*([A-Za-z]+)\s*=/;

/**
 * Reads a configuration file of `wg` or `wg-quick`. Any text can be read: what is wrong with it is in
 * `problems`, and `document.text` is the same text again.
 *
 * @param fileName As it shall stand in messages.
 */
export function parseConfig(text: string, fileName: string): ConfigDocument {
  const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
  const newline = /^[^\n]*\r\n/.test(text) ? '\r\n' : '\n';
  const preamble: ConfigLine[] = [];
  const sections: ConfigSection[] = [];

  let body = preamble;
  for (const line of cutLines(text, mark.length)) {
    if (line.kind !== 'header') {
      body.push(line);
      continue;
    }
    const leading = takeLeading(body);
    body = [];
    sections.push(new ConfigSection(leading, line, body, newline));
  }
  return new ConfigDocument({ fileName, mark, preamble, sections, newline });
}

function* cutLines(text: string, start: number): Iterable<ConfigLine> {
  for (let at = start; at < text.length; ) {
    const feed = text.indexOf('\n', at);
    const end = feed < 0 ? text.length : feed + 1;
    yield parseLine(text.slice(at, end));
    at = end;
  }
}

/** Takes the comment lines off the end of a section that belong to the header behind them. */
function takeLeading(body: ConfigLine[]): ConfigLine[] {
  let at = body.length;
  while (at > 0 && isLeadingComment(body[at - 1]!)) at--;
  return body.splice(at);
}

function isLeadingComment({ kind, raw }: ConfigLine): boolean {
  if (kind !== 'comment') return false;
  const entry = COMMENTED_ENTRY.exec(raw)?.[1];
  return entry === undefined || lookupKey(entry) === undefined;
}
