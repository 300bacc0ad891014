import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';

import { COMMANDS } from '../../src/cli/command-table.js';
import { parseOptions } from '../../src/cli/device/command-options.js';
import type { Manual } from '../../src/cli/manual.js';
import { completeLine, splitValues } from '../../src/cli/option-variables.js';
import { variableOf } from '../../src/cli/variable.js';
import { WireGuardError } from '../../src/core/errors.js';

const OPTIONS = {
  port: { type: 'string', short: 'p', about: 'a port' },
  'host-name': { type: 'string', multiple: true, about: 'names' },
  rule: { type: 'string', multiple: true, hasSpaces: true, about: 'rules' },
  rootless: { type: 'boolean', about: 'a flag' },
  key: { type: 'string', kinds: ['file'], about: 'a file' },
  'password-file': { type: 'string', kinds: ['file'], about: 'a file' },
  state: { type: 'string', about: 'a folder' },
  tag: { type: 'string', about: 'of another action' },
} as const;
const MANUAL: Manual = {
  usage: '',
  about: '',
  words: [],
  options: OPTIONS,
  settings: {
    actions: ['run', 'init'],
    options: ['port', 'host-name', 'rule', 'rootless', 'key', 'password-file'],
    always: ['state'],
  },
  examples: [],
};

type Environment = Record<string, string>;

/** Reads a line as a command does. */
function read(args: readonly string[], environment: Environment) {
  const { values, positionals } = parseOptions(completeLine(args, MANUAL, environment).args, OPTIONS, [0, 9]);
  return { ...values, positionals };
}

describe('options of the environment', () => {
  it('are the options of the command line', () => {
    assert.deepEqual(read(['run'], { WIRETYPE_PORT: '-1', WIRETYPE_HOST_NAME: 'a, b\nc', WIRETYPE_ROOTLESS: 'Yes' }), {
      port: '-1',
      'host-name': ['a', 'b', 'c'],
      rootless: true,
      positionals: ['run'],
    });
  });

  it('are left to the command line, each by itself, and are not read then', () => {
    const environment = { WIRETYPE_PORT: '1', WIRETYPE_HOST_NAME: 'a', WIRETYPE_ROOTLESS: 'nonsense' };
    for (const line of [['--port', '2'], ['--port=2'], ['-p', '2'], ['-p2']])
      assert.deepEqual(
        { ...read([...line, '--rootless'], environment) },
        { port: '2', 'host-name': ['a'], rootless: true, positionals: [] },
      );
    assert.deepEqual(read(['--host-name', 'b', '--rootless'], environment)['host-name'], ['b']);
  });

  it('leave alone what stands behind "--"', () => {
    assert.deepEqual(read(['run', '--', '--port', '2'], { WIRETYPE_PORT: '1' }), {
      port: '1',
      positionals: ['run', '--port', '2'],
    });
  });

  it('are for the actions that run until they are stopped, but for those that every action needs', () => {
    const environment = { WIRETYPE_PORT: '1', WIRETYPE_STATE: '/state', WIRETYPE_TAG: 'x' };

    for (const line of [[], ['run'], ['init', 'home']]) assert.equal(read(line, environment).port, '1');
    assert.deepEqual(read(['invite'], environment), { state: '/state', positionals: ['invite'] });
    assert.equal(read(['run'], environment).tag, undefined);
  });

  it('count as not given when they are empty', () => {
    const environment = { WIRETYPE_PORT: '', WIRETYPE_HOST_NAME: '', WIRETYPE_ROOTLESS: '', WIRETYPE_PORT_FILE: '' };
    assert.deepEqual(read([], environment), { positionals: [] });
  });

  it('are flags by few words alone', () => {
    for (const word of ['1', 'true', 'yes', 'TRUE']) assert.equal(read([], { WIRETYPE_ROOTLESS: word }).rootless, true);
    for (const word of ['0', 'false', 'no']) assert.equal(read([], { WIRETYPE_ROOTLESS: word }).rootless, undefined);
    assert.throws(() => read([], { WIRETYPE_ROOTLESS: 'on' }), {
      code: 'ERR_VARIABLE',
      message: 'WIRETYPE_ROOTLESS: a flag is 1, true or yes, or else 0, false or no',
    });
  });

  it('name the file itself where the option takes a file', () => {
    for (const name of ['WIRETYPE_KEY', 'WIRETYPE_KEY_FILE']) assert.equal(read([], { [name]: '/none' }).key, '/none');
    assert.equal(read([], { WIRETYPE_PASSWORD_FILE: '/none' })['password-file'], '/none');
    assert.equal(read([], { WIRETYPE_PASSWORD: 'secret' })['password-file'], undefined);
    for (const name of ['WIRETYPE_KEY', 'WIRETYPE_PASSWORD'])
      assert.throws(() => read([], { [name]: 'secret', [`${name}_FILE`]: '/none' }), {
        code: 'ERR_VARIABLE',
        message: `${name} and ${name}_FILE are both set: only one of them can be`,
      });
  });

  it('say what Kubernetes tells of a Service with the name of the variable', () => {
    for (const link of ['tcp://10.96.0.7:8080', 'udp://[fd00::7]:51820'])
      assert.throws(() => read([], { WIRETYPE_PORT: link }), {
        code: 'ERR_VARIABLE',
        message: /^WIRETYPE_PORT: .* Kubernetes says of a Service .*enableServiceLinks: false/,
      });
    assert.equal(read(['--port', '1'], { WIRETYPE_PORT: 'tcp://10.96.0.7:8080' }).port, '1');
  });

  it('are separated by commas and white space, and by commas and ends of lines where values have spaces', () => {
    const separator = fc.stringMatching(/^(?:[ \t\r\n]*,[ \t\r\n]*|[ \t\r\n]+)$/);
    const word = fc.stringMatching(/^[^,\s]+$/);
    const rule = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '));
    const joined = (values: fc.Arbitrary<string>, between: fc.Arbitrary<string>) =>
      fc.array(fc.tuple(values, between)).map((pairs) => ({
        values: pairs.map(([value]) => value),
        text: pairs.flat().join(''),
      }));
    fc.assert(
      fc.property(joined(word, separator), ({ values, text }) => {
        assert.deepEqual(splitValues(text), values);
        if (text.trim() !== '') assert.deepEqual(read([], { WIRETYPE_HOST_NAME: text })['host-name'], values);
      }),
    );
    fc.assert(
      fc.property(joined(rule, fc.constantFrom(',', '\n', ' ,\r\n ')), ({ values, text }) =>
        assert.deepEqual(splitValues(text, true), values),
      ),
    );
  });

  it('have the value that the command line would give, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        assert.equal(read([], { WIRETYPE_STATE: text }).state, read([`--state=${text}`], {}).state);
      }),
    );
  });
});

describe('an error about an option of the environment', () => {
  const explain = (message: string, environment: Environment): string =>
    completeLine([], MANUAL, environment).explain(new WireGuardError('ERR_VALUE', message)).message;

  it('names the variable, and never repeats the value', () => {
    const environment = { WIRETYPE_PORT: 'x: y', WIRETYPE_HOST_NAME: 'a,b' };
    assert.equal(explain('--port x: y: a port is expected', environment), 'WIRETYPE_PORT: a port is expected');
    assert.equal(explain('-p "x: y": a port is expected', environment), 'WIRETYPE_PORT: a port is expected');
    assert.equal(explain('--host-name b: no name', environment), 'WIRETYPE_HOST_NAME, value 2: no name');
    assert.equal(explain('--port and --key belong together', environment), 'WIRETYPE_PORT and --key belong together');
  });

  it('names the file as well', () => {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-variable-'));
    try {
      const path = join(folder, 'port');
      writeFileSync(path, 'x\n');
      const message = explain('--port x: a port is expected', { WIRETYPE_PORT_FILE: path });
      assert.equal(message, `WIRETYPE_PORT_FILE (${path}): a port is expected`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('stays as it is where the command line gave the option, or another option is meant', () => {
    for (const message of ['--port-range x: wrong', '--key x: wrong', 'a--port: wrong'])
      assert.equal(explain(message, { WIRETYPE_PORT: 'x' }), message);
  });
});

describe('the variables of the commands', () => {
  /** The variables that the sources read, but for one that a daemon gets from `wiretype up` and that no service sees. */
  const others = new Set(
    readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => readFileSync(`src/${name}`, 'utf8').match(/(?<=['"])WIRETYPE_[A-Z_]+(?==?\w*['"])/g) ?? [])
      .filter((name) => name !== 'WIRETYPE_CONFIG_FILE' && !name.startsWith('WIRETYPE_OPTION')),
  );

  for (const { name, load } of COMMANDS)
    it(`of ${name} belong to options that it has, and mean nothing else`, async () => {
      const { options, settings } = (await load()).manual;
      assert.ok(others.has('WIRETYPE_PROXY_PASSWORD') && others.has('WIRETYPE_IMPLEMENTATION'));
      for (const option of [...(settings?.options ?? []), ...(settings?.always ?? [])]) {
        assert.ok(option in options, option);
        for (const variable of [variableOf(option), `${variableOf(option)}_FILE`])
          assert.ok(!others.has(variable), variable);
      }
    });

  it('are those of the commands that run until they are stopped', async () => {
    const commands = await Promise.all(COMMANDS.map(async ({ load }) => await load()));
    const names = commands.filter(({ manual }) => manual.settings !== undefined).map(({ name }) => name);
    assert.deepEqual(names.sort(), ['carry', 'gateway', 'hub', 'mesh', 'proxy']);
  });
});
