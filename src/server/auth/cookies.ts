const NAME = 'wiretype';
const MAX_AGE_SECONDS = 30 * 86_400;

/** Returns the value of the sign-in's cookie from the header `Cookie`. */
export function readCookie(header: string | undefined, isSecure: boolean): string | undefined {
  const name = nameOf(isSecure);
  for (const pair of (header ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}

/** @param id Empty: the cookie is taken away. */
export function cookieFor(id: string, isSecure: boolean): string {
  const age = id === '' ? 0 : MAX_AGE_SECONDS;
  const secure = isSecure ? '; Secure' : '';
  return `${nameOf(isSecure)}=${id}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${secure}`;
}

/** The prefix `__Host-` keeps other hosts of the domain from setting it. */
function nameOf(isSecure: boolean): string {
  return isSecure ? `__Host-${NAME}` : NAME;
}
