/** Errors of the gateway's store and of its declarative file, with the advice for each. */
export const STORE_ERRORS = {
  ERR_SQLITE_MISSING:
    'Use Node 22.13 or later, or run "npm install @photostructure/sqlite@1.2.1" beside wiretype on Node 20.',
  ERR_STORE_BUSY: 'Nothing was changed. Try again when the disk has caught up.',
  ERR_STORE_CLOSED: 'Nothing was changed. Open the store again.',
  ERR_STORE_DAMAGED: 'Nothing was changed. Restore the backup that the message names; the damaged file is kept aside.',
  ERR_STORE_FILE: 'Nothing was changed. Check the path, its owner and its permissions.',
  ERR_STORE_FULL: 'Nothing was changed. Free some space there, and try again.',
  ERR_STORE_IN_USE: 'One gateway at a time can use a folder: end the other one, or choose another folder.',
  ERR_STORE_NEWER: 'Install the version of wiretype that wrote the file, or a later one.',
  ERR_BACKUP: 'Nothing was changed. Choose another backup.',
  ERR_STATE_FILE: 'Nothing was changed. Correct the file at the place that the message names.',
} as const;

type Own = typeof STORE_ERRORS;

declare module '../core/errors.js' {
  interface ErrorCodes extends Record<keyof Own, string> {}
}
