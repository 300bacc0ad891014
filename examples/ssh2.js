/**
 * SSH by `ssh2`: a command, and a file by SFTP. `sock` takes a socket of the tunnel.
 *
 *     node ssh2.js wg0.conf 10.0.0.1 22 USER KEY-FILE COMMAND REMOTE-FILE
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

import ssh2 from 'ssh2';
import { openTunnel } from 'wiretype';

const [config, host, port, username, keyFile, command, remoteFile] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const client = new ssh2.Client();
client.connect({ sock: tunnel.connect({ host, port: Number(port) }), username, privateKey: readFileSync(keyFile) });
await once(client, 'ready');
const stream = await promisify(client.exec.bind(client))(command);
console.log(await text(stream));
const sftp = await promisify(client.sftp.bind(client))();
const bytes = await promisify(sftp.readFile.bind(sftp))(remoteFile);
console.log(`${remoteFile} has ${bytes.length} bytes`);
client.end();
await once(client, 'close');
await tunnel.close();
