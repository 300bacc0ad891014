import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { snapshotDifferences, takeSnapshot } from './object-snapshot.js';

class Inner {
  readonly #bytes = new Uint8Array(100);
  readonly #byName = new Map([['a', { count: 1 }]]);
  readonly parent: Outer;

  constructor(parent: Outer) {
    this.parent = parent;
  }

  change(): void {
    this.#bytes[99]!++;
    this.#byName.get('a')!.count++;
  }
}

class Outer {
  #at = Infinity;
  readonly #inner = new Inner(this);
  scratch = 0;

  change(): void {
    this.#at = Math.min(this.#at, 5);
    this.#inner.change();
  }
}

describe('takeSnapshot', () => {
  it('gives the same for an object that did not change, circles included', () => {
    const object = new Outer();
    assert.deepEqual(snapshotDifferences(takeSnapshot(object), takeSnapshot(object)), []);
  });

  it('sees changes of private fields, at any depth, in arrays and in maps', () => {
    const object = new Outer();
    const before = takeSnapshot(object);
    object.change();
    const changed = snapshotDifferences(before, takeSnapshot(object)).map((line) => line.split(':')[0]);
    assert.deepEqual(changed.sort(), ['.#at', '.#inner.#byName[0].count', '.#inner.#bytes'].sort());
  });

  it('leaves out what it is told to', () => {
    const object = new Outer();
    const before = takeSnapshot(object, [/\.scratch$/]);
    object.scratch = 9;
    assert.deepEqual(snapshotDifferences(before, takeSnapshot(object, [/\.scratch$/])), []);
  });
});
