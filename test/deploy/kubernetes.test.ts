/** The manifests of deploy/kubernetes: what the API would refuse, and what nobody should run. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import { parse, parseAllDocuments } from 'yaml';

const FOLDER = 'deploy/kubernetes';
const Text = v.string();
const Labels = v.record(Text, Text);
const Metadata = v.strictObject({ name: v.pipe(Text, v.regex(/^[a-z0-9-]{1,63}$/)), labels: v.optional(Labels) });
const PortName = v.pipe(Text, v.regex(/^[a-z][a-z0-9-]{0,14}$/));
const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const Protocol = v.picklist(['TCP', 'UDP']);

const Container = v.strictObject({
  name: Text,
  image: Text,
  command: v.array(Text),
  args: v.optional(v.array(Text)),
  env: v.optional(v.array(v.strictObject({ name: Text, value: Text }))),
  ports: v.optional(v.array(v.strictObject({ name: PortName, containerPort: Port, protocol: Protocol })), []),
  readinessProbe: v.optional(
    v.strictObject({
      httpGet: v.strictObject({
        path: Text,
        port: Text,
        httpHeaders: v.optional(v.array(v.strictObject({ name: Text, value: Text }))),
      }),
    }),
  ),
  securityContext: v.strictObject({
    allowPrivilegeEscalation: v.literal(false),
    readOnlyRootFilesystem: v.literal(true),
    capabilities: v.strictObject({ drop: v.tuple([v.literal('ALL')]) }),
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
    securityContext: v.strictObject({
      runAsNonRoot: v.literal(true),
      runAsUser: v.number(),
      runAsGroup: v.number(),
      fsGroup: v.number(),
      seccompProfile: v.strictObject({ type: v.literal('RuntimeDefault') }),
    }),
    containers: v.array(Container),
    volumes: v.array(
      v.strictObject({
        name: Text,
        emptyDir: v.optional(v.strictObject({ medium: v.optional(v.literal('Memory')) })),
        secret: v.optional(v.strictObject({ secretName: Text, defaultMode: v.number() })),
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
  const manifests = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
    .flatMap((name) => parseAllDocuments(readFileSync(`${FOLDER}/${name}`, 'utf8')).map((document) => document.toJS()))
    .map((manifest: unknown): Manifest => v.parse(Manifest, manifest));
  const workloads = manifests.filter((manifest) => manifest.kind !== 'Service');

  it('are all in the kustomization', () => {
    const { resources } = parse(readFileSync(`${FOLDER}/kustomization.yaml`, 'utf8')) as { resources: string[] };
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
    assert.deepEqual([...resources].sort(), files.sort());
  });

  it('select the pods that they make, and lead services to ports that are there', () => {
    for (const { spec } of workloads) assert.deepEqual(spec.template.metadata.labels, spec.selector.matchLabels);
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

  it('mount volumes that are there, and probe ports that are open', () => {
    for (const manifest of workloads) {
      const { containers, volumes } = manifest.spec.template.spec;
      const claims =
        manifest.kind === 'StatefulSet' ? manifest.spec.volumeClaimTemplates.map(({ metadata }) => metadata.name) : [];
      const names = [...volumes.map(({ name }) => name), ...claims];
      for (const { volumeMounts, readinessProbe, ports } of containers) {
        for (const { name } of volumeMounts) assert.ok(names.includes(name), name);
        const port = readinessProbe?.httpGet.port;
        assert.ok(port === undefined || ports.some(({ name }) => name === port), port);
      }
    }
  });

  it('call commands and options that exist', async () => {
    const { mesh } = await import('../../src/cli/mesh/mesh-command.js');
    const { hub } = await import('../../src/cli/mesh/hub-command.js');
    const text = readdirSync(FOLDER)
      .map((name) => readFileSync(`${FOLDER}/${name}`, 'utf8'))
      .join('\n');
    for (const [, option] of text.matchAll(/[ [,]--([a-z-]+)/g)) {
      const isKnown = option! in mesh.manual.options || option! in hub.manual.options;
      assert.ok(isKnown, `--${option}`);
    }
  });
});

function isSame(a: Record<string, string>, b: Record<string, string>): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
}
