import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { type Finding, MemoryScan } from './memory-scan.js';
import { type Implementation, implementationOf, SecretLife } from './secret-life.js';

const PROGRAM = fileURLToPath(new URL('secret-life-program.js', import.meta.url));
const ROUNDS = 5;
const IS_PRIVATE_KEY = /^private key/;
/** Half a key helps an attacker with time for 2^128 trials: it is searched for as well. */
const HALF_KEY_BYTES = 16;

describe('after a device is closed, no secret of it is left in the memory of the process:', () => {
  for (const [name, ...words] of [
    ['with the addon', 'with-addon', 1],
    ['with the addon and three threads', 'with-addon', 3],
  ] as const)
    it(name, async () => {
      const scan = new MemoryScan(secretsOfTheSameLife());
      await using program = new Program(...words);
      assert.equal(await program.nextStep(), `alive ${2 * ROUNDS}`);
      assert.notDeepEqual(program.find(scan), [], 'the scan finds what is there');
      assert.equal(await program.nextStep(), `closed ${2 * ROUNDS}`);
      assert.deepEqual(program.find(scan), []);
    });

  it('without the addon, but for private keys, which go with the next garbage', async () => {
    const scan = new MemoryScan(secretsOfTheSameLife());
    await using program = new Program('without-addon', 1);
    assert.equal(await program.nextStep(), `alive ${2 * ROUNDS}`);
    assert.notDeepEqual(program.find(scan), []);
    assert.equal(await program.nextStep(), `closed ${2 * ROUNDS}`);
    assert.deepEqual(
      program.find(scan).filter(({ what }) => !IS_PRIVATE_KEY.test(what)),
      [],
    );
    assert.equal(await program.nextStep(), `collected ${2 * ROUNDS}`);
    assert.deepEqual(program.find(scan), []);
  });
});

/** Lives the life of the program here, where every secret can be noted down. Never prints one. */
function secretsOfTheSameLife(): Map<string, Uint8Array> {
  const secrets = new Map<string, Uint8Array>();
  const note = (what: string, secret: Uint8Array): void => {
    const name = `${what} ${secrets.size}`;
    secrets.set(`${name}, first half`, secret.slice(0, HALF_KEY_BYTES));
    secrets.set(`${name}, second half`, secret.slice(HALF_KEY_BYTES, 2 * HALF_KEY_BYTES));
  };
  const life = new SecretLife(noting(note), note);
  life.live(ROUNDS);
  assert.equal(life.deliveredPackets, 2 * ROUNDS);
  life.close();
  return secrets;
}

function noting(note: (what: string, secret: Uint8Array) => void): Implementation {
  const { makeAead } = implementationOf(undefined);
  return {
    crypto: new NotingCrypto(note),
    makeAead: () => {
      const aead = makeAead();
      return {
        installKeys: (sendKey, receiveKey) => {
          note('transport key', sendKey);
          note('transport key', receiveKey);
          return aead.installKeys(sendKey, receiveKey);
        },
        wipeKeys: (slot) => aead.wipeKeys(slot),
        seal: (batch) => aead.seal(batch),
        open: (batch) => aead.open(batch),
      };
    },
  };
}

class NotingCrypto extends NodeCrypto {
  readonly #note: (what: string, secret: Uint8Array) => void;

  constructor(note: (what: string, secret: Uint8Array) => void) {
    super();
    this.#note = note;
  }

  override hmac(out: Uint8Array, key: Uint8Array, ...parts: readonly Uint8Array[]): void {
    super.hmac(out, key, ...parts);
    this.#note('output of HKDF', out);
  }

  override x25519(out: Uint8Array, privateKey: Uint8Array, publicKey: Uint8Array): boolean {
    this.#note('private key', privateKey);
    const isShared = super.x25519(out, privateKey, publicKey);
    if (isShared) this.#note('shared secret', out);
    return isShared;
  }
}

/** A `SecretLife` in a process of its own. */
class Program implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(...words: readonly (string | number)[]) {
    this.#process = spawn(process.execPath, ['--expose-gc', PROGRAM, ...words.map(String)]);
    this.#process.stderr.pipe(process.stderr);
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** @returns The name of the step, and the packets delivered so far. */
  async nextStep(): Promise<string> {
    this.#process.stdin.write('\n');
    return String((await this.#lines.next()).value);
  }

  find(scan: MemoryScan): Finding[] {
    return scan.of(this.#process.pid!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}
