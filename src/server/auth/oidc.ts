import type * as Client from 'openid-client';

import { ApiError } from '../server-errors.js';
import { Pending } from './pending.js';

/** An OpenID provider, as the administrator of the gateway names it. */
export interface OidcSettings {
  /** URL without a path of ours, such as `https://id.example.net`. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** For the button of the page. */
  readonly name: string;
  /** Role of people that are not known yet. Absent: they are not let in. */
  readonly role?: 'viewer' | 'member';
  /** Domains of addresses of such people. Empty: any. */
  readonly domains: readonly string[];
}

/** The purpose of going to the provider: kept here, since it may not be forged on the way. */
export interface OidcPurpose {
  /** Id of the person that links an account. */
  readonly person?: string;
  /** Secret of an invitation. */
  readonly link?: string;
}

/** An account at the provider, with its purpose. */
export interface OidcIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** Absent: none, or one that the provider has not verified. */
  readonly email?: string;
  readonly purpose: OidcPurpose;
}

interface Going extends OidcPurpose {
  readonly verifier: string;
  readonly nonce: string;
  readonly redirectUri: string;
}

/**
 * Sign-in by an OpenID provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0 §3.1).
 *
 * The library and the provider's metadata are loaded with the first use.
 */
export class Oidc {
  readonly settings: OidcSettings;
  readonly #going: Pending<Going>;
  #configuration: Promise<Client.Configuration> | undefined;

  constructor(settings: OidcSettings, nowMs: () => number) {
    this.settings = settings;
    this.#going = new Pending(nowMs);
  }

  /** Begins. @returns The URL at the provider, and the state that the browser must bring back. @throws {ApiError} ERR_OIDC */
  async begin(redirectUri: string, purpose: OidcPurpose): Promise<{ readonly url: string; readonly state: string }> {
    const client = await import('openid-client');
    const configuration = await this.#load(client);
    const [verifier, nonce] = [client.randomPKCECodeVerifier(), client.randomNonce()];
    const state = this.#going.add({ ...purpose, verifier, nonce, redirectUri });
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: 'openid email profile',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    return { url: url.href, state };
  }

  /** Ends: trades the code of the callback for the identity. @throws {ApiError} ERR_OIDC, ERR_SIGN_IN */
  async end(query: URLSearchParams): Promise<OidcIdentity> {
    const state = query.get('state') ?? '';
    const going = this.#going.take(state);
    if (going === undefined) throw new ApiError('ERR_SIGN_IN', 'this sign-in was not begun here, or took too long');
    const client = await import('openid-client');
    const configuration = await this.#load(client);
    const { verifier, nonce, redirectUri, ...purpose } = going;
    const url = new URL(redirectUri);
    url.search = query.toString();
    const tokens = await client
      .authorizationCodeGrant(configuration, url, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      })
      .catch((cause) => {
        throw new ApiError('ERR_SIGN_IN', `${this.settings.name} did not confirm the sign-in: ${reasonOf(cause)}`);
      });
    const claims = tokens.claims()!;
    const isVerified = claims['email_verified'] === true && typeof claims['email'] === 'string';
    return {
      issuer: claims.iss,
      subject: claims.sub,
      ...(isVerified ? { email: String(claims['email']).toLowerCase() } : {}),
      purpose,
    };
  }

  async #load(client: typeof Client): Promise<Client.Configuration> {
    const { issuer, clientId, clientSecret, name } = this.settings;
    const url = new URL(issuer);
    // Plain HTTP for a provider on this host only.
    const isLocal = url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
    const options = isLocal ? { execute: [client.allowInsecureRequests] } : {};
    this.#configuration ??= client.discovery(url, clientId, clientSecret, undefined, options);
    return this.#configuration.catch((cause) => {
      this.#configuration = undefined;
      throw new ApiError('ERR_OIDC', `${name} cannot be reached at ${url.origin}: ${reasonOf(cause)}`);
    });
  }
}

function reasonOf(cause: unknown): string {
  const { code, error, message } = cause as { code?: string; error?: string; message?: string };
  return error ?? code ?? message ?? 'unknown';
}
