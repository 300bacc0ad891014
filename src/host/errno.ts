import { constants } from 'node:os';

/** Error numbers of Linux that the host layer decides by. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  ENODEV: 19,
  EINVAL: 22,
  ENOTTY: 25,
  ERANGE: 34,
  EBADFD: 77,
  EADDRINUSE: 98,
  ENETDOWN: 100,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(constants.errno).map(([name, number]): [number, string] => [number, name]),
  ...Object.entries(Errno).map(([name, number]): [number, string] => [number, name]),
]);

/** The name of an errno, such as `EPERM`; its number where it has none. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/** The counters that are not 0, by the name of their errno. */
export function countersByErrno(counters: Uint32Array): ReadonlyMap<string, number> {
  const byName = new Map<string, number>();
  for (const [errno, count] of counters.entries()) if (count > 0) byName.set(errnoName(errno), count);
  return byName;
}
