/** The chart of the figures: bars by contender for the main figures. */
import { CABLE } from './contender.js';
import type { FigureRow, Figures } from './figures.js';
import { present, type Summary, summarize } from './statistics.js';
import { contendersOf } from './table.js';

const CHARTED = ['tcp-1', 'tcp-4', 'tcp-reverse', 'forwarding', 'udp-flood'];
/** Colours that are distinct on white and on black. */
const COLOURS = ['#2f81f7', '#bf8700', '#8b949e', '#2da44e', '#a371f7', '#db61a2'];

const WIDTH = 760;
const LABEL_WIDTH = 260;
const VALUE_WIDTH = 60;
const BAR_HEIGHT = 16;
const GROUP_GAP = 14;
const TOP = 68;

const STYLE = `text{fill:#1f2328}.faint{fill:#59636e}.spread{stroke:#1f2328}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.faint{fill:#9198a1}.spread{stroke:#f0f6fc}}`;

interface Bar {
  readonly contender: string;
  readonly summary: Summary;
}

interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

/**
 * @returns An SVG document that follows the reader's choice of light or dark, or `undefined` if there is nothing to draw.
 *   Bars are medians, the thin lines on them go from the least to the greatest reading.
 */
export function drawChart(figures: Figures): string | undefined {
  const contenders = contendersOf(figures).filter((name) => name !== CABLE);
  const rows = CHARTED.flatMap((id) => figures.rows.find((row) => row.id === id) ?? []);
  const groups = rows.map((row) => groupOf(row, contenders)).filter(({ bars }) => bars.length > 0);
  if (groups.length === 0) return undefined;
  const greatest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ summary }) => summary.greatest)));
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / greatest;

  const parts: string[] = [];
  let y = TOP;
  for (const group of groups) {
    parts.push(text(LABEL_WIDTH - 10, y + (group.bars.length * BAR_HEIGHT) / 2 + 4, group.title, { anchor: 'end' }));
    for (const bar of group.bars) {
      parts.push(drawBar(bar, y, scale, colourOf(contenders, bar.contender)));
      y += BAR_HEIGHT;
    }
    y += GROUP_GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="13" role="img">
<title>Throughput through a tunnel, by implementation</title>
<style>${STYLE}</style>
${text(10, 20, 'Gbit/s through a tunnel, both ends on one machine', {})}
${text(10, 38, describeOrigin(figures, rows), { isFaint: true })}
${legend(contenders)}
${parts.join('\n')}
</svg>
`;
}

function groupOf({ title, readings }: FigureRow, contenders: readonly string[]): Group {
  const bars = contenders.flatMap((contender) => {
    const values = present(readings[contender] ?? []);
    return values.length === 0 ? [] : [{ contender, summary: summarize(values) }];
  });
  return { title: title.replace(', delivered', ''), bars };
}

function drawBar({ summary }: Bar, y: number, scale: number, colour: string): string {
  const { median, least, greatest } = summary;
  const at = (value: number): string => (LABEL_WIDTH + value * scale).toFixed(1);
  const middle = y + BAR_HEIGHT / 2;
  return [
    `<rect x="${LABEL_WIDTH}" y="${y + 1}" width="${(median * scale).toFixed(1)}" height="${BAR_HEIGHT - 2}" fill="${colour}"/>`,
    `<path d="M${at(least)} ${middle}H${at(greatest)}" class="spread"/>`,
    text(Number(at(greatest)) + 6, middle + 4.5, median.toFixed(2), {}),
  ].join('\n');
}

function legend(contenders: readonly string[]): string {
  let x = 10;
  return contenders
    .map((name) => {
      const entry = `<rect x="${x}" y="46" width="12" height="12" fill="${colourOf(contenders, name)}"/>\n${text(x + 17, 57, name, {})}`;
      x += 40 + name.length * 8;
      return entry;
    })
    .join('\n');
}

function text(x: number, y: number, content: string, { anchor = 'start', isFaint = false }): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" text-anchor="${anchor}"${isFaint ? ' class="faint"' : ''}>${escaped}</text>`;
}

function colourOf(contenders: readonly string[], name: string): string {
  return COLOURS[contenders.indexOf(name) % COLOURS.length] ?? '#000';
}

function describeOrigin({ runs }: Figures, rows: readonly FigureRow[]): string {
  const counts = rows.flatMap(({ readings }) => Object.values(readings).map((list) => present(list).length));
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const dates = [...new Set(rows.flatMap(({ run }) => runs[run]?.date ?? []))].sort();
  const machine = runs[rows[0]?.run ?? 0]?.machine;
  const medians = least === most ? `medians of ${least}` : `medians of ${least} to ${most}`;
  return `${machine?.processor}, ${machine?.cores} cores; ${medians}, ${dates.join(' and ')}; lines: least to greatest`;
}
