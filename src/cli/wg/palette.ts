import type { WgContext } from './wg-context.js';

/** Wraps texts in the terminal's colour codes, or leaves them as they are. */
export interface Palette {
  /** The sequence that output begins with, so that it does not inherit a colour. */
  readonly reset: string;
  bold(text: string): string;
  cyan(text: string): string;
  green(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  greenLabel(text: string): string;
  yellowLabel(text: string): string;
}

const RESET = '\u001b[0m';
const BOLD = '\u001b[1m';
const RED = '\u001b[31m';
const GREEN = '\u001b[32m';
const YELLOW = '\u001b[33m';
const CYAN = '\u001b[36m';

const COLOURED: Palette = {
  reset: RESET,
  bold: (text) => BOLD + text + RESET,
  cyan: (text) => CYAN + text + RESET,
  green: (text) => GREEN + text + RESET,
  red: (text) => RED + text + RESET,
  yellow: (text) => YELLOW + text + RESET,
  greenLabel: (text) => GREEN + BOLD + text + RESET,
  yellowLabel: (text) => YELLOW + BOLD + text + RESET,
};

const same = (text: string) => text;

/** No colours. */
export const PLAIN: Palette = {
  reset: '',
  bold: same,
  cyan: same,
  green: same,
  red: same,
  yellow: same,
  greenLabel: same,
  yellowLabel: same,
};

/**
 * Chooses by WG_COLOR_MODE (`always`, `never`), else by whether standard output is a terminal. NO_COLOR and
 * `TERM=dumb` count only where the program is not called `wg`, which looks at neither.
 */
export function choosePalette({ io, isStock }: WgContext): Palette {
  const mode = io.env['WG_COLOR_MODE'];
  if (mode === 'always') return COLOURED;
  if (mode === 'never' || (!isStock && (io.isDumb === true || (io.env['NO_COLOR'] ?? '') !== ''))) return PLAIN;
  return io.columns !== undefined ? COLOURED : PLAIN;
}
