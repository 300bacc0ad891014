import { isIP } from 'node:net';

import { quote } from '../../control/config/secret-text.js';
import { WireGuardError } from '../../core/errors.js';
import { parseForward } from '../../proxy/config/forward-text.js';
import { parseDestination, parseListenAddress } from '../../proxy/config/place-text.js';
import type { Destination } from '../../proxy/exit.js';
import type { Credentials, Forward, ProxyListener } from '../../proxy/proxy-config.js';
import { parseRule } from '../../proxy/rules/parse-rule.js';
import type { Rule } from '../../proxy/rules/rule.js';
import { parseOptions } from '../device/command-options.js';
import type { WordManual } from '../manual.js';

const MANY = { type: 'string', multiple: true } as const;

export const PROXY_OPTIONS = {
  listen: {
    ...MANY,
    value: '[HOST:]PORT',
    about: 'serve SOCKS5 and HTTP there; without HOST at 127.0.0.1; default if there is nothing else to do: 1080',
    choices: ['1080'],
  },
  socks: { ...MANY, value: '[HOST:]PORT', about: 'serve SOCKS5 there', choices: ['1080'] },
  http: { ...MANY, value: '[HOST:]PORT', about: 'serve an HTTP proxy there', choices: ['8080'] },
  local: {
    ...MANY,
    short: 'L',
    value: '[BIND:]PORT:HOST:HOSTPORT',
    about:
      'carry a port of this host, or PATH of a UNIX socket, into the tunnel, as ssh -L does; with /udp behind it for UDP',
  },
  remote: {
    ...MANY,
    short: 'R',
    value: '[BIND:]PORT:HOST:HOSTPORT',
    about: 'carry a port inside the tunnel to this host or its network, or to PATH, as ssh -R does; with /udp for UDP',
  },
  stdio: {
    type: 'string',
    value: 'HOST:PORT',
    about: 'connect standard input and output with a port inside the tunnel, for ProxyCommand of ssh',
  },
  rule: {
    ...MANY,
    value: "'MATCH WAY'",
    hasSpaces: true,
    about: 'where connections go; the first rule that matches decides, those of the command line come first',
  },
  user: { type: 'string', value: 'NAME', about: 'demand this user name and a password from programs' },
  'password-file': {
    type: 'string',
    value: 'FILE',
    about: 'the file with the password of --user, on its first line',
    kinds: ['file'],
  },
  open: { type: 'boolean', about: 'allow a proxy without a password on addresses that other hosts reach' },
  info: {
    type: 'string',
    short: 'i',
    value: '[HOST:]PORT',
    about: 'serve /readyz, /livez and /metrics there',
    choices: ['9080'],
  },
  check: { type: 'boolean', short: 'n', about: 'check the files and options, and end' },
  verbose: { type: 'boolean', short: 'v', about: 'print a line for each connection' },
} as const;

/** The words of a command line of `wiretype proxy`, read. */
export interface ProxyCommandLine {
  /** At least one. `name` is absent where the file names its tunnel. */
  readonly files: readonly { readonly file: string; readonly name?: string }[];
  readonly listeners: readonly ProxyListener[];
  readonly forwards: readonly Forward[];
  readonly rules: readonly Rule[];
  readonly stdio?: Destination;
  readonly info?: Destination;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly isOpen: boolean;
  readonly isCheck: boolean;
  readonly isVerbose: boolean;
}

const MANY_FILES = 64;

/** @throws {WireGuardError} ERR_USAGE, ERR_VALUE */
export function parseProxyCommandLine(args: readonly string[], words: readonly WordManual[]): ProxyCommandLine {
  const { values, positionals } = parseOptions(args, PROXY_OPTIONS, [1, MANY_FILES], words);
  const listeners = (['socks', 'http', 'listen'] as const).flatMap((option) =>
    (values[option] ?? []).map((text) => ({
      protocol: option === 'socks' ? 'socks5' : option === 'http' ? 'http' : 'any',
      at: readOption(option, text, parseListenAddress),
    })),
  ) satisfies ProxyListener[];
  const { stdio, info, user, 'password-file': passwordFile } = values;
  if (passwordFile !== undefined && user === undefined)
    throw new WireGuardError('ERR_USAGE', '--password-file belongs to --user NAME, which is missing');
  return {
    files: positionals.map(parseFile),
    listeners,
    forwards: [
      ...(values.local ?? []).map((text) => parseForward('local', text)),
      ...(values.remote ?? []).map((text) => parseForward('remote', text)),
    ],
    rules: (values.rule ?? []).map(readRule),
    ...(stdio !== undefined && { stdio: readOption('stdio', stdio, parseStdioTarget) }),
    ...(info !== undefined && { info: readOption('info', info, parseInfoAddress) }),
    ...(user !== undefined && { user }),
    ...(passwordFile !== undefined && { passwordFile }),
    isOpen: values.open === true,
    isCheck: values.check === true,
    isVerbose: values.verbose === true,
  };
}

/** Reads the password of `--user`: never an argument, which every user of the host can see. */
export async function readCredentials(
  { user, passwordFile }: Pick<ProxyCommandLine, 'user' | 'passwordFile'>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Credentials | undefined> {
  if (user === undefined) return undefined;
  const password = passwordFile === undefined ? environment[PASSWORD_VARIABLE] : await readFirstLine(passwordFile);
  if (password === undefined || password === '') {
    const where = passwordFile ?? `the environment variable ${PASSWORD_VARIABLE}`;
    throw new WireGuardError('ERR_USAGE', `--user: there is no password in ${where}`);
  }
  return { username: user, password };
}

export const PASSWORD_VARIABLE = 'WIRETYPE_PROXY_PASSWORD';

async function readFirstLine(file: string): Promise<string> {
  const { readConfigFile } = await import('../../control/config/index.js');
  return (await readConfigFile(file)).text.split(/\r?\n/, 1)[0]!;
}

/** Reads `FILE` or `NAME=FILE`. A path with `/` in front of `=` is a file. */
function parseFile(word: string): { file: string; name?: string } {
  const [, name, file] = /^([\w.+-]+)=(.+)$/s.exec(word) ?? [];
  return name === undefined ? { file: word } : { file: file!, name };
}

function parseInfoAddress(text: string): Destination {
  const place = parseListenAddress(text);
  if ('path' in place) throw new WireGuardError('ERR_VALUE', 'write [HOST:]PORT');
  return place;
}

/** ssh writes `%h:%p` without brackets around an IPv6 address. */
function parseStdioTarget(text: string): Destination {
  const [, host = '', port] = /^(.*):([0-9]+)$/.exec(text) ?? [];
  return parseDestination(isIP(host) === 6 ? `[${host}]:${port}` : text);
}

/** @throws {WireGuardError} ERR_VALUE, which repeats the rule. */
function readRule(text: string): Rule {
  try {
    return parseRule(text);
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error;
    throw new WireGuardError('ERR_VALUE', `--rule: ${error.message}`, { cause: error });
  }
}

function readOption<T>(option: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error;
    throw new WireGuardError('ERR_VALUE', `--${option} ${quote(text)}: ${error.message}`, { cause: error });
  }
}
