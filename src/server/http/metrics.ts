import type { GatewayService } from '../../gateway/gateway-service.js';

/** Writes the numbers of a gateway in the text format of Prometheus, version 0.0.4. */
export function metricsText(gateway: GatewayService): string {
  const status = gateway.status();
  const devices = gateway.devices().filter(({ device }) => device.deletedAtUnixMs === undefined);
  const perDevice = (value: (view: (typeof devices)[number]) => number | undefined): string[] =>
    devices.flatMap((view) => {
      const number = value(view);
      return number === undefined
        ? []
        : [`{device="${escapeLabel(view.device.name)}",id="${view.device.id}"} ${number}`];
    });
  return [
    ...family(
      'wiretype_gateway_devices',
      'gauge',
      'Devices by condition.',
      Object.entries(status.deviceCounts).map(([condition, count]) => `{condition="${condition}"} ${count}`),
    ),
    ...family(
      'wiretype_gateway_device_receive_bytes_total',
      'counter',
      'Bytes from a device since the gateway started.',
      perDevice(({ receivedBytes }) => receivedBytes),
    ),
    ...family(
      'wiretype_gateway_device_transmit_bytes_total',
      'counter',
      'Bytes to a device since the gateway started.',
      perDevice(({ sentBytes }) => sentBytes),
    ),
    ...family(
      'wiretype_gateway_device_last_handshake_timestamp_seconds',
      'gauge',
      'UNIX time of the last handshake.',
      perDevice(({ lastHandshakeUnixMs }) =>
        lastHandshakeUnixMs === undefined ? undefined : lastHandshakeUnixMs / 1_000,
      ),
    ),
    ...family(
      'wiretype_gateway_events_total',
      'counter',
      'Counters of the engine, NAT and policy by name.',
      Object.entries(status.counters).map(([name, count]) => `{name="${escapeLabel(name)}"} ${count}`),
    ),
    '',
  ].join('\n');
}

function family(name: string, type: string, help: string, samples: readonly string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map((sample) => `${name}${sample}`)];
}

function escapeLabel(label: string): string {
  return label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
