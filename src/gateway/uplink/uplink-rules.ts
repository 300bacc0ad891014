/** Family and name of the table that belongs to an interface. */
export function uplinkTable(interfaceName: string): [family: string, name: string] {
  return ['inet', `wiretype-${interfaceName}`];
}

/**
 * Writes the packet filter of an uplink. It replaces the one that a gateway left behind that was killed.
 *
 * Devices begin flows, and nobody else does: neither hosts beyond nor this host. The gateway judges every packet before it
 * comes here; the table keeps away what would not answer anything.
 *
 * @param subnets Such as `10.66.0.0/24` and `fd66::/64`.
 */
export function uplinkRules(interfaceName: string, subnets: readonly string[]): string {
  const table = uplinkTable(interfaceName).join(' ');
  const onlyAnswers = `oifname "${interfaceName}" ct state != { established, related } drop`;
  const masquerades = subnets.map((subnet) => {
    const family = subnet.includes(':') ? 'ip6' : 'ip';
    return `    ${family} saddr ${subnet} oifname != "${interfaceName}" masquerade`;
  });
  return [
    `table ${table} { }`, // so that there is a table to delete
    `delete table ${table}`,
    `table ${table} {`,
    '  chain forward {',
    '    type filter hook forward priority filter; policy accept;',
    `    ${onlyAnswers}`,
    '  }',
    '  chain output {',
    '    type filter hook output priority filter; policy accept;',
    `    ${onlyAnswers}`,
    '  }',
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    ...masquerades,
    '  }',
    '}',
    '',
  ].join('\n');
}
