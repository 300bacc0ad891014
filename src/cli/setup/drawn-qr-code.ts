import { WireGuardError } from '../../core/errors.js';
import type { QrCode } from './qr-code.js';

/** Decoders need a light margin: 4 modules by ISO/IEC 18004 §5.3.8; on screens 2 are enough. */
const QUIET_MODULES = 2;
const BLACK_ON_WHITE = '\u001b[30;107m';
const RESET = '\u001b[0m';
/** Characters by whether the upper and the lower half have ink. */
const HALF_BLOCKS = [
  [' ', '▄'],
  ['▀', '█'],
] as const;

/** The terminal that a code is drawn on. */
export interface QrTerminal {
  /** The code sets black and white itself. Without colours, ink stands for white: most terminals are dark. */
  readonly isColoured: boolean;
  /** `undefined`: unlimited. */
  readonly columns: number | undefined;
}

/**
 * Draws a QR code with characters, two modules in each.
 *
 * @throws {WireGuardError} ERR_QR_CODE if the terminal is too narrow: lines that wrap cannot be scanned.
 */
export function drawQrCode(code: QrCode, { isColoured, columns }: QrTerminal): string {
  const width = code.size + 2 * QUIET_MODULES;
  const height = Math.ceil(width / 2);
  if (columns !== undefined && width > columns) {
    throw new WireGuardError(
      'ERR_QR_CODE',
      `the code needs ${width} × ${height} characters, and the terminal has ${columns} columns`,
    );
  }
  const ink = (row: number, column: number) => Number(code.isDark(row, column) === isColoured) as 0 | 1;
  const lines: string[] = [];
  for (let row = -QUIET_MODULES; row < code.size + QUIET_MODULES; row += 2) {
    let line = '';
    for (let column = -QUIET_MODULES; column < code.size + QUIET_MODULES; column++) {
      line += HALF_BLOCKS[ink(row, column)][ink(row + 1, column)];
    }
    lines.push(isColoured ? BLACK_ON_WHITE + line + RESET : line);
  }
  return `${lines.join('\n')}\n`;
}
