/** The manifests of deploy/kubernetes: what the API would refuse, and what nobody should run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import { parse, parseAllDocuments } from 'yaml';

import { parseOptions } from '../../src/cli/device/command-options.js';
import { completeLine } from '../../src/cli/option-variables.js';

const FOLDER = 'deploy/kubernetes';
/** The key under which `wiretype mesh export --format k8s-secret` has the invitation. */
const SECRET_KEY = 'invitation';
const Text = v.string();
const Labels = v.record(Text, Text);
const Metadata = v.strictObject({ name: v.pipe(Text, v.regex(/^[a-z0-9-]{1,63}$/)), labels: v.optional(Labels) });
const PortName = v.pipe(Text, v.regex(/^[a-z][a-z0-9-]{0,14}$/));
const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const Protocol = v.picklist(['TCP', 'UDP']);

const Seconds = v.pipe(v.number(), v.integer(), v.minValue(1));
const Probe = v.strictObject({
  httpGet: v.strictObject({
    host: v.optional(Text),
    path: Text,
    port: Text,
  }),
  periodSeconds: v.optional(Seconds),
  failureThreshold: v.optional(Seconds),
});

const Container = v.strictObject({
  name: Text,
  image: Text,
  command: v.array(Text),
  args: v.optional(v.array(Text)),
  env: v.optional(
    v.array(
      v.union([
        v.strictObject({ name: Text, value: Text }),
        v.strictObject({
          name: Text,
          valueFrom: v.strictObject({ fieldRef: v.strictObject({ fieldPath: v.literal('spec.nodeName') }) }),
        }),
      ]),
    ),
    [],
  ),
  ports: v.optional(
    v.array(
      v.strictObject({
        name: PortName,
        containerPort: Port,
        hostPort: v.optional(Port),
        hostIP: v.optional(Text),
        protocol: Protocol,
      }),
    ),
    [],
  ),
  startupProbe: v.optional(Probe),
  readinessProbe: v.optional(Probe),
  livenessProbe: v.optional(Probe),
  lifecycle: v.optional(
    v.strictObject({ preStop: v.strictObject({ exec: v.strictObject({ command: v.array(Text) }) }) }),
  ),
  securityContext: v.strictObject({
    allowPrivilegeEscalation: v.literal(false),
    readOnlyRootFilesystem: v.literal(true),
    capabilities: v.strictObject({ drop: v.tuple([v.literal('ALL')]), add: v.optional(v.array(Text)) }),
  }),
  resources: v.strictObject({
    requests: v.strictObject({ cpu: Text, memory: Text }),
    limits: v.strictObject({ memory: Text }),
  }),
  volumeMounts: v.optional(
    v.array(v.strictObject({ name: Text, mountPath: Text, readOnly: v.optional(v.boolean()) })),
    [],
  ),
});

const Pod = v.strictObject({
  metadata: v.strictObject({ labels: Labels }),
  spec: v.strictObject({
    automountServiceAccountToken: v.literal(false),
    enableServiceLinks: v.literal(false),
    hostNetwork: v.optional(v.literal(true)),
    dnsPolicy: v.optional(v.literal('ClusterFirstWithHostNet')),
    securityContext: v.strictObject({
      runAsNonRoot: v.optional(v.literal(true)),
      runAsUser: v.number(),
      runAsGroup: v.number(),
      fsGroup: v.optional(v.number()),
      fsGroupChangePolicy: v.optional(v.literal('OnRootMismatch')),
      seccompProfile: v.strictObject({ type: v.literal('RuntimeDefault') }),
    }),
    containers: v.array(Container),
    volumes: v.array(
      v.strictObject({
        name: Text,
        emptyDir: v.optional(v.strictObject({ medium: v.optional(v.literal('Memory')) })),
        secret: v.optional(v.strictObject({ secretName: Text, defaultMode: v.number() })),
        hostPath: v.optional(
          v.strictObject({ path: Text, type: v.picklist(['CharDevice', 'Directory', 'DirectoryOrCreate']) }),
        ),
      }),
    ),
  }),
});
const Selector = v.strictObject({ matchLabels: Labels });

const Manifest = v.variant('kind', [
  v.strictObject({
    apiVersion: v.literal('apps/v1'),
    kind: v.literal('StatefulSet'),
    metadata: Metadata,
    spec: v.strictObject({
      serviceName: Text,
      replicas: v.literal(1),
      selector: Selector,
      template: Pod,
      volumeClaimTemplates: v.array(
        v.strictObject({
          metadata: Metadata,
          spec: v.strictObject({
            accessModes: v.array(v.literal('ReadWriteOnce')),
            resources: v.strictObject({ requests: v.strictObject({ storage: Text }) }),
          }),
        }),
      ),
    }),
  }),
  v.strictObject({
    apiVersion: v.literal('apps/v1'),
    kind: v.literal('Deployment'),
    metadata: Metadata,
    spec: v.strictObject({ replicas: v.number(), selector: Selector, template: Pod }),
  }),
  v.strictObject({
    apiVersion: v.literal('apps/v1'),
    kind: v.literal('DaemonSet'),
    metadata: Metadata,
    spec: v.strictObject({ selector: Selector, template: Pod }),
  }),
  v.strictObject({
    apiVersion: v.literal('v1'),
    kind: v.literal('Service'),
    metadata: Metadata,
    spec: v.strictObject({
      type: v.optional(v.literal('LoadBalancer')),
      externalTrafficPolicy: v.optional(v.literal('Local')),
      selector: Labels,
      ports: v.array(v.strictObject({ name: PortName, port: Port, targetPort: PortName, protocol: Protocol })),
    }),
  }),
]);
type Manifest = v.InferOutput<typeof Manifest>;

describe('The manifests for Kubernetes', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
  // Kubernetes reads YAML 1.1, where 0440 is octal.
  const documents = files.flatMap((name) => parseAllDocuments(read(name), { version: '1.1' }));
  const manifests = documents.map((document): Manifest => v.parse(Manifest, document.toJS()));
  const workloads = manifests.filter((manifest) => manifest.kind !== 'Service');

  it('are all in the kustomization, and what needs root is there to be switched on', () => {
    const text = read('kustomization.yaml');
    const { resources } = parse(text) as { resources: string[] };
    const offered = [...text.matchAll(/^ {2}# - (.*)$/gm)].map((match) => match[1]!);

    assert.deepEqual([...resources, ...offered].sort(), files.sort());
    assert.deepEqual(offered, ['daemonset.yaml']);
  });

  it('need no root and no capability, but for the one that makes an interface', () => {
    for (const { kind, spec } of workloads) {
      const { containers, hostNetwork, securityContext } = spec.template.spec;
      const capabilities = containers.flatMap((container) => container.securityContext.capabilities.add ?? []);

      const isForMachines = kind === 'DaemonSet';
      assert.deepEqual(capabilities, isForMachines ? ['NET_ADMIN'] : []);
      assert.equal(securityContext.runAsNonRoot, isForMachines ? undefined : true);
      assert.equal(securityContext.runAsUser === 0, isForMachines);
      assert.equal(hostNetwork, isForMachines ? true : undefined);
    }
  });

  it('take nothing of a machine but its TUN and a folder for its keys', () => {
    const paths = workloads.flatMap(({ kind, spec }) =>
      spec.template.spec.volumes.flatMap(({ hostPath }) => (hostPath === undefined ? [] : [[kind, hostPath.path]])),
    );

    assert.deepEqual(paths, [
      ['DaemonSet', '/var/lib/wiretype/mesh/home'],
      ['DaemonSet', '/dev/net/tun'],
    ]);
  });

  it('never open the keys on a volume to a group: the hub refuses a signing key that others may read', () => {
    const [hub] = workloads.filter(({ kind }) => kind === 'StatefulSet');

    assert.equal(hub?.spec.template.spec.securityContext.fsGroupChangePolicy, 'OnRootMismatch');
  });

  it('select the pods that they make, and no others, and lead services to ports that are there', () => {
    for (const { spec } of workloads) assert.deepEqual(spec.template.metadata.labels, spec.selector.matchLabels);
    assert.equal(new Set(workloads.map(({ spec }) => JSON.stringify(spec.selector))).size, workloads.length);
    for (const manifest of manifests) {
      if (manifest.kind !== 'Service') continue;
      const { selector, ports } = manifest.spec;
      const target = workloads.find(({ spec }) => isSame(spec.selector.matchLabels, selector))!;
      const open = target.spec.template.spec.containers.flatMap((container) => container.ports);
      for (const { targetPort, protocol } of ports)
        assert.ok(
          open.some(({ name, protocol: own }) => name === targetPort && own === protocol),
          targetPort,
        );
    }
  });

  it('name a service that is there as that of a set', () => {
    const services = manifests.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name);
    for (const manifest of workloads)
      if (manifest.kind === 'StatefulSet') assert.ok(services.includes(manifest.spec.serviceName));
  });

  it('mount volumes that are there, and probe ports that are open', () => {
    for (const manifest of workloads) {
      const { containers, volumes } = manifest.spec.template.spec;
      const claims =
        manifest.kind === 'StatefulSet' ? manifest.spec.volumeClaimTemplates.map(({ metadata }) => metadata.name) : [];
      const names = [...volumes.map(({ name }) => name), ...claims];
      const mounted = containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name));
      assert.deepEqual([...new Set(mounted)].sort(), names.sort());
      for (const { startupProbe, readinessProbe, livenessProbe, ports } of containers)
        for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
          const port = probe?.httpGet.port;
          assert.ok(port === undefined || ports.some(({ name }) => name === port), port);
        }
    }
  });

  it('listen on the ports that they open', () => {
    for (const { spec } of workloads)
      for (const { env, ports, readinessProbe } of spec.template.spec.containers)
        for (const { name, containerPort } of ports) {
          if (name !== readinessProbe?.httpGet.port) continue;
          const places = env.filter((each) => ['WIRETYPE_PAGE', 'WIRETYPE_HEALTH'].includes(each.name));
          assert.deepEqual(
            places.map((each) => 'value' in each && each.value.replace(/^[\d.]+:/, '')),
            [String(containerPort)],
          );
        }
  });

  it('start nothing again for what is wrong outside of its pod, and give it time to begin', () => {
    for (const { spec } of workloads)
      for (const { livenessProbe, startupProbe, readinessProbe } of spec.template.spec.containers) {
        assert.equal(livenessProbe?.httpGet.path, readinessProbe && '/livez');
        assert.equal(startupProbe?.httpGet.path, livenessProbe?.httpGet.path);
        assert.ok(startupProbe === undefined || startupProbe.periodSeconds! * startupProbe.failureThreshold! >= 60);
      }
  });

  it('set variables that the programs read', async () => {
    const { mesh } = await import('../../src/cli/mesh/mesh-command.js');
    const { hub } = await import('../../src/cli/mesh/hub-command.js');
    for (const { kind, spec } of workloads)
      for (const { image, env } of spec.template.spec.containers) {
        if (!image.startsWith('wiretype')) continue;
        const command = kind === 'StatefulSet' ? hub : mesh;
        const entries = env.map((each): [string, string] => [each.name, 'value' in each ? each.value : 'machine']);
        const environment = Object.fromEntries(entries.filter(([name]) => name !== 'WIRETYPE_INVITATION_FILE'));
        const { args } = completeLine([], command.manual, environment);
        assert.equal(args.length, Object.keys(environment).length, `${args}`);
        parseOptions(args, command.manual.options, [0, 0]);
      }
  });

  it('read the key of a Secret that export writes, from one that the guide makes', () => {
    for (const { spec } of workloads) {
      const { containers, volumes } = spec.template.spec;
      for (const { name, secret } of volumes) {
        if (secret === undefined) continue;
        const mount = containers.flatMap(({ volumeMounts }) => volumeMounts).find((each) => each.name === name)!;
        const files = containers.flatMap(({ env }) => env.filter((each) => each.name === 'WIRETYPE_INVITATION_FILE'));
        assert.deepEqual(files, [{ name: 'WIRETYPE_INVITATION_FILE', value: `${mount.mountPath}/${SECRET_KEY}` }]);
        assert.equal(secret.defaultMode & 0o007, 0);
        assert.ok(read('README.md').includes(`\`${secret.secretName}\``), secret.secretName);
      }
    }
    assert.ok(read('README.md').includes(`\`${SECRET_KEY}\``));
  });

  it('call commands and options that exist', async () => {
    const { mesh } = await import('../../src/cli/mesh/mesh-command.js');
    const { hub } = await import('../../src/cli/mesh/hub-command.js');
    const text = [...files, 'README.md']
      .map(read)
      .join('\n')
      .replaceAll(/kubectl exec [^\n]*? -- /g, '');
    for (const [, option] of text.matchAll(/[ [,`]--([a-z-]+)/g)) {
      const isKnown = option! in mesh.manual.options || option! in hub.manual.options;
      assert.ok(isKnown, `--${option}`);
    }
  });

  it('run scripts that a shell can read', () => {
    const scripts = workloads.flatMap(({ spec }) =>
      spec.template.spec.containers.flatMap(({ command, args = [] }) => (command[1] === '-c' ? args : [])),
    );

    assert.equal(scripts.length, 1);
    for (const script of scripts) execFileSync('sh', ['-n'], { input: script });
  });
});

function read(name: string): string {
  return readFileSync(`${FOLDER}/${name}`, 'utf8');
}

function isSame(a: Record<string, string>, b: Record<string, string>): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
}
