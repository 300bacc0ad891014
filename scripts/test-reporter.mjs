/**
 * The reporter of one part of the tests: the output of Node's `spec` reporter, without the counts at the end.
 *
 * The counts, and what failed in which file, go as JSON to the file that `TEST_COUNTS_FILE` names, so that `test.mjs` can
 * print one closing summary over all parts.
 */
import { writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';

const COUNT = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

/** Enough of an error to see what was expected and what came. */
const MAX_ERROR_CHARACTERS = 3_000;

export default async function* report(events) {
  const counts = {};
  const failures = [];
  yield* Readable.from(withoutCounts(events, counts, failures)).pipe(new spec());
  if (process.env.TEST_COUNTS_FILE !== undefined)
    writeFileSync(process.env.TEST_COUNTS_FILE, JSON.stringify({ ...counts, failures }));
}

async function* withoutCounts(events, counts, failures) {
  for await (const event of events) {
    if (event.type === 'test:fail' && event.data.details.error.failureType !== 'subtestsFailed')
      failures.push(failureOf(event.data));
    const match = event.type === 'test:diagnostic' && event.data.nesting === 0 ? COUNT.exec(event.data.message) : null;
    if (match === null) yield event;
    else counts[match[1]] = Number(match[2]);
  }
}

function failureOf({ name, file, details }) {
  const { cause, stack } = details.error;
  return { name, file, error: String(cause?.stack ?? cause ?? stack).slice(0, MAX_ERROR_CHARACTERS) };
}
