/** The hub's interface: invitations, enrolment from the lobby alone, stock nodes, routes, signatures. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { formatKey } from '../../src/control/key-text.js';
import type { MeshHub } from '../../src/mesh/hub/mesh-hub.js';
import { parseInvitation } from '../../src/mesh/records/invitation-text.js';
import { labHub } from './lab-hub.js';
import { ServerLab } from './server-lab.js';

const TIME_LIMIT = { timeout: 60_000 };
let lab: ServerLab;
let hub: MeshHub;
let owner: { cookie: string };

before(async () => {
  hub = labHub();
  lab = await ServerLab.open(undefined, { hub });
  owner = await lab.setUp();
}, TIME_LIMIT);

after(async () => {
  await hub.close();
  await lab[Symbol.asyncDispose]();
});

describe('The interface of a hub', () => {
  it('makes invitations whose text is shown once, and withdraws them', TIME_LIMIT, async () => {
    const { status, body } = await lab.call('POST', '/mesh/invitations', { name: 'laptop', tags: ['web'] }, owner);
    assert.equal(status, 201);
    const { id, network, hubAddress } = parseInvitation(body.text);
    assert.deepEqual([id, network, hubAddress], [body.id, 'home', 'fd77::1']);
    const listed = (await lab.call('GET', '/mesh/invitations', undefined, owner)).body.invitations;
    assert.equal(JSON.stringify(listed).includes('wiretype-invite'), false);
    assert.deepEqual(
      listed.map((each: { usesLeft: number }) => each.usesLeft),
      [1],
    );
    assert.equal((await lab.call('DELETE', `/mesh/invitations/${id}`, undefined, owner)).status, 204);
    assert.equal((await lab.call('DELETE', `/mesh/invitations/${id}`, undefined, owner)).status, 404);
  });

  it('lets several hosts use an invitation only if their nodes are ephemeral', TIME_LIMIT, async () => {
    const refused = await lab.call('POST', '/mesh/invitations', { uses: 5 }, owner);
    assert.deepEqual([refused.status, refused.body.code], [422, 'ERR_VALUE']);
    assert.equal((await lab.call('POST', '/mesh/invitations', { uses: 5, ephemeralMinutes: 10 }, owner)).status, 201);
  });

  it('enrols nobody from outside, and nobody without a right makes invitations', TIME_LIMIT, async () => {
    const request = { id: 'abcdef012345', name: 'x', publicKey: key(1), identityKey: key(2), keyProof: key(3) };
    const proofs = { identityProof: `${'A'.repeat(86)}==`, keySignature: `${'A'.repeat(86)}==` };
    const { status, body } = await lab.call('POST', '/mesh/enrol', { ...request, ...proofs }, owner);
    assert.deepEqual([status, body.code], [403, 'ERR_SCOPE']);
    const viewer = await lab.invite(owner, 'vera', 'viewer');
    assert.equal((await lab.call('POST', '/mesh/invitations', {}, viewer)).status, 403);
    assert.equal((await lab.call('POST', '/mesh/invitations', {})).status, 401);
  });

  it('has a stock node listen at the port where it can be reached', TIME_LIMIT, async () => {
    const rack = { name: 'rack', publicKey: key(13), peers: [], endpoint: '[2001:db8::7]:51999' };
    const { body } = await lab.call('POST', '/mesh/nodes', rack, owner);
    assert.match(body.file, /^ListenPort = 51999$/m);
    await lab.call('DELETE', `/devices/${body.node.id}`, undefined, owner);
  });

  it('adds a stock node with a file whose peers are all at the hub, and issues it again', TIME_LIMIT, async () => {
    const added = await lab.call('POST', '/mesh/nodes', { name: 'phone', publicKey: key(11), peers: [] }, owner);
    assert.equal(added.status, 201);
    assert.match(added.body.file, /PrivateKey = \n/);
    assert.doesNotMatch(added.body.file, /ListenPort/);
    assert.match(added.body.file, /AllowedIPs = 10\.77\.0\.0\/24, fd77::\/64\nEndpoint = vpn\.example\.net/);
    assert.deepEqual([added.body.node.kind, added.body.node.state], ['stock', 'away']);
    const again = await lab.call('POST', `/mesh/nodes/${added.body.node.id}/file`, { publicKey: key(12) }, owner);
    assert.equal(again.status, 200);
    const { body } = await lab.call('GET', '/mesh', undefined, owner);
    assert.deepEqual(
      body.nodes.map(({ name }: { name: string }) => name),
      ['phone'],
    );
    const only = async (node: string) => (await lab.call('GET', `/mesh?node=${node}`, undefined, owner)).body.nodes;
    assert.deepEqual(await only('PHONE'), body.nodes, 'a name is the same in any case');
    assert.deepEqual(await only(body.nodes[0].id), body.nodes);
    assert.deepEqual(await only('tablet'), []);
    const { notAfterUnixMs } = body.nodes[0];
    assert.ok(notAfterUnixMs > Date.now() + 6 * 86_400_000, 'its record is signed for a week');
  });

  it('makes stock nodes known to each other, and says what the other file lacks', TIME_LIMIT, async () => {
    const [one] = (await lab.call('GET', '/mesh', undefined, owner)).body.nodes;
    const request = { name: 'tablet', publicKey: key(14), with: [one.id] };
    const refused = await lab.call('POST', '/mesh/nodes', request, owner);
    assert.match(refused.body.detail, /^with: the rules let neither reach the other; allow it to or from phone first$/);
    const switches = { internet: true, lan: false, devices: true };
    await lab.call('PATCH', `/devices/${one.id}`, { switches }, owner);
    const { status, body } = await lab.call('POST', '/mesh/nodes', request, owner);
    assert.equal(status, 201);
    assert.match(body.file, new RegExp(`# phone\\n\\[Peer\\]\\nPublicKey = ${one.publicKey.replace(/\+/g, '\\+')}`));
    const [{ name, section }] = body.introductions;
    assert.deepEqual(
      [name, section.split('\n').slice(0, 3)],
      ['phone', ['# tablet', '[Peer]', `PublicKey = ${key(14)}`]],
    );

    const again = await lab.call('POST', `/mesh/nodes/${one.id}/file`, { publicKey: key(15) }, owner);
    assert.match(again.body.file, /# tablet\n\[Peer\]/, 'a new file keeps whom it knows');
    const [told] = again.body.introductions;
    assert.equal(told.name, 'tablet');
    assert.ok(told.section.includes(`PublicKey = ${key(15)}`), 'others need the new key');
    await lab.call('DELETE', `/devices/${body.node.id}`, undefined, owner);
  });

  it('makes no stock node known to one that is not there', TIME_LIMIT, async () => {
    const request = { name: 'tablet', publicKey: key(16), with: ['nobody'] };
    const { status, body } = await lab.call('POST', '/mesh/nodes', request, owner);
    assert.deepEqual([status, body.detail], [404, 'with: there is no node nobody']);
  });

  it('approves only what a node offers', TIME_LIMIT, async () => {
    const { body } = await lab.call('GET', '/mesh', undefined, owner);
    const path = `/mesh/nodes/${body.nodes[0].id}/routes`;
    const refused = await lab.call('PUT', path, { routes: ['10.9.0.0/16'] }, owner);
    assert.deepEqual([refused.status, refused.body.code], [422, 'ERR_INPUT']);
    assert.equal((await lab.call('PUT', path, { routes: [] }, owner)).status, 200);
  });
});

function key(byte: number): string {
  return formatKey(new Uint8Array(32).fill(byte));
}
