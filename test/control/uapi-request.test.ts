import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  MAX_LINE_BYTES,
  MAX_REQUEST_BYTES,
  type UapiRequest,
  UapiRequestReader,
} from '../../src/control/uapi-request.js';
import { formatSet } from '../../src/control/uapi-set-text.js';
import type { ZoneNames } from '../../src/control/zone-names.js';
import { arbitraryChange } from './arbitrary-change.js';

const ZONES: ZoneNames = { indexOf: () => undefined, nameOf: () => undefined };
const MEBIBYTE = 1_024 * 1_024;

describe('requests on a connection', () => {
  it('are found in the same way wherever the bytes are cut', () => {
    const sets = arbitraryChange.map((change) => `set=1\n${formatSet(change, ZONES).toString('latin1')}\n`);
    const requests = fc.oneof(
      sets,
      fc.constant('get=1\n\n'),
      fc.constant('set=1\nlisten_port=x\nfwmark=1\n\n'),
      fc.constant(`set=1\nendpoint=${'9'.repeat(2 * MAX_LINE_BYTES)}\n\n`),
    );
    const script = fc.tuple(fc.array(requests, { maxLength: 6 }), fc.array(fc.nat(400), { maxLength: 40 }));
    fc.assert(
      fc.property(script, ([texts, lengths]) => {
        const whole = texts.join('');
        assert.deepEqual(read(...cut(whole, lengths)), read(whole));
        assert.equal(read(whole).length, texts.length);
      }),
    );
  });

  it('never make it throw, whatever the bytes', () => {
    const pieces = fc.oneof(
      fc.constantFrom('get=1\n', 'set=1\n', '\n', 'public_key=', 'x'.repeat(MAX_LINE_BYTES), '='),
      fc.string(),
    );
    fc.assert(fc.property(fc.array(pieces), (texts) => void read(...texts)));
    fc.assert(fc.property(fc.array(fc.uint8Array()), (chunks) => void readBytes(...chunks.map((b) => Buffer.from(b)))));
  });

  it('are one after the other', () => {
    assert.deepEqual(
      read('get=1\n\nset=1\n\nget=1\n\n').map(({ kind }) => kind),
      ['get', 'set', 'get'],
    );
  });

  it('go on behind a refused set', () => {
    const [refused, next] = read('set=1\nlisten_port=x\nnonsense\n\nset=1\nlisten_port=7\n\n');
    assert.deepEqual(refused, {
      kind: 'refused',
      operation: 'set',
      refusal: { errno: 22, key: 'listen_port', reason: 'not a decimal number from 0 to 65535' },
    });
    assert.ok(next.kind === 'set' && next.change.listenPort === 7);
  });

  it('are refused at once when anything follows "get=1"', () => {
    const [request] = read('get=1\nx');
    assert.ok(request.kind === 'refused' && request.operation === 'get' && request.refusal.errno === 22);
  });

  it('are unknown when they are neither get nor set', () => {
    for (const text of ['\n', 'get=2\n', 'GET / HTTP/1.1\r\n', 'get=1\r\n', ' set=1\n', 'y'.repeat(MAX_LINE_BYTES + 1)])
      assert.equal(read(text)[0].kind, 'unknown', text.slice(0, 20));
  });

  it('may end without an empty line when the connection ends', () => {
    const [request] = read('set=1\nlisten_port=7\n', END);
    assert.ok(request.kind === 'set' && request.change.listenPort === 7);
    assert.equal(read('get=1\n', END)[0].kind, 'get');
  });

  it('are none when the connection says nothing, or not enough', () => {
    for (const text of ['', 'g', 'get=1', 'set=1']) assert.deepEqual(read(text, END), []);
  });

  it('are refused beyond a size that no device needs, without keeping it', () => {
    const line = 'protocol_version=1\n';
    const mebibyte = line.repeat(Math.ceil(MEBIBYTE / line.length));
    const reader = new UapiRequestReader(() => ZONES);
    reader.read(Buffer.from(`set=1\npublic_key=${'ab'.repeat(32)}\n`), 0);
    for (let sent = 0; sent < MAX_REQUEST_BYTES; sent += mebibyte.length) reader.read(Buffer.from(mebibyte), 0);
    reader.read(Buffer.from('\n'), 0);

    const request = reader.takeRequest();
    assert.ok(request?.kind === 'refused' && request.refusal.errno === 90);
  });

  for (const [what, line, count] of [
    ['peers', `public_key=${'ab'.repeat(32)}\n`, 131_073],
    ['allowed IPs', 'allowed_ip=10.0.0.0/8\n', 1_048_577],
  ] as const)
    it(`are refused with more ${what} than their memory is worth`, () => {
      const reader = new UapiRequestReader(() => ZONES);
      reader.read(Buffer.from(`set=1\npublic_key=${'cd'.repeat(32)}\n${line.repeat(count)}\n`), 0);

      const request = reader.takeRequest();
      assert.ok(request?.kind === 'refused' && request.refusal.errno === 22);
    });

  it('lose their secrets when the connection is cut', () => {
    const reader = new UapiRequestReader(() => ZONES);
    reader.read(Buffer.from(`set=1\nprivate_key=${'ab'.repeat(32)}\npublic_key=${'cd'.repeat(32)}\npreshared`), 0);
    reader.clear();
    reader.end();

    const request = reader.takeRequest();
    assert.ok(
      request?.kind === 'refused' || (request?.kind === 'set' && request.change.privateKey?.every((b) => b === 0)),
    );
  });
});

const END = Symbol('end of the connection');

function read(...parts: readonly (string | typeof END)[]): UapiRequest[] {
  return readBytes(...parts.map((part) => (part === END ? END : Buffer.from(part, 'latin1'))));
}

function readBytes(...parts: readonly (Buffer | typeof END)[]): UapiRequest[] {
  const reader = new UapiRequestReader(() => ZONES);
  const requests: UapiRequest[] = [];
  for (const part of parts) {
    if (part === END) {
      reader.end();
      take(reader, requests);
      continue;
    }
    for (let at = 0; at < part.length; ) {
      at = reader.read(part, at);
      if (take(reader, requests) && isFinal(requests)) return requests;
    }
  }
  return requests;
}

function take(reader: UapiRequestReader, requests: UapiRequest[]): boolean {
  const request = reader.takeRequest();
  if (request !== undefined) requests.push(withoutClear(request));
  return request !== undefined;
}

/** So that two of them can be compared. */
function withoutClear(request: UapiRequest): UapiRequest {
  return request.kind === 'set' ? { ...request, clear: noop } : request;
}

function noop(): void {}

function isFinal(requests: readonly UapiRequest[]): boolean {
  const last = requests[requests.length - 1];
  return last.kind === 'unknown' || (last.kind === 'refused' && last.operation === 'get');
}

function cut(text: string, lengths: readonly number[]): string[] {
  const parts: string[] = [];
  let at = 0;
  for (const length of lengths) {
    parts.push(text.slice(at, at + length));
    at += length;
  }
  return [...parts, text.slice(at)];
}
