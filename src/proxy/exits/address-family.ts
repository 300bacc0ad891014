import type { LookupAddress } from 'node:dns';

/** Which addresses of a name are used. */
export type FamilyPreference = 'auto' | 'ipv4' | 'ipv6';

/** Leaves out the addresses of the other family. @throws An `ENOTFOUND` if none remains. */
export function ofFamily(
  addresses: readonly LookupAddress[],
  preference: FamilyPreference,
  host: string,
): readonly LookupAddress[] {
  if (preference === 'auto') return addresses;
  const family = preference === 'ipv4' ? 4 : 6;
  const wanted = addresses.filter((address) => address.family === family);
  if (wanted.length > 0) return wanted;
  const code = 'ENOTFOUND';
  throw Object.assign(new Error(`getaddrinfo ${code} ${host}`), { code, syscall: 'getaddrinfo', hostname: host });
}
