import assert from 'node:assert/strict';

/** A browser's part of a sign-in for tests: keeps cookies by path, follows redirects, fills in the sign-in form. */
export class TestBrowser {
  readonly #cookies = new Map<string, { name: string; value: string; path: string; host: string }>();
  readonly #address: string | undefined;

  /** `address` is sent as the router would send it. */
  constructor(options: { address?: string } = {}) {
    this.#address = options.address;
  }

  cookieNames(): string[] {
    return [...this.#cookies.values()].map((cookie) => cookie.name);
  }

  /** All, or those of one host. */
  clearCookies(hostname?: string): void {
    for (const [key, { host }] of this.#cookies)
      if (hostname === undefined || host === hostname) this.#cookies.delete(key);
  }

  /** What the browser would send there. */
  cookieHeader(url: string): string {
    const { hostname, pathname } = new URL(url);
    return [...this.#cookies.values()]
      .filter(({ path, host }) => host === hostname && covers(path, pathname))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const target = new URL(url);
    const headers = new Headers({ accept: 'text/html', ...Object.fromEntries(new Headers(init.headers)) });
    const cookies = this.cookieHeader(url);
    if (cookies !== '') headers.set('cookie', cookies);
    if (this.#address !== undefined) headers.set('x-forwarded-for', this.#address);
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.#store(line, target);
    return response;
  }

  /** Sends a page's form as a browser does: with the page's origin. */
  submit(url: string, fields: Record<string, string>): Promise<Response> {
    return this.fetch(url, {
      method: 'POST',
      headers: { origin: new URL(url).origin },
      body: new URLSearchParams(fields),
    });
  }

  /** Follows redirects until `stop` matches or something else than a redirect is answered. */
  async follow(url: string, stop: (url: string) => boolean): Promise<{ url: string; response?: Response }> {
    let current = url;
    for (let hops = 0; hops < 15; hops++) {
      if (stop(current)) return { url: current };
      const response = await this.fetch(current);
      const location = response.headers.get('location');
      if (location === null) return { url: current, response };
      await response.arrayBuffer();
      current = new URL(location, current).href;
    }
    assert.fail(`Too many redirects; the last was ${current}.`);
  }

  /** From an authorization request to the client's callback, through the sign-in form when one is shown. */
  async signIn(
    authorizationUrl: string,
    credentials: { username: string; password: string },
    redirectUri: string,
  ): Promise<URL> {
    const atCallback = (url: string) => url.startsWith(`${redirectUri}?`);
    const first = await this.follow(authorizationUrl, atCallback);
    if (first.response === undefined) return new URL(first.url);
    const markup = await first.response.text();
    assert.match(markup, /name="password"/, `no sign-in form at ${first.url}: ${markup.slice(-600)}`);
    const response = await this.submit(first.url, credentials);
    const location = response.headers.get('location');
    assert.ok(location !== null, `signing in failed with ${response.status}: ${await response.text()}`);
    const last = await this.follow(new URL(location, first.url).href, atCallback);
    assert.ok(
      last.response === undefined,
      `the sign-in ended at ${last.url}: ${await last.response?.text()}`,
    );
    return new URL(last.url);
  }

  #store(line: string, target: URL): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const separator = pair.indexOf('=');
    const name = pair.slice(0, separator);
    const value = pair.slice(separator + 1);
    const attribute = (wanted: string) =>
      attributes
        .find((text) => text.toLowerCase().startsWith(`${wanted}=`))
        ?.split('=')
        .slice(1)
        .join('=');
    const path = attribute('path') ?? '/';
    const key = `${target.hostname} ${path} ${name}`;
    const expires = attribute('expires');
    const over = attribute('max-age') === '0' || (expires !== undefined && Date.parse(expires) < Date.now());
    if (over || value === '') this.#cookies.delete(key);
    else this.#cookies.set(key, { name, value, path, host: target.hostname });
  }
}

const covers = (path: string, pathname: string) =>
  pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
