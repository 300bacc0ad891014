import { request } from 'node:http';

import { WireGuardError } from '../../core/errors.js';

/** The programs that answer on such a socket, and the error where they do not run. */
const ABSENCE = { gateway: 'ERR_GATEWAY', hub: 'ERR_NO_HUB', agent: 'ERR_NO_AGENT' } as const;

type Server = keyof typeof ABSENCE;

/** Asks a gateway, hub or agent that runs, by its UNIX socket: whoever may open it may do everything. */
export class GatewayClient {
  readonly #path: string;
  readonly #server: Server;

  constructor(path: string, server: Server = 'gateway') {
    this.#path = path;
    this.#server = server;
  }

  /** @throws {WireGuardError} ERR_GATEWAY, ERR_NO_HUB, ERR_NO_AGENT: it does not run. ERR_GATEWAY_REFUSED, with its sentence. */
  async call<T>(method: string, path: string, body?: object): Promise<T> {
    const { status, text } = await this.#send(method, `/api/v1${path}`, body);
    const answer = text === '' ? {} : JSON.parse(text);
    if (status >= 400)
      throw new WireGuardError('ERR_GATEWAY_REFUSED', answer.detail ?? `the gateway answers ${status}`);
    return answer as T;
  }

  /** Reads server-sent events until the signal. */
  async watch(onEvent: (event: string, data: unknown) => void, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const options = { socketPath: this.#path, path: '/api/v1/events', headers: { host: 'localhost' }, signal };
      request(options, (response) => {
        let waiting = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          const messages = (waiting + chunk).split('\n\n');
          waiting = messages.pop()!;
          for (const message of messages) readMessage(message, onEvent);
        });
        response.once('close', resolve);
      })
        .once('error', (error) => (signal.aborted ? resolve() : reject(this.#notRunning(error))))
        .end();
    });
  }

  #send(method: string, path: string, body: object | undefined): Promise<{ status: number; text: string }> {
    const json = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const headers = { host: 'localhost', ...(json === undefined ? {} : { 'content-type': 'application/json' }) };
      request({ socketPath: this.#path, method, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('end', () =>
          resolve({ status: response.statusCode!, text: Buffer.concat(chunks).toString('utf8') }),
        );
      })
        .once('error', (error) => reject(this.#notRunning(error)))
        .end(json);
    });
  }

  #notRunning(cause: Error): WireGuardError {
    return new WireGuardError(ABSENCE[this.#server], `no ${this.#server} answers at ${this.#path}`, { cause });
  }
}

function readMessage(message: string, onEvent: (event: string, data: unknown) => void): void {
  const event = /^event: (.+)$/m.exec(message)?.[1];
  const data = /^data: (.+)$/m.exec(message)?.[1];
  if (event !== undefined && data !== undefined) onEvent(event, JSON.parse(data));
}
