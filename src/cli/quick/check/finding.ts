import { problemAt } from '../../../control/config/check-document.js';
import {
  type ConfigDocument,
  type ConfigLine,
  type ConfigProblem,
  formatProblem,
} from '../../../control/config/index.js';

/** Something about a file as a whole, or about one of its lines. */
export type Finding = ConfigProblem | FileFinding;

/** A finding without a line, such as the file's permissions. */
export interface FileFinding {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly advice?: string;
}

/** Collects the findings of the checks, with their line numbers. */
export class Findings {
  readonly all: Finding[] = [];
  readonly #numbers = new Map<ConfigLine, number>();

  constructor(document: ConfigDocument) {
    let number = 1;
    for (const line of document.lines()) this.#numbers.set(line, number++);
  }

  /** @returns The number of a line, from 1. */
  numberOf(line: ConfigLine): number {
    return this.#numbers.get(line)!;
  }

  /** Adds a warning about a line, or about a part of its value. */
  warn(line: ConfigLine, message: string, advice: string, part?: string): void {
    this.#note('warning', line, message, advice, part);
  }

  error(line: ConfigLine, message: string, advice: string): void {
    this.#note('error', line, message, advice);
  }

  warnOfFile(message: string, advice: string): void {
    this.all.push({ severity: 'warning', message, advice });
  }

  #note(severity: 'error' | 'warning', line: ConfigLine, message: string, advice: string, part = ''): void {
    const isHeader = line.kind === 'header';
    const partAt = line.value.indexOf(part);
    const length = part === '' || partAt < 0 ? line.value.length : part.length;
    const at = isHeader ? line.keyAt - line.valueAt : Math.max(partAt, 0);
    const fault = { severity, message, advice, at, length: isHeader ? line.key.length + 2 : Math.max(length, 1) };
    this.all.push(problemAt(line, this.numberOf(line), fault));
  }
}

/** Writes a finding for users. Ends with a newline. */
export function formatFinding(finding: Finding, fileName: string): string {
  if ('line' in finding) return formatProblem(finding, fileName);
  const advice = finding.advice === undefined ? '' : `    ${finding.advice}\n`;
  return `${fileName}: ${finding.severity === 'warning' ? 'warning: ' : ''}${finding.message}\n${advice}`;
}
