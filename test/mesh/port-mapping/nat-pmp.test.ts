import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import {
  formatNatPmpAddressRequest,
  formatNatPmpMapRequest,
  parseNatPmpResponse,
} from '../../../src/mesh/port-mapping/nat-pmp.js';

const bufferOf = (hex: string): Buffer => Buffer.from(hex.replace(/\s+/g, ''), 'hex');
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(bufferOf(hex));

describe('a NAT-PMP request', () => {
  it('for the public address has two bytes (RFC 6886 §3.2)', () => {
    assert.deepEqual(formatNatPmpAddressRequest(), bytesOf('0000'));
  });

  it('for a mapping has its fields where §3.3 says', () => {
    const request = formatNatPmpMapRequest({ internalPort: 51_820, suggestedPort: 40_000, lifetimeSeconds: 7_200 });
    assert.deepEqual(request, bytesOf('0001 0000 ca6c 9c40 00001c20'));
  });

  it('suggests no port when it deletes (§3.4)', () => {
    const request = formatNatPmpMapRequest({ internalPort: 51_820, suggestedPort: 40_000, lifetimeSeconds: 0 });
    assert.deepEqual(request, bytesOf('0001 0000 ca6c 0000 00000000'));
  });
});

describe('a NAT-PMP response', () => {
  it('has its fields where §3.2 and §3.3 say', () => {
    assert.deepEqual(parseNatPmpResponse(bytesOf('0080 0000 00000064 cb007101')), {
      kind: 'address',
      result: 0,
      epochSeconds: 100,
      address: Uint8Array.of(203, 0, 113, 1),
    });
    assert.deepEqual(parseNatPmpResponse(bytesOf('0081 0002 00000064 ca6c 9c40 00001c20')), {
      kind: 'map',
      result: 2,
      epochSeconds: 100,
      internalPort: 51_820,
      port: 40_000,
      lifetimeSeconds: 7_200,
    });
  });

  it('is copied, since buffers of sockets are used again', () => {
    const buffer = bufferOf('0080 0000 00000064 cb007101');
    const response = parseNatPmpResponse(buffer)!;
    buffer.fill(0);
    assert.deepEqual(response.kind === 'address' && response.address, Uint8Array.of(203, 0, 113, 1));
  });

  it('is ignored when it is short, a request, of another version, or about TCP', () => {
    const others = [
      '',
      '0080 0000 00000064 cb0071',
      '0081 0000 00000064 ca6c 9c40 00001c',
      '0000 0000 00000064 cb007101',
      '0180 0000 00000064 cb007101',
      '0082 0000 00000064 ca6c 9c40 00001c20',
    ];
    for (const hex of others) assert.equal(parseNatPmpResponse(bytesOf(hex)), undefined, hex);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        parseNatPmpResponse(bytes);
      }),
    );
    const responses = fc.tuple(fc.constantFrom(0x80, 0x81), fc.uint8Array({ maxLength: 20 }));
    fc.assert(
      fc.property(responses, ([opcode, rest]) => {
        const isWhole = rest.length >= (opcode === 0x80 ? 10 : 14);
        assert.equal(parseNatPmpResponse(Uint8Array.of(0, opcode, ...rest)) !== undefined, isWhole);
      }),
    );
  });

  it('gives back what a request was made of, when a router echoes it', () => {
    const ports = fc.integer({ min: 0, max: 0xffff });
    const lifetimes = fc.integer({ min: 1, max: 0xffff_ffff });
    fc.assert(
      fc.property(ports, ports, lifetimes, (internalPort, suggestedPort, lifetimeSeconds) => {
        const request = formatNatPmpMapRequest({ internalPort, suggestedPort, lifetimeSeconds });
        const echo = Uint8Array.of(0, 0x81, 0, 0, 0, 0, 0, 9, ...request.subarray(4));
        assert.deepEqual(parseNatPmpResponse(echo), {
          kind: 'map',
          result: 0,
          epochSeconds: 9,
          internalPort,
          port: suggestedPort,
          lifetimeSeconds,
        });
      }),
    );
  });
});
