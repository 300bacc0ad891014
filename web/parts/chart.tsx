import { scaleLinear, scaleTime } from 'd3-scale';
import { area, line } from 'd3-shape';

import { bytes, dateTime } from '../format.js';
import { language, messages } from '../language.js';

export interface Sample {
  readonly startUnixMs: number;
  readonly seconds: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

const WIDTH = 720;
const HEIGHT = 190;
const LEFT = 62;
const BOTTOM = 22;
const TOP = 8;

/** Traffic over time: a picture with a sentence for its label, and the same numbers as a table. */
export function TrafficChart({
  samples,
  fromUnixMs,
  toUnixMs,
}: {
  samples: readonly Sample[];
  fromUnixMs: number;
  toUnixMs: number;
}) {
  const m = messages.value;
  const total = (key: 'receivedBytes' | 'sentBytes') => samples.reduce((sum, sample) => sum + sample[key], 0);
  const x = scaleTime().domain([fromUnixMs, toUnixMs]).range([LEFT, WIDTH]);
  const most = Math.max(1, ...samples.flatMap((sample) => [rate(sample, 'receivedBytes'), rate(sample, 'sentBytes')]));
  const y = scaleLinear()
    .domain([0, most])
    .nice(3)
    .range([HEIGHT - BOTTOM, TOP]);
  const points = withGaps(samples, fromUnixMs, toUnixMs);
  const down = area<Sample>()
    .x((sample) => x(sample.startUnixMs))
    .y0(y(0))
    .y1((sample) => y(rate(sample, 'sentBytes')));
  const up = line<Sample>()
    .x((sample) => x(sample.startUnixMs))
    .y((sample) => y(rate(sample, 'receivedBytes')));
  return (
    <div class="chart stack">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={m.device.chartLabel(bytes(total('receivedBytes')), bytes(total('sentBytes')))}
      >
        {y.ticks(3).map((tick) => (
          <g key={tick}>
            <line class="grid" x1={LEFT} x2={WIDTH} y1={y(tick)} y2={y(tick)} />
            <text x={LEFT - 6} y={y(tick) + 4} text-anchor="end">
              {bytes(tick)}
              {m.perSecond}
            </text>
          </g>
        ))}
        {x.ticks(5).map((tick) => (
          <text
            key={tick.getTime()}
            x={x(tick)}
            y={HEIGHT - 4}
            text-anchor={x(tick) > WIDTH - LEFT / 2 ? 'end' : 'middle'}
          >
            {tickText(tick, toUnixMs - fromUnixMs)}
          </text>
        ))}
        <path class="down" d={down(points) ?? ''} />
        <path class="up" d={up(points) ?? ''} />
      </svg>
      <div class="legend" aria-hidden="true">
        <span class="up">
          {m.devices.up} {bytes(total('receivedBytes'))}
        </span>
        <span class="down">
          {m.devices.down} {bytes(total('sentBytes'))}
        </span>
      </div>
      <details>
        <summary>{m.device.table}</summary>
        <section class="scroll" aria-label={m.device.history}>
          <table>
            <thead>
              <tr>
                <th scope="col">{m.device.time}</th>
                <th scope="col">{m.devices.up}</th>
                <th scope="col">{m.devices.down}</th>
              </tr>
            </thead>
            <tbody>
              {samples.map((sample) => (
                <tr key={sample.startUnixMs}>
                  <td>{dateTime(sample.startUnixMs)}</td>
                  <td class="numbers">{bytes(sample.receivedBytes)}</td>
                  <td class="numbers">{bytes(sample.sentBytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
    </div>
  );
}

function rate(sample: Sample, key: 'receivedBytes' | 'sentBytes'): number {
  return sample[key] / Math.max(1, sample.seconds);
}

/** Where there is no sample, nothing moved: the lines go down to zero there. */
function withGaps(samples: readonly Sample[], fromUnixMs: number, toUnixMs: number): Sample[] {
  const points: Sample[] = [];
  const nothing = (startUnixMs: number): Sample => ({ startUnixMs, seconds: 1, receivedBytes: 0, sentBytes: 0 });
  let end = fromUnixMs;
  for (const sample of samples) {
    if (sample.startUnixMs > end + 1_000) points.push(nothing(end), nothing(sample.startUnixMs));
    points.push(sample);
    end = sample.startUnixMs + 1_000 * sample.seconds;
  }
  if (end < toUnixMs) points.push(nothing(end), nothing(toUnixMs));
  return points;
}

function tickText(tick: Date, spanMs: number): string {
  const options: Intl.DateTimeFormatOptions =
    spanMs <= 2 * 86_400_000 ? { hour: '2-digit', minute: '2-digit' } : { month: 'short', day: 'numeric' };
  return new Intl.DateTimeFormat(language.value, options).format(tick);
}
