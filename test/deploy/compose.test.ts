/** The services of Compose, in the checkout and in the documentation: the commands that they run read the variables that they set. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import { parse } from 'yaml';

import { COMMANDS } from '../../src/cli/command-table.js';
import { parseOptions } from '../../src/cli/device/command-options.js';
import { completeLine } from '../../src/cli/option-variables.js';

const Text = v.string();
const Service = v.object({
  image: v.literal('wiretype'),
  command: v.optional(v.pipe(Text, v.startsWith('wiretype '))),
  environment: v.record(v.pipe(Text, v.startsWith('WIRETYPE_')), Text),
  volumes: v.array(v.pipe(Text, v.regex(/^\.\/[a-z]+:\/[a-z/]+$/))),
  secrets: v.optional(v.array(Text), []),
  restart: v.picklist(['on-failure', 'unless-stopped']),
});
const Composition = v.object({
  services: v.record(Text, Service),
  secrets: v.optional(v.record(Text, v.strictObject({ file: Text })), {}),
});

describe('the services of Compose', () => {
  const blocks = [...readFileSync('docs/docker.md', 'utf8').matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1]!);
  const compositions = [readFileSync('compose.yaml', 'utf8'), ...blocks].map((text) =>
    v.parse(Composition, parse(text)),
  );

  it('set variables that their commands read', async () => {
    const services = compositions.flatMap((composition) => Object.values(composition.services));
    const commands = services.flatMap(({ command, environment }) =>
      command === undefined ? [] : [{ words: command.split(' ').slice(1), environment }],
    );
    assert.equal(commands.length, 1);
    for (const { words, environment } of commands) {
      const [name, ...args] = words;
      const { manual } = await COMMANDS.find((entry) => entry.name === name)!.load();
      const { WIRETYPE_INVITATION_FILE: invitation, ...others } = environment;
      assert.ok(invitation?.startsWith('/run/secrets/'));
      const line = completeLine(args, manual, others);
      assert.equal(line.args.length - args.length, Object.keys(others).length);
      parseOptions(line.args, manual.options, [1, 2]);
    }
  });

  it('use secrets that are there', () => {
    for (const { services, secrets } of compositions) {
      const used = Object.values(services).flatMap((service) => service.secrets);
      assert.deepEqual(used.sort(), Object.keys(secrets).sort());
    }
  });

  it('start the server of the checkout by variables that its script reads', () => {
    const script = readFileSync('docker/entrypoint.sh', 'utf8');
    for (const name of Object.keys(compositions[0]!.services['wiretype']!.environment))
      assert.ok(script.includes(name));
  });
});
