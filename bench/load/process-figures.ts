/** What the system tells about a running process. Source: proc(5). */
import { readdirSync, readFileSync } from 'node:fs';

import type { Program } from '../../test/lab/program.js';

/** Resident memory, in MB (10^6 bytes). */
export function residentMegabytes({ pid }: Program): number {
  return (field(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS') * 1_024) / 1e6;
}

/** How often any thread of the process was taken off a processor, by itself or not: every wake-up ends so. */
export function contextSwitches({ pid }: Program): number {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
    sum += field(status, 'voluntary_ctxt_switches') + field(status, 'nonvoluntary_ctxt_switches');
  }
  return sum;
}

function field(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
}
