import { crc32, deflateSync } from 'node:zlib';

import { WireGuardError } from '../../core/errors.js';
import type { QrCode } from './qr-code.js';

/** The light margin that ISO/IEC 18004 §5.3.8 requires. */
const QUIET_MODULES = 4;
const PNG_MODULE_PIXELS = 6;
/** PNG, W3C Recommendation (third edition) §5.2. */
const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** The format of §11.2.1: one bit for each pixel, grey, no interlace. */
const PNG_FORMAT = Uint8Array.of(1, 0, 0, 0, 0);

/** @throws {WireGuardError} ERR_USAGE if a picture cannot have this name. */
export function checkPictureName(path: string): void {
  if (!/\.(?:png|svg)$/.test(path)) throw new WireGuardError('ERR_USAGE', `${path}: a picture ends with .png or .svg`);
}

/** Draws a QR code as a picture. @param path Ends with .png or .svg, which decides the format. */
export function drawPicture(code: QrCode, path: string): string | Uint8Array {
  checkPictureName(path);
  return path.endsWith('.svg') ? drawSvg(code) : drawPng(code);
}

function drawSvg(code: QrCode): string {
  const width = code.size + 2 * QUIET_MODULES;
  let path = '';
  for (let row = 0; row < code.size; row++) {
    for (let column = 0; column < code.size; column++) {
      if (code.isDark(row, column)) path += `M${column + QUIET_MODULES} ${row + QUIET_MODULES}h1v1h-1z`;
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${width}" shape-rendering="crispEdges">
<path fill="#fff" d="M0 0h${width}v${width}H0z"/>
<path fill="#000" d="${path}"/>
</svg>
`;
}

function drawPng(code: QrCode): Uint8Array {
  const width = (code.size + 2 * QUIET_MODULES) * PNG_MODULE_PIXELS;
  const lineBytes = 1 + Math.ceil(width / 8);
  const pixels = new Uint8Array(lineBytes * width); // each line begins with its filter: 0, none
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < width; x++) {
      const row = Math.floor(y / PNG_MODULE_PIXELS) - QUIET_MODULES;
      const column = Math.floor(x / PNG_MODULE_PIXELS) - QUIET_MODULES;
      if (!code.isDark(row, column)) pixels[y * lineBytes + 1 + (x >> 3)]! |= 0x80 >> (x & 7);
    }
  }
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, width);
  return Buffer.concat([
    PNG_SIGNATURE,
    pngChunk('IHDR', Buffer.concat([header, PNG_FORMAT])),
    pngChunk('IDAT', deflateSync(pixels)),
    pngChunk('IEND', new Uint8Array(0)),
  ]);
}

/** Writes a chunk (§5.3): length, type, data, and the CRC of type and data. */
function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, checksum]);
}
