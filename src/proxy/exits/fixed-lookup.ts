import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** Makes the `lookup` option of a socket that answers with addresses found before, so that nothing is looked up again. */
export function fixedLookup(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = addresses;
    if (all === true) callback(null, [...addresses]);
    else if (first !== undefined) callback(null, first.address, first.family);
    else callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
  };
}
