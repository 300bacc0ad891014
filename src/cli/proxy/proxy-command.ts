import type { Command } from '../command.js';
import type { Manual } from '../manual.js';
import { loadConfig } from './load-config.js';
import { PASSWORD_VARIABLE, PROXY_OPTIONS, parseProxyCommandLine } from './proxy-options.js';

const MANUAL: Manual = {
  usage: `[--listen [HOST:]PORT] [--socks [HOST:]PORT] [--http [HOST:]PORT]
[--user NAME] [--password-file FILE] [--open] [--rule 'MATCH WAY']
[--local|-L [BIND:]PORT:HOST:HOSTPORT]
[--remote|-R [BIND:]PORT:HOST:HOSTPORT] [--stdio HOST:PORT]
[--info|-i [HOST:]PORT] [--check|-n] [--verbose|-v] [NAME=]FILE...`,
  about: `
Joins a WireGuard network without root and without an interface, and lets programs of this host use it: through a SOCKS5
and HTTP proxy, and through ports carried in both directions. FILE is one that wg-quick takes, or one of wireproxy; with
several, the first carries what no rule sends elsewhere. Without options or sections that open something, SOCKS5 and HTTP
are both served on 127.0.0.1:1080. Names are looked up inside the tunnel. Ends with Ctrl-C.
`,
  words: [{ name: '[NAME=]FILE', kinds: ['config-file'], about: 'a tunnel, called NAME or as the file' }],
  options: PROXY_OPTIONS,
  settings: {
    options: ['listen', 'socks', 'http', 'local', 'remote', 'rule', 'user', 'password-file', 'open', 'info', 'verbose'],
  },
  environment: {
    [PASSWORD_VARIABLE]: 'the password of --user, unless it is in a file',
    'WIRETYPE_NO_ADDON=1': 'do without the C addon',
  },
  notes: `
MATCH of a rule is a domain with everything below it, an address, a CIDR, or "*"; a port or a range of ports may follow, as
in 10.0.0.0/8:22. WAY is the name of a tunnel, direct, or block.

SIGHUP reads the files again. A file with an error changes nothing; otherwise open connections live on. docs/proxy.md has
recipes for browsers, ssh, git and containers, and the sections of a file.
`,
  examples: [
    'wiretype proxy wg0.conf',
    'curl -x socks5h://127.0.0.1:1080 http://10.0.0.1/',
    'wiretype proxy -L 5432:db.internal:5432 -R 8080:127.0.0.1:3000 wg0.conf',
    "ssh -o ProxyCommand='wiretype proxy --stdio %h:%p wg0.conf' host.internal",
    "wiretype proxy home.conf work.conf --rule '*.corp.example work' --rule '* direct'",
  ],
};

/** Lets programs of this host use a WireGuard network, without root. */
export const proxy: Command = {
  name: 'proxy',
  manual: MANUAL,

  async run(args, io) {
    const line = parseProxyCommandLine(args, MANUAL.words);
    const load = () => loadConfig(line, process.env);
    const { config, warnings } = await load();
    for (const warning of warnings) io.writeError(`${warning}\n`);
    if (line.isCheck) {
      io.write(`${line.files.map(({ file }) => file).join(', ')}: no errors\n`);
      return;
    }
    const { runProxy } = await import('./run-proxy.js');
    return await runProxy({ config, load, isVerbose: line.isVerbose }, io);
  },
};
