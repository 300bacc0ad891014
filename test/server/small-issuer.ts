/** An OpenID provider of a few lines, on the loopback: it signs everybody in at once, as the account that the test sets. */
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

export class SmallIssuer implements AsyncDisposable {
  account: Record<string, unknown> = { sub: 'account-1', email: 'li@example.net', email_verified: true };
  readonly clientId = 'wiretype';
  readonly clientSecret = 'the secret of the client';
  /** Claims of the id token that the test makes wrong. */
  wrong: Record<string, unknown> = {};
  readonly #server: Server;
  readonly #codes = new Map<string, URLSearchParams>();

  static async open(): Promise<SmallIssuer> {
    const issuer = new SmallIssuer();
    issuer.#server.listen(0, '127.0.0.1');
    await once(issuer.#server, 'listening');
    return issuer;
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      const url = new URL(request.url!, this.url);
      const answer = (body: object, status = 200): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      };
      if (url.pathname === '/.well-known/openid-configuration') answer(this.#metadata());
      else if (url.pathname === '/jwks')
        answer({ keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'RS256', kid: '1' }] });
      else if (url.pathname === '/authorize') {
        const code = randomBytes(8).toString('hex');
        this.#codes.set(code, url.searchParams);
        const back = new URL(url.searchParams.get('redirect_uri')!);
        back.search = new URLSearchParams({ code, state: url.searchParams.get('state')! }).toString();
        response.writeHead(302, { location: back.href }).end();
      } else if (url.pathname === '/token')
        void text(request).then((body) => this.#trade(new URLSearchParams(body), answer));
      else answer({}, 404);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #metadata(): object {
    return {
      issuer: this.url,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      jwks_uri: `${this.url}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: ['client_secret_post'],
    };
  }

  #trade(body: URLSearchParams, answer: (body: object, status?: number) => void): void {
    const asked = this.#codes.get(body.get('code') ?? '');
    this.#codes.delete(body.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url');
    const isRight = asked?.get('code_challenge') === challenge && body.get('client_secret') === this.clientSecret;
    if (!isRight) {
      answer({ error: 'invalid_grant' }, 400);
      return;
    }
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: this.url,
      aud: this.clientId,
      iat: now,
      exp: now + 60,
      nonce: asked.get('nonce'),
      ...this.account,
    };
    const idToken = signed({ ...claims, ...this.wrong });
    answer({ access_token: 'a', token_type: 'Bearer', id_token: idToken });
  }
}

function signed(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = `${part({ alg: 'RS256', kid: '1' })}.${part(claims)}`;
  return `${head}.${createSign('RSA-SHA256').update(head).sign(privateKey).toString('base64url')}`;
}
