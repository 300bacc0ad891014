import { constants } from 'node:os';

/** Error numbers of Linux that the host layer handles. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ENXIO: 6,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  ENODEV: 19,
  EINVAL: 22,
  EBADFD: 77,
  EADDRINUSE: 98,
  ECONNREFUSED: 111,
} as const;

/** Names by number. The alphabetically first of two names counts: EAGAIN, not EWOULDBLOCK. */
const NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(constants.errno)
    .reverse()
    .map(([name, number]): [number, string] => [number, name]),
  ...Object.entries(Errno).map(([name, number]): [number, string] => [number, name]),
]);

/** Returns the name of an errno, such as `EPERM`, or its number if it has no name. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/** Returns the counters that are not 0, by the name of their errno. */
export function countersByErrno(counters: Uint32Array): ReadonlyMap<string, number> {
  const byName = new Map<string, number>();
  for (const [errno, count] of counters.entries()) if (count > 0) byName.set(errnoName(errno), count);
  return byName;
}
