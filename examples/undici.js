/**
 * undici from npm: `request`, which is faster than `fetch`. Ten requests run at once, each on a connection of its own.
 *
 *     node undici.js wg0.conf http://10.0.0.1/
 */
import { request } from 'undici';
import { openTunnel } from 'wiretype';

const [config, url] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const answers = await Promise.all(
  Array.from({ length: 10 }, async () => {
    const { statusCode, body } = await request(url, { dispatcher: tunnel.dispatcher });
    return `${statusCode} ${await body.text()}`;
  }),
);
console.log(answers.length, answers[0]);
await tunnel.close();
