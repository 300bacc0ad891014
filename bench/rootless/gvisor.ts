/** The contender of wireguard-go and gVisor's stack, built from Debian's packages. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { CHECKOUT } from '../../test/lab/implementation.js';
import { attempt } from '../../test/lab/program.js';
import { PROGRAMS } from '../tools.js';

const SOURCE = join(CHECKOUT, 'bench/gvisor');
/** Where Debian's packages of Go libraries put their sources. */
const LIBRARIES = '/usr/share/gocode';
const PACKAGES = ['golang-golang.zx2c4-wireguard-dev', 'golang-gvisor-gvisor-dev'] as const;
/** The first build compiles gVisor. */
const TIMEOUT_MS = 300_000;

/** @returns The program and the versions of what is in it, or why there is none. */
export async function buildGvisor(): Promise<{ program: string; version: string } | { reason: string }> {
  const { stdout } = await attempt('dpkg-query', ['-W', ...PACKAGES]);
  const [wireguardGo, gvisor] = Array.from(stdout.matchAll(/\t(\S+)\n/g), ([, version]) => version);
  if (wireguardGo === undefined || gvisor === undefined || !existsSync(LIBRARIES))
    return { reason: `Debian's ${PACKAGES.join(' and ')} are not installed` };
  mkdirSync(PROGRAMS, { recursive: true });
  const program = join(PROGRAMS, 'gvisor');
  const env = { GO111MODULE: 'off', GOPATH: LIBRARIES, GOFLAGS: '', GOCACHE: join(PROGRAMS, 'go-cache') };
  const words = ['-C', SOURCE, 'go', 'build', '-o', program, '.'];
  const { status, stderr } = await attempt('env', words, { env, timeoutMs: TIMEOUT_MS });
  if (status !== 0) return { reason: `bench/gvisor does not build: ${stderr.trim().split('\n').at(-1)}` };
  return { program, version: `${gvisor} on wireguard-go ${wireguardGo}` };
}
