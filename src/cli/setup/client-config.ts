/** The contents of a client's file, with keys in base64. */
export interface ClientSettings {
  readonly name: string;
  /** `undefined`: the client keeps its own key, and adds it to the file itself. */
  readonly privateKey: string | undefined;
  readonly publicKey: string;
  readonly addresses: readonly string[];
  readonly dns: string | undefined;
  readonly mtu: number | undefined;
  readonly serverName: string;
  readonly serverPublicKey: string;
  readonly presharedKey: string | undefined;
  readonly allowedIps: readonly string[];
  readonly endpoint: string;
  /** Seconds; 0: off. */
  readonly persistentKeepalive: number;
}

/** Writes a client's file, which every WireGuard program and the phone apps can read. */
export function formatClientConfig(client: ClientSettings): string {
  const interfaceLines = [
    '[Interface]',
    `# Name = ${client.name}`,
    client.privateKey === undefined ? '# PrivateKey = (the key of this device)' : `PrivateKey = ${client.privateKey}`,
    `Address = ${client.addresses.join(', ')}`,
    client.dns === undefined ? '' : `DNS = ${client.dns}`,
    client.mtu === undefined ? '' : `MTU = ${client.mtu}`,
  ];
  const peerLines = [
    '[Peer]',
    `# Name = ${client.serverName}`,
    `PublicKey = ${client.serverPublicKey}`,
    client.presharedKey === undefined ? '' : `PresharedKey = ${client.presharedKey}`,
    `AllowedIPs = ${client.allowedIps.join(', ')}`,
    `Endpoint = ${client.endpoint}`,
    client.persistentKeepalive === 0 ? '' : `PersistentKeepalive = ${client.persistentKeepalive}`,
  ];
  const block = (lines: readonly string[]) => `${lines.filter((line) => line !== '').join('\n')}\n`;
  return `${block(interfaceLines)}\n${block(peerLines)}`;
}

/** Removes comments, which apps drop when they read a QR code, so that the code gets smaller. */
export function withoutComments(text: string): string {
  return text.replace(/^#.*\n/gm, '');
}
