import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import {
  formatPcpMapRequest,
  isAnswerToMap,
  parsePcpResponse,
  refusesPcpVersion,
} from '../../../src/mesh/port-mapping/pcp.js';

const bufferOf = (hex: string): Buffer => Buffer.from(hex.replace(/\s+/g, ''), 'hex');
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(bufferOf(hex));

const NONCE = '0102030405060708090a0b0c';
/** The common header of a response (RFC 6887 §7.2), with the result code in the fourth byte. */
const header = (result: string): string => `0281 00${result} 00001c20 00000064 000000000000000000000000`;
/** The body of MAP (§11.1): UDP, internal port 51820, external port 40000 at 203.0.113.1. */
const BODY = `${NONCE} 11 000000 ca6c 9c40 00000000000000000000ffff cb007101`;
const own = { nonce: bytesOf(NONCE), internalPort: 51_820 };

describe('a PCP request for a mapping', () => {
  const fields = {
    clientAddress: Uint8Array.of(192, 168, 1, 7),
    nonce: bytesOf(NONCE),
    internalPort: 51_820,
  };

  it('has its fields where RFC 6887 §7.1 and §11.1 say', () => {
    const suggested = { address: Uint8Array.of(203, 0, 113, 1), port: 40_000 };
    const expected = bytesOf(`0201 0000 00001c20 00000000000000000000ffff c0a80107 ${BODY}`);
    assert.deepEqual(formatPcpMapRequest({ ...fields, lifetimeSeconds: 7_200, suggested }), expected);
    assert.equal(expected.length, 60);
  });

  it('suggests nothing when it deletes, except the family of the address (§15.1)', () => {
    const suggested = { address: Uint8Array.of(203, 0, 113, 1), port: 40_000 };
    const body = `${NONCE} 11 000000 ca6c 0000 00000000000000000000ffff 00000000`;
    const expected = bytesOf(`0201 0000 00000000 00000000000000000000ffff c0a80107 ${body}`);
    assert.deepEqual(formatPcpMapRequest({ ...fields, lifetimeSeconds: 0, suggested }), expected);
  });

  it('writes IPv6 addresses as they are (§5)', () => {
    const clientAddress = bytesOf('20010db8000000000000000000000007');
    const request = formatPcpMapRequest({ ...fields, clientAddress, lifetimeSeconds: 1 });
    assert.deepEqual(request.subarray(8, 24), clientAddress);
    assert.deepEqual(request.subarray(44), new Uint8Array(16));
  });
});

describe('a PCP response', () => {
  it('has its fields where RFC 6887 §7.2 and §11.1 say', () => {
    assert.deepEqual(parsePcpResponse(bytesOf(header('00') + BODY)), {
      kind: 'map',
      result: 0,
      lifetimeSeconds: 7_200,
      epochSeconds: 100,
      map: {
        nonce: bytesOf(NONCE),
        protocol: 17,
        internalPort: 51_820,
        port: 40_000,
        address: Uint8Array.of(203, 0, 113, 1),
      },
    });
  });

  it('is copied, since buffers of sockets are used again', () => {
    const buffer = bufferOf(header('00') + BODY);
    const { map } = parsePcpResponse(buffer)!;
    buffer.fill(0);
    assert.deepEqual([map!.address, map!.nonce], [Uint8Array.of(203, 0, 113, 1), bytesOf(NONCE)]);
  });

  it('may be an error without a body, or an announcement (§14.1)', () => {
    const error = parsePcpResponse(bytesOf(header('08')))!;
    assert.deepEqual([error.kind, error.result, error.map], ['map', 8, undefined]);
    assert.equal(isAnswerToMap(error, own), true);
    const announcement = parsePcpResponse(bytesOf(header('00').replace('0281', '0280')))!;
    assert.deepEqual([announcement.kind, announcement.epochSeconds], ['announce', 100]);
    assert.equal(isAnswerToMap(announcement, own), false);
  });

  it('is ignored when it is short, long, or no multiple of four (§8.3)', () => {
    const whole = bytesOf(header('00') + BODY);
    for (const length of [0, 20, 23, 25, 58, 1104]) {
      const bytes = new Uint8Array(length);
      bytes.set(whole.subarray(0, length));
      assert.equal(parsePcpResponse(bytes), undefined, `${length} bytes`);
    }
  });

  it('is ignored when it is a request, of another version or of another opcode', () => {
    for (const start of ['0201', '0181', '0081', '0282', '0283']) {
      assert.equal(parsePcpResponse(bytesOf(header('00').replace('0281', start) + BODY)), undefined, start);
    }
  });

  it('belongs to a mapping by nonce, protocol and internal port (§11.4)', () => {
    const isOwn = (body: string): boolean => isAnswerToMap(parsePcpResponse(bytesOf(header('00') + body))!, own);
    assert.equal(isOwn(BODY), true);
    assert.equal(isOwn(BODY.replace('0102', '0103')), false);
    assert.equal(isOwn(BODY.replace(' 11 ', ' 06 ')), false);
    assert.equal(isOwn(BODY.replace('ca6c', 'ca6d')), false);
    assert.equal(isAnswerToMap(parsePcpResponse(bytesOf(header('00')))!, own), false, 'success without a body');
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_200 }), (bytes) => {
        parsePcpResponse(bytes);
        refusesPcpVersion(bytes);
      }),
    );
    const responses = fc.tuple(fc.constantFrom(0x80, 0x81), fc.uint8Array({ minLength: 22, maxLength: 80 }));
    fc.assert(
      fc.property(responses, ([opcode, rest]) => {
        const bytes = Uint8Array.of(2, opcode, ...rest);
        assert.equal(parsePcpResponse(bytes) === undefined, bytes.length % 4 !== 0);
      }),
    );
  });

  it('gives back what a request was made of, when a router echoes it', () => {
    const ports = fc.integer({ min: 0, max: 0xffff });
    const addresses = fc.uint8Array({ minLength: 4, maxLength: 4 });
    const nonces = fc.uint8Array({ minLength: 12, maxLength: 12 });
    const lifetimes = fc.integer({ min: 1, max: 0xffff_ffff });
    fc.assert(
      fc.property(ports, ports, addresses, nonces, lifetimes, (internalPort, port, address, nonce, lifetimeSeconds) => {
        const clientAddress = Uint8Array.of(10, 0, 0, 1);
        const suggested = { address, port };
        const bytes = formatPcpMapRequest({ clientAddress, nonce, internalPort, lifetimeSeconds, suggested });
        bytes[1]! |= 0x80;
        const response = parsePcpResponse(bytes)!;
        assert.deepEqual(response.map, { nonce, protocol: 17, internalPort, port, address });
        assert.equal(response.lifetimeSeconds, lifetimeSeconds);
        assert.equal(isAnswerToMap(response, { nonce, internalPort }), true);
      }),
    );
  });
});

describe('a router that does not speak PCP', () => {
  it('is known by its answer, of NAT-PMP (RFC 6886 §3.5) or of an older PCP (RFC 6887 §9)', () => {
    assert.equal(refusesPcpVersion(bytesOf('0000 0001 00000064')), true);
    assert.equal(refusesPcpVersion(bytesOf('0081 0001 00000064')), true);
    assert.equal(refusesPcpVersion(bytesOf(header('01').replace('0281', '0181'))), true);
  });

  it('is not known by other answers', () => {
    assert.equal(refusesPcpVersion(bytesOf('0080 0000 00000064 cb007101')), false);
    assert.equal(refusesPcpVersion(bytesOf('0080 0003 00000064 cb007101')), false);
    assert.equal(refusesPcpVersion(bytesOf(header('01'))), false);
    assert.equal(refusesPcpVersion(bytesOf('0081 0101 00000064')), false);
    assert.equal(refusesPcpVersion(bytesOf('000000')), false);
  });
});
