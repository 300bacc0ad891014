import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { RateLimiter } from '../../../src/core/handshake/rate-limiter.js';
import { Endpoint } from '../../../src/wire/endpoint.js';
import { readVectors } from '../../vectors.js';
import { addressBytes } from '../address-bytes.js';
import { seededEnvironment } from '../seeded-environment.js';

describe('RateLimiter', () => {
  it('gives the published answers to the published script, for every address on its own', () => {
    const { steps_per_ip: steps, ips } = readVectors<RateLimiterVectors>('wireguard/ratelimiter.json');
    const limiter = new RateLimiter(seededEnvironment());
    let nowMs = 1_000;
    for (const [index, { wait_ms, allowed }] of steps.entries()) {
      nowMs += wait_ms;
      for (const ip of ips) assert.equal(allow(limiter, endpoint(ip), nowMs), allowed, `step ${index}: ${ip}`);
    }
  });

  it('allows five at once and then twenty a second (§5.3)', () => {
    const limiter = new RateLimiter(seededEnvironment());
    const from = endpoint('192.0.2.1');
    let allowed = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs++) if (allow(limiter, from, nowMs)) allowed++;
    assert.equal(allowed, 5 + (10_000 / 1_000) * 20 - 1);
  });

  it('takes nothing from a sender that it refuses', () => {
    const limiter = new RateLimiter(seededEnvironment());
    const from = endpoint('192.0.2.1');
    for (let i = 0; i < 1_000; i++) allow(limiter, from, 0);
    assert.equal(allow(limiter, from, 49), false);
    assert.equal(allow(limiter, from, 50), true);
  });

  it('counts an IPv6 /64 as one address, and two of them as two', () => {
    const limiter = new RateLimiter(seededEnvironment());
    for (let i = 0; i < 5; i++) assert.equal(allow(limiter, endpoint(`2001:db8:0:1::${i}`), 0), true);
    assert.equal(allow(limiter, endpoint('2001:db8:0:1:ffff:ffff:ffff:ffff'), 0), false);
    assert.equal(allow(limiter, endpoint('2001:db8:0:2::1'), 0), true);
    assert.equal(allow(limiter, endpoint('2001:db9:0:1::1'), 0), true);
  });

  it('counts each path as one address, by all of its id', () => {
    const limiter = new RateLimiter(seededEnvironment());
    const path = (last: number): Endpoint => Endpoint.forPath(new Uint8Array(16).fill(last, 15));
    for (let i = 0; i < 5; i++) assert.equal(allow(limiter, path(1), 0), true);
    assert.equal(allow(limiter, path(1), 0), false);
    assert.equal(allow(limiter, path(2), 0), true);
  });

  it('counts all ports of an address as one', () => {
    const limiter = new RateLimiter(seededEnvironment());
    for (let port = 1; port <= 5; port++) assert.equal(allow(limiter, endpoint('192.0.2.1', port), 0), true);
    assert.equal(allow(limiter, endpoint('192.0.2.1', 6), 0), false);
  });

  it('keeps an IPv4 address apart from an IPv6 /64 that begins with the same bytes', () => {
    const limiter = new RateLimiter(seededEnvironment());
    for (let i = 0; i < 6; i++) allow(limiter, endpoint('32.1.13.184'), 0);
    assert.equal(allow(limiter, endpoint('2001:db8::1'), 0), true);
  });

  it('leaves others unhurt by a flood from one address', () => {
    const limiter = new RateLimiter(seededEnvironment());
    for (let i = 0; i < 10_000; i++) allow(limiter, endpoint('192.0.2.1'), 0);
    for (let i = 2; i < 200; i++) assert.equal(allow(limiter, endpoint(`192.0.2.${i}`), 0), true);
  });

  it('gives each of 1,000 IPv4 addresses and 1,000 IPv6 networks a burst of its own', () => {
    const limiter = new RateLimiter(seededEnvironment());
    const networks = Array.from({ length: 1_000 }, (_, i) => endpoint(`2001:db8:${i.toString(16)}:7::1`));
    const senders = [...networks, ...Array.from({ length: 1_000 }, (_, i) => numbered(i))];
    for (let message = 1; message <= 6; message++)
      for (const [i, sender] of senders.entries())
        assert.equal(allow(limiter, sender, 0), message <= 5, `message ${message} of sender ${i}`);
  });

  it('looks at four bytes of an IPv4 record only', () => {
    const limiter = new RateLimiter(seededEnvironment());
    for (let i = 0; i < 5; i++) {
      const from = endpoint('192.0.2.1');
      from.words[3] = i;
      assert.equal(allow(limiter, from, 0), true);
    }
    assert.equal(allow(limiter, endpoint('192.0.2.1'), 0), false);
  });

  it('reads the record at the given word', () => {
    const limiter = new RateLimiter(seededEnvironment());
    const [first, second] = [endpoint('192.0.2.1'), endpoint('192.0.2.2')];
    const records = Int32Array.of(...first.words, ...second.words);
    for (let i = 0; i < 5; i++) limiter.allow(records, 11, 0);
    assert.equal(limiter.allow(second.words, 0, 0), false);
    assert.equal(limiter.allow(first.words, 0, 0), true);
  });

  it('refuses newcomers while its table is full of others, and has room again once they paused', () => {
    const limiter = new RateLimiter(seededEnvironment());
    let refused = 0;
    for (let i = 0; i < 100_000; i++) if (!allow(limiter, numbered(i), 0)) refused++;
    assert.ok(refused > 80_000, 'the table is bounded');
    assert.ok(refused < 90_000, 'and well used');
    for (let i = 200_000; i < 205_000; i++) allow(limiter, numbered(i), 250);
    assert.equal(allow(limiter, numbered(300_000), 500), true);
  });

  it('agrees with a bucket of five tokens per address, for any times', () => {
    const calls = fc.array(fc.tuple(fc.nat({ max: 120 }), fc.constantFrom('192.0.2.1', 'fd00::1')), {
      maxLength: 100,
      size: 'max',
    });
    fc.assert(
      fc.property(calls, (waits) => {
        const limiter = new RateLimiter(seededEnvironment());
        const buckets = new Map<string, Bucket>();
        let nowMs = 0;
        for (const [waitMs, ip] of waits) {
          nowMs += waitMs;
          if (!buckets.has(ip)) buckets.set(ip, new Bucket(nowMs));
          assert.equal(allow(limiter, endpoint(ip), nowMs), buckets.get(ip)!.take(nowMs), `${nowMs} ms`);
        }
      }),
    );
  });
});

/** The textbook: five tokens at most, one more every 50 ms. */
class Bucket {
  #tokens = 5;
  #atMs: number;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  take(nowMs: number): boolean {
    this.#tokens = Math.min(5, this.#tokens + (nowMs - this.#atMs) / 50);
    this.#atMs = nowMs;
    if (this.#tokens < 1 - 1e-9) return false;
    this.#tokens--;
    return true;
  }
}

function allow(limiter: RateLimiter, from: Endpoint, nowMs: number): boolean {
  return limiter.allow(from.words, 0, nowMs);
}

function numbered(index: number): Endpoint {
  return Endpoint.from(Uint8Array.of(10, index >> 16, index >> 8, index), 1);
}

function endpoint(ip: string, port = 51_820): Endpoint {
  return Endpoint.from(addressBytes(ip), port);
}

interface RateLimiterVectors {
  readonly steps_per_ip: readonly { readonly wait_ms: number; readonly allowed: boolean }[];
  readonly ips: readonly string[];
}
