import type { Action } from './api.js';

/** Writes an action for curl. The token comes from the environment: none is on the page. */
export function curlOf({ method, path, body }: Action): string {
  const url = new URL(`api/v1${path}`, location.href.split('#')[0]).href;
  const words = ['curl', '-X', method, '-H', '"Authorization: Bearer $WIRETYPE_TOKEN"'];
  if (body !== undefined)
    words.push('-H', quoted('Content-Type: application/json'), '-d', quoted(JSON.stringify(body)));
  return [...words, quoted(url)].join(' ');
}

/** Writes an action for the command line of the gateway's host. @param nameOf Finds the name of a device. */
export function commandOf(action: Action, nameOf: (id: string) => string): string {
  const { method, path, body } = action;
  const [, id, verb] = /^\/devices\/([0-9a-f]+)(?:\/(block|unblock))?$/.exec(path) ?? [];
  if (id !== undefined && verb !== undefined) return `wiretype gateway ${verb} ${quoted(nameOf(id))}`;
  if (id !== undefined && method === 'DELETE') return `wiretype gateway remove ${quoted(nameOf(id))}`;
  const json = body === undefined ? '' : ` ${quoted(JSON.stringify(body))}`;
  return `wiretype gateway call ${method} ${path}${json}`;
}

/** Quotes for a shell of POSIX, where that is needed. */
function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
