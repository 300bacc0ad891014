import type {} from '../control/control-errors.js';

/** Codes of the mesh, with the advice that follows the message. */
export const MESH_ERRORS = {
  ERR_INVITATION: 'Ask for a new invitation: wiretype mesh invite, on the hub.',
  ERR_ENROLMENT: 'Nothing was changed here or at the hub.',
  ERR_NODE_STATE: 'Correct or remove the file; a node that lost it joins again with a new invitation.',
  ERR_HUB_UNREACHABLE: 'Check that the UDP port of the hub, or its web page, can be reached from here.',
  ERR_NO_MESH: 'Make a network with wiretype hub init NAME.',
  ERR_NO_AGENT: 'Start it with wiretype mesh agent, or the service wiretype-mesh@NETWORK.',
  ERR_NO_HUB: 'Start it with wiretype hub run, or name its folder with --state FOLDER.',
  ERR_CARRIER: 'Open the page of the hub in a browser here; wiretype hub --carrier says where it takes WebSockets.',
  ERR_SIGNING_KEY: 'The key is a PEM file that wiretype hub init wrote; its mode must be 0600.',
} as const;

type Own = typeof MESH_ERRORS;

declare module '../core/errors.js' {
  interface ErrorCodes extends Record<keyof Own, string> {}
}
