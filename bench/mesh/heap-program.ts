/** Collects the garbage of a process on the inspector's usual port, and prints its memory as JSON. */
import { WebSocket } from 'ws';

const [target] = (await (await fetch('http://127.0.0.1:9229/json')).json()) as [{ webSocketDebuggerUrl: string }];
const socket = new WebSocket(target.webSocketDebuggerUrl);
await new Promise((resolve) => socket.once('open', resolve));
for (let round = 0; round < 3; round++) await call('HeapProfiler.collectGarbage', {});
const expression = 'JSON.stringify(process.memoryUsage())';
const { result } = (await call('Runtime.evaluate', { expression, returnByValue: true })) as {
  result: { value: string };
};
process.stdout.write(`${result.value}\n`);
process.exit(0);

function call(method: string, params: object): Promise<unknown> {
  return new Promise((resolve) => {
    socket.once('message', (data: Buffer) => resolve(JSON.parse(data.toString('utf8')).result));
    socket.send(JSON.stringify({ id: 1, method, params }));
  });
}
