import { writeConfigFile } from '../../control/config/config-file.js';
import { WireGuardError } from '../../core/errors.js';

/** Level L makes the smallest code: a screen or a fresh print has no damage to correct. */
const OPTIONS = { errorCorrectionLevel: 'L' } as const;
const PNG_MODULE_PIXELS = 6;

/** What a decoder asks for around the code (ISO/IEC 18004 §5.3.8: 4 modules; on screens 2 do). */
const QUIET_MODULES = 2;
const BLACK_ON_WHITE = '\u001b[30;107m';
const RESET = '\u001b[0m';
/** By whether the upper and the lower half have ink. */
const HALF_BLOCKS = [
  [' ', '▄'],
  ['▀', '█'],
] as const;

/**
 * Draws a QR code with characters, two modules in each.
 *
 * @param isColoured Says black and white. Without colours, ink stands for white: most terminals are dark.
 */
export async function drawQrCode(text: string, isColoured: boolean): Promise<string> {
  const { modules } = (await loadLibrary()).create(text, OPTIONS);
  const { size } = modules;
  const isInside = (i: number) => i >= 0 && i < size;
  const isDark = (row: number, column: number) => isInside(row) && isInside(column) && modules.get(row, column) === 1;
  const ink = (row: number, column: number) => Number(isDark(row, column) === isColoured) as 0 | 1;

  const lines: string[] = [];
  for (let row = -QUIET_MODULES; row < size + QUIET_MODULES; row += 2) {
    let line = '';
    for (let column = -QUIET_MODULES; column < size + QUIET_MODULES; column++) {
      line += HALF_BLOCKS[ink(row, column)][ink(row + 1, column)];
    }
    lines.push(isColoured ? BLACK_ON_WHITE + line + RESET : line);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Writes a QR code as a picture that only its owner may read: it shows a private key.
 *
 * @param path Ends with .png or .svg.
 * @throws {WireGuardError} ERR_USAGE for another ending, ERR_CONFIG_FILE.
 */
export async function writeQrCode(text: string, path: string): Promise<void> {
  const library = await loadLibrary();
  if (path.endsWith('.svg')) {
    await writeConfigFile(path, await library.toString(text, { ...OPTIONS, type: 'svg' }), { mode: 0o600 });
  } else if (path.endsWith('.png')) {
    await writeConfigFile(path, await library.toBuffer(text, { ...OPTIONS, type: 'png', scale: PNG_MODULE_PIXELS }), {
      mode: 0o600,
    });
  } else {
    throw new WireGuardError('ERR_USAGE', `${path}: a picture ends with .png or .svg`);
  }
}

/** The library takes longer to load than everything else, so only who draws loads it. */
async function loadLibrary(): Promise<typeof import('qrcode')> {
  return (await import('qrcode')).default;
}
