/**
 * PostgreSQL by `pg`. It wants to connect a socket itself: `stream` makes one that is not connected yet, for every
 * connection of the pool.
 *
 *     node pg.js wg0.conf postgres://user@10.0.0.1:5432/postgres
 */
import pg from 'pg';
import { openTunnel } from 'wiretype';

const [config, connectionString] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const pool = new pg.Pool({ connectionString, stream: () => tunnel.createSocket(), max: 4 });
const { rows } = await pool.query(
  'SELECT inet_client_addr() AS us, count(*) AS numbers FROM generate_series(1, $1)',
  [1000],
);
console.log(rows[0]);
// A large result, and four queries at once.
const sums = await Promise.all(
  [1, 2, 3, 4].map((factor) => pool.query('SELECT i * $1::int AS i FROM generate_series(1, 20000) AS i', [factor])),
);
console.log(sums.map((result) => result.rows.reduce((sum, { i }) => sum + i, 0)));
await pool.end();
await tunnel.close();
