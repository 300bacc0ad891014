import assert from 'node:assert/strict';
import jsQR from 'jsqr';

import { toPixels } from './drawn-qr-code.js';

/** Reads a QR code off a terminal, by an independent decoder. */
export function scan(drawn: string): string {
  const { data, width, height } = toPixels(drawn, false);
  return jsQR.default(data, width, height)?.data ?? assert.fail(`no code in\n${drawn}`);
}
