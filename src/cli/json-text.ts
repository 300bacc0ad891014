/** Formats a result for `--json`, or a file that people may read: indented, with a line break at the end. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
