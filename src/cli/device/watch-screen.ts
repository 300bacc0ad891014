import { choosePalette, type Palette } from '../wg/palette.js';
import type { WgContext } from '../wg/wg-context.js';
import type { PeerNames } from './peer-names.js';
import { peerStatus } from './peer-status.js';
import type { PeerRates } from './rates.js';
import { cutText } from './text-width.js';
import { formatWatchTable, sortByActivity, type WatchEntry } from './watch-table.js';

/** Moves the cursor to the upper left corner, and clears the screen. */
const CLEAR_SCREEN = '\u001b[H\u001b[J';
/** The head with its blank line, the titles, the line below the table, and the line that the cursor ends on. */
const OTHER_LINES = 5;
/** Some terminals, such as serial lines, report no size. */
const DEFAULT_COLUMNS = 80;
const PAGE_KEYS: Readonly<Record<string, 1 | -1>> = {
  ' ': 1,
  n: 1,
  '\u001b[6~': 1,
  '\u001b[B': 1,
  b: -1,
  p: -1,
  '\u001b[5~': -1,
  '\u001b[A': -1,
};

/**
 * Shows looks at an interface. On a terminal each look replaces the one before, the busiest peers come first,
 * and keys turn pages; elsewhere all peers are written in the order of the device.
 */
export class WatchScreen {
  readonly #context: WgContext;
  readonly #interfaceName: string;
  readonly #names: PeerNames;
  readonly #quit: () => void;
  readonly #isTerminal: boolean;
  #page = 0;
  #rates: readonly PeerRates[] = [];
  #note = '';
  #stopReading: (() => void) | undefined;

  /** @param quit Called when the user presses "q". */
  constructor(context: WgContext, interfaceName: string, names: PeerNames, quit: () => void) {
    this.#context = context;
    this.#interfaceName = interfaceName;
    this.#names = names;
    this.#quit = quit;
    this.#isTerminal = context.io.columns !== undefined && context.io.env['TERM'] !== 'dumb';
  }

  /** Begins to read keys. */
  open(): void {
    if (this.#isTerminal) this.#stopReading = this.#context.io.readKeys?.((key) => this.#press(key));
  }

  /** Releases the keyboard. */
  close(): void {
    this.#stopReading?.();
    this.#stopReading = undefined;
  }

  /** @param isKernels Whether the interface is the kernel's own, which counts no drops. */
  show(rates: readonly PeerRates[], isKernels: boolean): void {
    this.#note = isKernels ? "  the kernel's own: drops are not counted" : '';
    this.#rates = this.#isTerminal ? sortByActivity(rates) : rates;
    this.#draw();
  }

  #press(key: string): void {
    const step = PAGE_KEYS[key];
    if (key === 'q') this.#quit();
    if (step === undefined) return;
    this.#page = Math.max(0, this.#page + step);
    this.#draw();
  }

  #draw(): void {
    const { io } = this.#context;
    const width = io.columns === undefined ? undefined : io.columns || DEFAULT_COLUMNS;
    const palette = choosePalette(this.#context);
    const { head, entries } = formatWatchTable(this.#rates, this.#names, width, palette);
    const title = this.#title(width, palette);
    if (!this.#isTerminal) {
      io.write([title, '', head, ...entries.flatMap(({ lines }) => lines), '', ''].join('\n'));
      return;
    }
    const pages = cutPages(entries, (io.rows || Number.POSITIVE_INFINITY) - OTHER_LINES);
    this.#page = Math.min(this.#page, pages.length - 1);
    const shown = pages[this.#page] ?? [];
    const below = footer(entries, shown, this.#stopReading !== undefined, width!);
    io.write(`${CLEAR_SCREEN}${[title, '', head, ...shown.flatMap(({ lines }) => lines), ...below].join('\n')}\n`);
  }

  #title(width: number | undefined, palette: Palette): string {
    const count = this.#rates.length;
    const online = this.#rates.filter(({ handshakeAgeSeconds: age }) => peerStatus(age) === 'online').length;
    const time = new Date(this.#context.unixTimeMs()).toISOString().slice(11, 19);
    const text = `  ${count} ${count === 1 ? 'peer' : 'peers'}, ${online} online  ${time} UTC${this.#note}`;
    const left = (width ?? Number.POSITIVE_INFINITY) - this.#interfaceName.length;
    return `${palette.greenLabel(this.#interfaceName)}${cutText(text, left)}`;
  }
}

/** Fills pages of a number of lines. A page has at least one entry. */
function cutPages(entries: readonly WatchEntry[], lines: number): WatchEntry[][] {
  const pages: WatchEntry[][] = [];
  let left = 0;
  for (const entry of entries) {
    left -= entry.lines.length;
    if (left < 0 || pages.length === 0) {
      pages.push([]);
      left = lines - entry.lines.length;
    }
    pages.at(-1)!.push(entry);
  }
  return pages;
}

/** Returns the line that counts the peers that the page leaves out. */
function footer(
  entries: readonly WatchEntry[],
  shown: readonly WatchEntry[],
  hasKeys: boolean,
  width: number,
): string[] {
  const hidden = entries.filter((entry) => !shown.includes(entry));
  if (hidden.length === 0) return [];
  const idle = hidden.filter(({ isIdle }) => isIdle).length;
  const count = idle === hidden.length ? `+${idle} idle` : `+${hidden.length} more, ${idle} of them idle`;
  return [cutText(hasKeys ? `${count}  (space: next page, b: back, q: quit)` : count, width)];
}
