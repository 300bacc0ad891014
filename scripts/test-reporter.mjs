/**
 * The reporter of one part of the tests: the output of Node's `spec` reporter, without the counts at the end.
 *
 * The counts, and the files in which a test failed, go as JSON to the file that `TEST_COUNTS_FILE` names, so that
 * `test.mjs` can print one closing summary over all parts.
 */
import { writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';

const COUNT = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

export default async function* report(events) {
  const counts = {};
  const failedFiles = new Set();
  yield* Readable.from(withoutCounts(events, counts, failedFiles)).pipe(new spec());
  if (process.env.TEST_COUNTS_FILE !== undefined)
    writeFileSync(process.env.TEST_COUNTS_FILE, JSON.stringify({ ...counts, failedFiles: [...failedFiles] }));
}

async function* withoutCounts(events, counts, failedFiles) {
  for await (const event of events) {
    if (event.type === 'test:fail' && event.data.file !== undefined) failedFiles.add(event.data.file);
    const match = event.type === 'test:diagnostic' && event.data.nesting === 0 ? COUNT.exec(event.data.message) : null;
    if (match === null) yield event;
    else counts[match[1]] = Number(match[2]);
  }
}
