/** Whether programs wrote what a guide shows. Figures, keys and addresses differ each time, and so does the space between columns. */

const OMISSION = '…';

/**
 * @param shown Lines of a guide, in order. Lines between them may be missing, and "…" stands for any text.
 * @returns The first line that is not there, or `undefined`.
 */
export function missingLine(shown: string, output: string): string | undefined {
  const lines = output.split('\n').map(withoutFigures);
  let at = 0;
  for (const line of shown.split('\n')) {
    const pattern = patternOf(line);
    if (line.trim() === '' || line.trim() === OMISSION) continue;
    const found = lines.slice(at).findIndex((written) => pattern.test(written));
    if (found < 0) return line;
    at += found + 1;
  }
  return undefined;
}

function patternOf(line: string): RegExp {
  const parts = withoutFigures(line).split(OMISSION);
  return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
}

function withoutFigures(line: string): string {
  return line
    .replace(/[0-9a-f]*:[0-9a-f:]*:[0-9a-f]*/gi, '#')
    .replace(/\d+(?:\.\d+)*/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
}
