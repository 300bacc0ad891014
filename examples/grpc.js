/**
 * A gRPC server inside the tunnel: connections of the tunnel are injected into it. It adds two numbers.
 *
 * The client of `@grpc/grpc-js` takes no socket: `forward.js` gives it a local port.
 *
 *     node grpc.js wg0.conf 50051
 */
import { once } from 'node:events';

import grpc from '@grpc/grpc-js';
import { openTunnel } from 'wiretype';

const [config, port] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const json = { serialize: (value) => Buffer.from(JSON.stringify(value)), deserialize: (bytes) => JSON.parse(bytes) };
const add = {
  path: '/calculator.Calculator/Add',
  requestStream: false,
  responseStream: false,
  requestSerialize: json.serialize,
  requestDeserialize: json.deserialize,
  responseSerialize: json.serialize,
  responseDeserialize: json.deserialize,
};
const calculator = new grpc.Server();
calculator.addService({ add }, { add: (call, done) => done(null, { sum: call.request.a + call.request.b }) });

const injector = calculator.createConnectionInjector(grpc.ServerCredentials.createInsecure());
const server = tunnel.createServer((socket) => injector.injectConnection(socket)).listen(port);
await once(server, 'listening');
console.log(`listening on port ${port} of ${tunnel.addresses}`);
