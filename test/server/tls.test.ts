import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';

import { PASSWORD, ServerLab } from './server-lab.js';

const TIME_LIMIT = { timeout: 60_000 };

function makeCertificate(folder: string, name: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const [newCert, newKey] = [`${cert}.new`, `${key}.new`];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-days', '2', ...kind, '-keyout', newKey, '-out', newCert, '-subj', `/CN=${name}`],
    { stdio: 'ignore' },
  );
  renameSync(newCert, cert);
  renameSync(newKey, key);
  return { cert, key };
}

/** Calls the session, and returns the name in the certificate with the answer. */
function ask(
  port: number,
  method: string,
  path: string,
  body = '',
): Promise<{ name: string; cookie: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'localhost', ...(body === '' ? {} : { 'content-type': 'application/json' }) };
    request(
      { port, host: '127.0.0.1', path: `/api/v1${path}`, method, headers, rejectUnauthorized: false, agent: false },
      (response) => {
        const name = (response.socket as TLSSocket).getPeerCertificate().subject.CN;
        response.resume();
        response.once('end', () => resolve({ name: String(name), cookie: response.headers['set-cookie']?.[0] }));
      },
    )
      .on('error', reject)
      .end(body);
  });
}

describe('the page by TLS', () => {
  it('has a cookie for this host alone, and takes up a new certificate', TIME_LIMIT, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-tls-'));
    try {
      await using lab = await ServerLab.open();
      const paths = makeCertificate(folder, 'first');
      const port = await lab.server.listen('127.0.0.1', 0, paths);
      const link = await lab.server.makeSetUpLink();
      const { name, cookie } = await ask(
        port,
        'POST',
        '/link',
        JSON.stringify({ link, name: 'li', password: PASSWORD }),
      );
      assert.equal(name, 'first');
      assert.match(cookie!, /^__Host-wiretype=.*; Path=\/;.*; Secure$/);
      makeCertificate(folder, 'second');
      while ((await ask(port, 'GET', '/session')).name !== 'second') await delay(50);
      writeFileSync(paths.cert, 'broken');
      while (!lab.lines.some((line) => line.startsWith('the old certificate stays'))) await delay(50);
      assert.equal((await ask(port, 'GET', '/session')).name, 'second');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('is refused at the start with files that do not exist', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    await assert.rejects(lab.server.listen('127.0.0.1', 0, { cert: '/nonexistent', key: '/nonexistent' }), {
      code: 'ERR_TLS_FILES',
    });
  });
});
