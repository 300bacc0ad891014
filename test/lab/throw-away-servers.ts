/**
 * Servers of Debian as throw-away instances: in a folder of their own, without the rights of root where they allow it, and
 * with nothing of the system's instances.
 */
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Host } from './namespace.js';
import { run } from './program.js';
import { waitFor } from './wait.js';

/** The user of Debian that owns nothing. */
const NOBODY = 65_534;
const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
const POSTGRES_ROOT = '/usr/lib/postgresql';

/** The servers, and their Debian packages. */
const SERVERS = [
  [POSTGRES_ROOT, 'postgresql'],
  ['/usr/bin/redis-server', 'redis-server'],
  ['/usr/sbin/sshd', 'openssh-server'],
] as const;

/** Why there can be no servers on this machine, if so. In continuous integration there must be all. */
export function whyNoServers(): string | undefined {
  if (process.env['CI'] !== undefined) return undefined;
  const missing = SERVERS.filter(([path]) => !existsSync(path)).map(([, debianPackage]) => debianPackage);
  return missing.length === 0 ? undefined : `no servers without: ${missing.join(', ')}`;
}

export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

/** Starts PostgreSQL on port 5432, with or without TLS as the client wishes. The password of the user `example` is `example`. */
export async function startPostgres(host: Host, address: string, { key, certificate }: Certificate): Promise<void> {
  const folder = folderOfNobody();
  const data = join(folder, 'data');
  const password = join(folder, 'password');
  writeFileSync(password, 'example\n');
  const programs = join(POSTGRES_ROOT, readdirSync(POSTGRES_ROOT).at(-1)!, 'bin');
  const words = ['-D', data, '-U', 'example', '-A', 'scram-sha-256', `--pwfile=${password}`, '--no-sync', '--locale=C'];
  await run('setpriv', [...AS_NOBODY, join(programs, 'initdb'), ...words]);
  appendFileSync(join(data, 'pg_hba.conf'), 'host all all all scram-sha-256\n');
  for (const [from, name] of [
    [key, 'server.key'],
    [certificate, 'server.crt'],
  ] as const) {
    copyFileSync(from, join(data, name));
    chownSync(join(data, name), NOBODY, NOBODY);
    chmodSync(join(data, name), 0o600);
  }
  const settings = ['fsync=off', 'ssl=on'].flatMap((setting) => ['-c', setting]);
  const server = [join(programs, 'postgres'), '-D', data, '-h', address, '-k', folder, ...settings];
  host.start('setpriv', [...AS_NOBODY, ...server]);
  await portOpens(host, 5_432);
}

/** Starts redis on port 6379, which keeps nothing. */
export async function startRedis(host: Host, address: string): Promise<void> {
  const words = [
    '--bind',
    address,
    '--port',
    '6379',
    '--dir',
    folderOfNobody(),
    '--save',
    '',
    '--protected-mode',
    'no',
  ];
  host.start('setpriv', [...AS_NOBODY, 'redis-server', ...words]);
  await portOpens(host, 6_379);
}

/**
 * Starts OpenSSH on port 22. It has to be root to know its users, and finds an empty /run of its own.
 *
 * @returns The file with the private key that root of the host may log in with.
 */
export async function startSshd(host: Host, address: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), `wiretype-e2e-${process.pid}-`));
  for (const name of ['host-key', 'user-key'])
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
  writeFileSync(
    join(folder, 'config'),
    `ListenAddress ${address}
HostKey ${folder}/host-key
AuthorizedKeysFile ${folder}/user-key.pub
PermitRootLogin prohibit-password
UsePAM no
StrictModes no
PidFile none
Subsystem sftp internal-sftp
`,
  );
  const script = `mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f ${folder}/config`;
  host.start('unshare', ['-m', '--propagation', 'private', 'sh', '-c', script]);
  await portOpens(host, 22);
  return join(folder, 'user-key');
}

/** Makes a key, and a certificate for it that names `address` and `example.internal`, signed with itself. */
export async function createCertificate(folder: string, address: string): Promise<Certificate> {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const names = `subjectAltName=IP:${address},DNS:example.internal`;
  const words = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const files = ['-keyout', key, '-out', certificate];
  await run('openssl', ['req', ...words, '-subj', '/CN=example.internal', '-addext', names, ...files]);
  return { key, certificate };
}

async function portOpens(host: Host, port: number): Promise<void> {
  await waitFor(`port ${port}`, async () => (await host.run('ss', ['-Hltn', `sport = ${port}`])) !== '');
}

/** The laboratory removes it by its name. */
function folderOfNobody(): string {
  const folder = mkdtempSync(join(tmpdir(), `wiretype-e2e-${process.pid}-`));
  chownSync(folder, NOBODY, NOBODY);
  chmodSync(folder, 0o700);
  return folder;
}
