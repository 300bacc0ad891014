/**
 * Commits devices for ever: `node commit-program.js FOLDER FIRST`. Prints the number of each device once it is committed.
 */
import { SqliteStore } from '../../../src/store/sqlite-store.js';
import { device, SETTINGS } from '../../store/samples.js';

const [folder = '', first] = process.argv.slice(2);
const store = await SqliteStore.open(folder);
for (let number = Number(first); ; number++) {
  const audit = { atUnixMs: Date.now(), actor: 'local', operation: 'device.add', object: `k${number}`, details: {} };
  const added = {
    ...device(0),
    id: `k${number}`,
    name: `k${number}`,
    publicKey: `key ${number}`,
    addresses: [`10.7.${number >> 8}.${number & 255}`],
  };
  await store.commit({ settings: SETTINGS, putDevices: [added], audit });
  process.stdout.write(`${number}\n`);
}
