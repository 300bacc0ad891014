import { MemoryNetwork } from '../../src/host/memory/socket.js';
import { describeDatagramSocket, LOOPBACK } from '../conformance/datagram-socket.js';

describeDatagramSocket('MemorySocket', () => {
  const network = new MemoryNetwork();
  return { open: async (port) => network.open(LOOPBACK, port), addresses: LOOPBACK };
});
