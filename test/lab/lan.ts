/** A network behind a gateway: a switch on the gateway, its address .1, and hosts from .20 on. */
import { addAddresses, type Lab } from './lab.js';
import type { Host } from './namespace.js';

const FIRST_HOST = 20;

/** Connects hosts, which take the gateway for their default route. @param prefix Three numbers of an IPv4 /24. */
export async function openLan(lab: Lab, gateway: Host, prefix: string, hosts: readonly Host[]): Promise<void> {
  await gateway.ip('link add lan0 type bridge');
  await gateway.ip('link set lan0 up');
  await addAddresses([gateway, 'lan0', `${prefix}.1/24`]);
  for (const [i, host] of hosts.entries()) {
    await lab.cable([host, 'eth0'], [gateway, `lan0-${i}`]);
    await gateway.ip(`link set lan0-${i} master lan0`);
    await addAddresses([host, 'eth0', `${prefix}.${FIRST_HOST + i}/24`]);
    await host.ip(`route add default via ${prefix}.1`);
  }
}

/** The interfaces of a router. */
export interface RouterSides {
  readonly outside: string;
  readonly inside: string;
}

/** Makes a gateway a common home router: the LAN leaves with the router's address, and nothing comes in unasked. */
export async function translateAddresses(gateway: Host, { outside, inside }: RouterSides): Promise<void> {
  await gateway.forwards();
  await gateway.nft(`table inet home {
    chain postrouting { type nat hook postrouting priority srcnat; oifname "${outside}" masquerade fully-random; }
    chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; iifname "${inside}" accept; }
    chain input { type filter hook input priority 0; iifname "${outside}" ct state new drop; }
  }`);
}
