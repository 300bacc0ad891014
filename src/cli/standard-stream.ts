import { closeSync, fstatSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { Duplex, type Writable } from 'node:stream';

const STDOUT = 1;

/**
 * Returns standard input and output as one stream. Its end closes standard output, so that the reader sees the end while input
 * goes on; a reader that is slow does not stop the process, as Node's own stream does.
 */
export function standardStream(): Duplex {
  return Duplex.from({ readable: process.stdin, writable: openOutput() });
}

function openOutput(): Writable {
  const output = fstatSync(STDOUT);
  if (!output.isFIFO() && !output.isSocket()) return process.stdout;
  const { Socket } = process.getBuiltinModule('node:net');
  return new Socket({ fd: STDOUT, readable: false, writable: true }).once('close', closeOutput);
}

/** Closes the descriptor, which libuv leaves open. Nothing else may get its number: late output would end there. */
function closeOutput(): void {
  closeSync(STDOUT);
  openSync(devNull, 'w');
}
