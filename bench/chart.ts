/** The chart of the figures: bars by contender for what people look at first. */
import { CABLE } from './contender.js';
import type { Figures } from './figures.js';
import { present, type Summary, summarize } from './statistics.js';

const CHARTED = ['tcp-1', 'tcp-4', 'tcp-reverse', 'forwarding', 'udp-flood'];
const COLOURS = ['#2b6cb0', '#dd6b20', '#718096', '#2f855a', '#805ad5', '#b83280'];

const WIDTH = 760;
const LABEL_WIDTH = 250;
const VALUE_WIDTH = 60;
const BAR_HEIGHT = 16;
const GROUP_GAP = 16;
const TOP = 58;

interface Bar {
  readonly contender: string;
  readonly summary: Summary;
}

interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

/** @returns An SVG document. Bars are medians, the thin lines on them go from the least to the greatest reading. */
export function drawChart(figures: Figures): string {
  const contenders = Object.keys(figures.contenders).filter((name) => name !== CABLE);
  const groups = groupsOf(figures, contenders);
  const greatest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ summary }) => summary.greatest)));
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / greatest;

  const parts: string[] = [];
  let y = TOP;
  for (const group of groups) {
    parts.push(text(LABEL_WIDTH - 10, y + (group.bars.length * BAR_HEIGHT) / 2 + 4, group.title, 'end'));
    for (const bar of group.bars) {
      parts.push(drawBar(bar, y, scale, colourOf(contenders, bar.contender)));
      y += BAR_HEIGHT;
    }
    y += GROUP_GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="13">
<rect width="${WIDTH}" height="${y}" fill="#fff"/>
${text(10, 22, `Gbit/s through a tunnel on one machine: ${machineOf(figures)}`, 'start')}
${legend(contenders)}
${parts.join('\n')}
</svg>
`;
}

function groupsOf(figures: Figures, contenders: readonly string[]): Group[] {
  return CHARTED.flatMap((id) => {
    const row = figures.rows.find((candidate) => candidate.id === id);
    if (row === undefined) return [];
    const bars = contenders.flatMap((contender) => {
      const values = present(row.readings[contender] ?? []);
      return values.length === 0 ? [] : [{ contender, summary: summarize(values) }];
    });
    return [{ title: row.title.replace(', delivered', ''), bars }];
  });
}

function drawBar({ summary }: Bar, y: number, scale: number, colour: string): string {
  const { median, least, greatest } = summary;
  const at = (value: number): string => (LABEL_WIDTH + value * scale).toFixed(1);
  const middle = y + BAR_HEIGHT / 2;
  return [
    `<rect x="${LABEL_WIDTH}" y="${y + 1}" width="${(median * scale).toFixed(1)}" height="${BAR_HEIGHT - 2}" fill="${colour}"/>`,
    `<path d="M${at(least)} ${middle}H${at(greatest)}" stroke="#1a202c" stroke-width="1"/>`,
    text(Number(at(greatest)) + 6, middle + 4.5, median.toFixed(2), 'start'),
  ].join('\n');
}

function legend(contenders: readonly string[]): string {
  let x = 10;
  return contenders
    .map((name) => {
      const entry = `<rect x="${x}" y="34" width="12" height="12" fill="${colourOf(contenders, name)}"/>\n${text(x + 17, 45, name, 'start')}`;
      x += 40 + name.length * 8;
      return entry;
    })
    .join('\n');
}

function text(x: number, y: number, content: string, anchor: 'start' | 'end'): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#1a202c">${escaped}</text>`;
}

function colourOf(contenders: readonly string[], name: string): string {
  return COLOURS[contenders.indexOf(name) % COLOURS.length] ?? '#000';
}

function machineOf({ machine, rounds, date }: Figures): string {
  return `${machine.processor}, ${machine.cores} cores; medians of ${rounds}, ${date}`;
}
