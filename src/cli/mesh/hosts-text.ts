/** Names in the text of /etc/hosts: a marked block of our own, and every other byte as it was. */

const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const ADDRESS = /^[0-9a-fA-F:.]+$/;

/**
 * Puts the names of a network into the text of a hosts file, in place of those that were there.
 *
 * @param names Addresses by label. Labels and addresses that are none are left out. Empty: the block is taken away.
 */
export function withNames(text: string, domain: string, names: ReadonlyMap<string, readonly string[]>): string {
  const rest = withoutNames(text, domain);
  const lines = [...names].flatMap(([label, addresses]) =>
    LABEL.test(label)
      ? addresses.filter((address) => ADDRESS.test(address)).map((address) => `${address} ${label}.${domain}`)
      : [],
  );
  if (lines.length === 0) return rest;
  // The line break in front belongs to the block, so that a file without one at its end gets its bytes back.
  const isOpen = rest !== '' && !rest.endsWith('\n');
  return `${rest}${isOpen ? '\n' : ''}${beginOf(domain, isOpen)}\n${lines.join('\n')}\n${endOf(domain)}\n`;
}

/** Takes the block of a network away. One whose end was cut off loses its first line and the lines that look like ours. */
export function withoutNames(text: string, domain: string): string {
  for (const isOpen of [true, false]) {
    const begin = `${beginOf(domain, isOpen)}\n`;
    const at = text.indexOf(begin);
    if (at < 0) continue;
    const end = `${endOf(domain)}\n`;
    const endAt = text.indexOf(end, at);
    const before = text.slice(0, isOpen && at > 0 ? at - 1 : at);
    if (endAt >= 0) return withoutNames(before + text.slice(endAt + end.length), domain);
    const after = text.slice(at + begin.length).split('\n');
    return withoutNames(before + after.filter((line) => !line.endsWith(`.${domain}`)).join('\n'), domain);
  }
  return text;
}

function beginOf(domain: string, isOpen: boolean): string {
  return `# wiretype ${domain}: begin${isOpen ? ' (no line break before)' : ''}`;
}

function endOf(domain: string): string {
  return `# wiretype ${domain}: end`;
}
