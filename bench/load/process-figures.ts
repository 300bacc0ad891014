/** Figures that the system reports about a running process. Source: proc(5). */
import { readdirSync, readFileSync } from 'node:fs';

import type { Program } from '../../test/lab/program.js';

/** Field behind the name in `/proc/PID/stat`; the time in the system is next to it. */
const USER_TIME_FIELD = 11;
/** USER_HZ, which is 100 wherever Linux runs. */
const TICKS_PER_SECOND = 100;

/** Resident memory, in MB (10^6 bytes). */
export function residentMegabytes({ pid }: Program): number {
  return (field(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS') * 1_024) / 1e6;
}

/** Context switches of all threads, voluntary or not: every wake-up ends with one. */
export function contextSwitches({ pid }: Program): number {
  return sumOfThreads(pid, ['voluntary_ctxt_switches', 'nonvoluntary_ctxt_switches']);
}

/** How often the main thread has waited, and was woken. */
export function mainThreadWakeUps({ pid }: Program): number {
  return field(readFileSync(`/proc/${pid}/status`, 'utf8'), 'voluntary_ctxt_switches');
}

/** How often threads that are still there have waited, and were woken. */
export function wakeUps({ pid }: Program): number {
  return sumOfThreads(pid, ['voluntary_ctxt_switches']);
}

/** Processor time of all threads since the start, in seconds. */
export function processorSeconds({ pid }: Program): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const [user, system] = [fields[USER_TIME_FIELD], fields[USER_TIME_FIELD + 1]];
  return (Number(user) + Number(system)) / TICKS_PER_SECOND;
}

function sumOfThreads(pid: Program['pid'], names: readonly string[]): number {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
    for (const name of names) sum += field(status, name);
  }
  return sum;
}

function field(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
}
