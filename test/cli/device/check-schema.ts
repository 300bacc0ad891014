import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

type Schema = { readonly [keyword: string]: unknown };

/** The context for checking a keyword. */
interface Place {
  readonly value: unknown;
  readonly schema: Schema;
  readonly root: Schema;
  /** Path of the value, for messages. */
  readonly at: string;
}

/** Keywords that do not decide whether a value fits. */
const ANNOTATIONS = new Set(['$schema', '$id', '$defs', 'title', 'description', 'format']);

const KEYWORDS: Readonly<Record<string, (place: Place, rule: never) => void>> = {
  $ref: (place, rule: string) => check(place, definition(place.root, rule), place.value, place.at),
  anyOf: (place, rule: Schema[]) =>
    assert.ok(
      rule.some((schema) => fits(place, schema)),
      `${place.at} fits none`,
    ),
  type: ({ value, at }, rule: string | string[]) =>
    assert.ok(
      [rule].flat().some((type) => isOfType(value, type)),
      `${at} is not ${String(rule)}`,
    ),
  enum: ({ value, at }, rule: unknown[]) => assert.ok(rule.includes(value), `${at} is not one of ${String(rule)}`),
  pattern: ({ value, at }, rule: string) =>
    assert.ok(typeof value !== 'string' || new RegExp(rule, 'u').test(value), `${at} does not match ${rule}`),
  minimum: ({ value, at }, rule: number) => assert.ok(typeof value !== 'number' || value >= rule, `${at} is too small`),
  maximum: ({ value, at }, rule: number) => assert.ok(typeof value !== 'number' || value <= rule, `${at} is too large`),
  required({ value, at }, rule: string[]) {
    for (const name of rule) assert.ok(Object.hasOwn(members(value), name), `${at} has no ${name}`);
  },
  properties(place, rule: Record<string, Schema>) {
    for (const [name, member] of Object.entries(members(place.value))) {
      if (Object.hasOwn(rule, name)) check(place, rule[name]!, member, `${place.at}.${name}`);
    }
  },
  additionalProperties({ value, schema, at }) {
    const known = schema['properties'] as object;
    for (const name of Object.keys(members(value))) assert.ok(Object.hasOwn(known, name), `${at}.${name} is not known`);
  },
  items(place, rule: Schema) {
    const items = Array.isArray(place.value) ? place.value : [];
    for (const [i, item] of items.entries()) check(place, rule, item, `${place.at}[${i}]`);
  },
};

/**
 * Asserts that a value fits a schema of the package. Knows the keywords that those schemas use, and fails
 * for any other.
 */
export function assertFitsSchema(value: unknown, name: string): void {
  const root = JSON.parse(readFileSync(new URL(`../../../../schema/${name}`, import.meta.url), 'utf8')) as Schema;
  check({ value, schema: root, root, at: '$' }, root, value, '$');
}

function check(place: Place, schema: Schema, value: unknown, at: string): void {
  for (const [keyword, rule] of Object.entries(schema)) {
    if (ANNOTATIONS.has(keyword)) continue;
    assert.ok(Object.hasOwn(KEYWORDS, keyword), `the keyword ${keyword} is not known here`);
    KEYWORDS[keyword]!({ value, schema, root: place.root, at }, rule as never);
  }
}

function definition(root: Schema, reference: string): Schema {
  return (root['$defs'] as Record<string, Schema>)[reference.slice('#/$defs/'.length)]!;
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function fits(place: Place, schema: Schema): boolean {
  try {
    check(place, schema, place.value, place.at);
    return true;
  } catch (error) {
    if (error instanceof assert.AssertionError) return false;
    throw error;
  }
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isSafeInteger(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}
