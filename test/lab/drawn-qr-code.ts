/** A camera's view of a QR code that is drawn with characters. */

const COLOUR_CODES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/**
 * Turns half blocks into pixels of 4 × 4, for a decoder.
 *
 * @param isColoured As on a terminal, where ink is black; else ink stands for white.
 */
export function toPixels(
  text: string,
  isColoured: boolean,
): { data: Uint8ClampedArray; width: number; height: number } {
  const lines = text.replace(COLOUR_CODES, '').trimEnd().split('\n');
  const scale = 4;
  const width = Math.max(...lines.map((line) => line.length)) * scale;
  const height = lines.length * 2 * scale;
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (const [row, line] of lines.entries()) {
    for (const [column, character] of [...line].entries()) {
      for (const half of [0, 1]) {
        const isInk = character === '█' || character === (half === 0 ? '▀' : '▄');
        if (isInk === isColoured) fillSquare(data, width, column * scale, (row * 2 + half) * scale, scale);
      }
    }
  }
  return { data, width, height };
}

function fillSquare(data: Uint8ClampedArray, width: number, x: number, y: number, size: number): void {
  for (let dy = 0; dy < size; dy++) {
    for (let dx = 0; dx < size; dx++)
      data.fill(0, ((y + dy) * width + x + dx) * 4, ((y + dy) * width + x + dx) * 4 + 3);
  }
}
