/** One `KEY = VALUE` of a file. */
export interface IniEntry {
  /** The key as it is written. */
  readonly key: string;
  /** Without comment and quotes. */
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

/** A section with its entries. The entries above the first header are in a section without a name. */
export interface IniSection {
  /** The first word of the header, as written. */
  readonly name: string;
  /** The rest of the header: `home` in `[Tunnel home]`. */
  readonly title: string;
  /** The line of the header, counted from 1; 0 if there is none. */
  readonly line: number;
  readonly entries: readonly IniEntry[];
  /** Lines that are none of header, entry, comment and blank. */
  readonly strayLines: readonly number[];
  /** The line after the last one of the section. */
  readonly endLine: number;
}

const HEADER = /^\[\s*([^\s\]]*)\s*([^\]]*?)\s*\]\s*(?:[#;].*)?$/;
const ENTRY = /^([^=]*[^=\s])\s*=\s*(.*)$/s;

/**
 * Cuts a text into sections, as wireproxy's reader does: `#` and `;` begin a comment anywhere, a value may stand in quotes or
 * backticks. Sections of one name stay apart.
 *
 * Source: windtf/wireproxy config.go (`ini.LoadOptions`); go-ini's rules for values.
 */
export function cutIni(text: string): IniSection[] {
  const sections = [{ ...emptySection('', '', 0) }];
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  for (const [i, raw] of lines.entries()) {
    const line = i + 1;
    const body = raw.trim();
    if (body === '' || body.startsWith('#') || body.startsWith(';')) continue;
    const [header, name = '', title = ''] = HEADER.exec(body) ?? [];
    const [entry, key = '', value = ''] = ENTRY.exec(body) ?? [];
    const section = sections.at(-1)!;
    if (header !== undefined) {
      section.endLine = line;
      sections.push(emptySection(name, title, line));
    } else if (entry !== undefined) section.entries.push({ key, value: plainValue(value), line });
    else section.strayLines.push(line);
  }
  sections.at(-1)!.endLine = lines.length + 1;
  return sections;
}

function emptySection(name: string, title: string, line: number) {
  return { name, title, line, entries: [] as IniEntry[], strayLines: [] as number[], endLine: line };
}

function plainValue(written: string): string {
  const raw = /^`([^`]*)`/.exec(written)?.[1];
  if (raw !== undefined) return raw;
  const value = written.replace(/[#;].*$/s, '').trim();
  return /^(["'])(.*)\1$/s.exec(value)?.[2] ?? value;
}
