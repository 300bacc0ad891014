import type { Commands } from '../../host/net/commands.js';

type Json = Readonly<Record<string, unknown>>;

interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
}

/**
 * Finds a chain of the packet filter that drops datagrams to a port of this host, as far as the rules show that:
 * the chain drops everything that no rule accepts, and no rule of its table accepts the port.
 *
 * @returns `table FAMILY NAME, chain NAME`; `undefined` if there is none, or the filter cannot be read.
 *
 * Source: libnftables-json(5). Rules made by iptables appear there too, on systems whose iptables uses nftables.
 */
export async function findDroppingChain(commands: Commands, port: number): Promise<Chain | undefined> {
  const { status, stdout } = await commands.ask(['nft', '-j', 'list', 'ruleset']);
  if (status !== 0) return undefined;
  const items = parseItems(stdout);
  const rules = items.flatMap(({ rule }) => (isJson(rule) ? [rule] : []));
  return items
    .flatMap(({ chain }) => (isJson(chain) ? [chain] : []))
    .filter((chain) => chain['hook'] === 'input' && chain['family'] !== 'arp' && dropsTheRest(chain, rules))
    .map((chain) => ({ family: String(chain['family']), table: String(chain['table']), name: String(chain['name']) }))
    .find(({ family, table }) => {
      return !rules.some((rule) => rule['family'] === family && rule['table'] === table && letsIn(rule, port));
    });
}

function parseItems(text: string): Json[] {
  try {
    const root: unknown = JSON.parse(text);
    const items = isJson(root) ? root['nftables'] : undefined;
    return Array.isArray(items) ? items.filter(isJson) : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** Tests whether a chain drops the rest, by its policy or by a last rule without a condition. */
function dropsTheRest(chain: Json, rules: readonly Json[]): boolean {
  if (chain['policy'] === 'drop') return true;
  const last = rules.findLast(
    (rule) => rule['family'] === chain['family'] && rule['table'] === chain['table'] && rule['chain'] === chain['name'],
  );
  if (last === undefined) return false;
  const statements = statementsOf(last);
  return !statements.some(isCondition) && statements.some((statement) => 'drop' in statement || 'reject' in statement);
}

function letsIn(rule: Json, port: number): boolean {
  const statements = statementsOf(rule);
  if (!statements.some((statement) => 'accept' in statement)) return false;
  const conditions = statements.filter(isCondition);
  return conditions.length === 0 || conditions.some((condition) => namesPort(condition['match'], port));
}

function statementsOf(rule: Json): Json[] {
  return Array.isArray(rule['expr']) ? rule['expr'].filter(isJson) : [];
}

/** Tests whether a statement may keep a rule from applying; `xt` is a match of iptables that nft cannot show. */
function isCondition(statement: Json): boolean {
  return 'match' in statement || 'xt' in statement || 'limit' in statement;
}

/** Tests whether a match names this port as the UDP destination port. */
function namesPort(match: unknown, port: number): boolean {
  if (!isJson(match) || match['op'] !== '==' || !isJson(match['left'])) return false;
  const payload = match['left']['payload'];
  if (!isJson(payload) || payload['field'] !== 'dport' || payload['protocol'] === 'tcp') return false;
  return includesPort(match['right'], port);
}

function includesPort(value: unknown, port: number): boolean {
  if (value === port) return true;
  if (!isJson(value)) return false;
  const { set, range } = value;
  if (Array.isArray(set)) return set.some((item) => includesPort(item, port));
  return Array.isArray(range) && Number(range[0]) <= port && port <= Number(range[1]);
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
