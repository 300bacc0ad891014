import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';

import { DeviceBody } from '../../src/server/operations/device-schemas.js';

describe('schema/gateway.json', () => {
  it('is the schema by which the server writes devices', () => {
    const { $schema, $id, title, ...schema } = JSON.parse(readFileSync('schema/gateway.json', 'utf8')) as Record<
      string,
      unknown
    >;
    const { $schema: _, ...own } = toJsonSchema(v.array(DeviceBody), { target: 'draft-2020-12' });
    assert.deepEqual(schema, JSON.parse(JSON.stringify(own)));
    assert.deepEqual(
      [typeof $schema, $id, title],
      ['string', 'gateway.json', 'Output of wiretype gateway list --json'],
    );
  });
});
