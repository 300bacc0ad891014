import { WireGuardError } from '../../core/errors.js';

/** The most bytes that a code of level L holds (ISO/IEC 18004, table 7, version 40). */
const MAX_BYTES = 2_953;

/** A QR code as modules: the dark and light squares, without the quiet zone around them. */
export interface QrCode {
  /** Modules along one side. */
  readonly size: number;
  /** Tests whether a module is dark. Outside of the code every module is light. */
  isDark(row: number, column: number): boolean;
}

/**
 * Encodes a text.
 *
 * Level L makes the smallest code: a screen or a fresh print has no damage to correct. The library is loaded only when
 * a code is drawn.
 *
 * @throws {WireGuardError} ERR_QR_CODE if the text is too long.
 */
export async function encodeQrCode(text: string): Promise<QrCode> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > MAX_BYTES) {
    throw new WireGuardError(
      'ERR_QR_CODE',
      `a QR code holds ${MAX_BYTES} bytes, and the client's file has ${bytes.length}`,
    );
  }
  const { correction, generate, mode } = await import('lean-qr');
  // Bytes throughout: apps take them for UTF-8, and not all of them understand a switch between character sets.
  const bitmap = generate(mode.bytes(bytes), { minCorrectionLevel: correction.L, maxCorrectionLevel: correction.L });
  return { size: bitmap.size, isDark: (row, column) => bitmap.get(column, row) };
}
