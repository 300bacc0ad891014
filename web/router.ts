import { signal } from '@preact/signals';

/** Where the page is: `#/devices/ID?search=x` as its parts. */
export interface Route {
  readonly page: string;
  readonly rest: string;
  readonly query: URLSearchParams;
}

export const route = signal<Route>(read());

addEventListener('hashchange', () => {
  route.value = read();
  document.querySelector<HTMLElement>('main')?.focus();
});

export function go(hash: string): void {
  location.hash = hash;
}

/** Changes the query of the address without a step in the history: filters are shared with their address. */
export function setQuery(query: URLSearchParams): void {
  const { page, rest } = route.value;
  const text = query.toString();
  history.replaceState(null, '', `#/${page}${rest === '' ? '' : `/${rest}`}${text === '' ? '' : `?${text}`}`);
  route.value = { page, rest, query };
}

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/');
  return { page: page === '' ? 'devices' : page, rest: rest.join('/'), query: new URLSearchParams(query) };
}
