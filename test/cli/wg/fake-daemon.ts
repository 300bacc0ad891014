import { once } from 'node:events';
import { renameSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

/** The verbatim answers of a fake daemon. */
export interface FakeAnswers {
  get: string;
  set: string;
}

/** A control socket that gives prepared answers and keeps the requests. */
export class FakeDaemon {
  readonly answers: FakeAnswers;
  readonly #server: Server;
  readonly #path: string;
  #requests: string[] = [];

  private constructor(path: string, answers: FakeAnswers) {
    this.#path = path;
    this.answers = answers;
    this.#server = createServer((socket) => {
      let request = '';
      socket.on('error', () => {}); // a client that leaves early is of no interest here
      socket.on('data', (chunk) => {
        request += chunk.toString('latin1');
        if (!request.endsWith('\n\n')) return;
        this.#requests.push(request);
        socket.end(request.startsWith('get') ? this.answers.get : this.answers.set, 'latin1');
        request = '';
      });
    });
  }

  static async start(directory: string, name: string): Promise<FakeDaemon> {
    const path = join(directory, `${name}.sock`);
    const daemon = new FakeDaemon(path, { get: 'errno=0\n\n', set: 'errno=0\n\n' });
    daemon.#server.listen(path);
    await once(daemon.#server, 'listening');
    return daemon;
  }

  /** The requests since the last call. */
  takeRequests(): string[] {
    const requests = this.#requests;
    this.#requests = [];
    return requests;
  }

  /** Closes the socket and leaves its file, as a daemon that was killed does. */
  async die(): Promise<void> {
    const closed = once(this.#server, 'close');
    renameSync(this.#path, `${this.#path}.dead`); // closing would remove the file
    this.#server.close();
    await closed;
    renameSync(`${this.#path}.dead`, this.#path);
  }

  async stop(): Promise<void> {
    await this.die();
    rmSync(this.#path, { force: true });
  }
}
