import { readFileSync } from 'node:fs';

import { WireGuardError } from '../../core/errors.js';
import type { OidcSettings } from '../../server/auth/oidc.js';

/** The options of an OpenID provider, as they were written. */
export interface OidcValues {
  readonly 'oidc-issuer'?: string | undefined;
  readonly 'oidc-client-id'?: string | undefined;
  readonly 'oidc-client-secret-file'?: string | undefined;
  readonly 'oidc-name'?: string | undefined;
  readonly 'oidc-role'?: string | undefined;
  readonly 'oidc-domain'?: string[] | undefined;
}

/** Reads the options of an OpenID provider. @returns `undefined`: none is named. @throws {WireGuardError} ERR_USAGE, ERR_VALUE */
export function readOidc(values: OidcValues, environment: NodeJS.ProcessEnv): OidcSettings | undefined {
  const { 'oidc-issuer': issuer, 'oidc-client-id': clientId, 'oidc-role': role, 'oidc-domain': domains = [] } = values;
  if (issuer === undefined && clientId === undefined) return undefined;
  if (issuer === undefined || clientId === undefined)
    throw new WireGuardError('ERR_USAGE', '--oidc-issuer and --oidc-client-id belong together, and one is missing');
  if (!URL.canParse(issuer) || !/^https?:/.test(issuer))
    throw new WireGuardError('ERR_VALUE', `--oidc-issuer ${issuer}: a URL is expected, as in https://id.example.net`);
  if (role !== undefined && role !== 'viewer' && role !== 'member')
    throw new WireGuardError('ERR_VALUE', `--oidc-role ${role}: viewer or member is expected`);
  return {
    issuer,
    clientId,
    clientSecret: readSecret(values['oidc-client-secret-file'], environment),
    name: values['oidc-name'] ?? new URL(issuer).hostname,
    ...(role === undefined ? {} : { role }),
    domains: domains.map((domain) => domain.toLowerCase()),
  };
}

function readSecret(file: string | undefined, environment: NodeJS.ProcessEnv): string {
  const secret = file === undefined ? environment['WIRETYPE_OIDC_CLIENT_SECRET'] : readText(file);
  if (secret === undefined || secret.trim() === '')
    throw new WireGuardError(
      'ERR_USAGE',
      'the secret is missing: --oidc-client-secret-file or WIRETYPE_OIDC_CLIENT_SECRET',
    );
  return secret.trim();
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new WireGuardError('ERR_VALUE', `--oidc-client-secret-file ${file}: ${(cause as Error).message}`, { cause });
  }
}
