import { correction, generate } from 'lean-qr';

const QUIET_MODULES = 2;

/** Draws a QR code, black on white in every theme: scanners need it so. */
export function Qr({ text, label }: { text: string; label: string }) {
  const code = generate(text, { maxCorrectionLevel: correction.L });
  const size = code.size + 2 * QUIET_MODULES;
  let path = '';
  for (let y = 0; y < code.size; y++)
    for (let x = 0; x < code.size; x++)
      if (code.get(x, y)) path += `M${x + QUIET_MODULES} ${y + QUIET_MODULES}h1v1h-1z`;
  return (
    <div class="qr">
      <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
        <path d={path} fill="#000" />
      </svg>
    </div>
  );
}
