import { createHash, randomBytes } from 'node:crypto';

const clientId = 'haic-platform';

/** An issuer as a browser and the client `haic-platform` use it, over the wire. */
export interface IssuerUnderTest {
  readonly issuer: string;
  readonly redirectUri: string;
}

/** The whole code flow with PKCE in a browser of its own, as far as it goes over the wire. Returns the refresh token. */
export async function signIn(
  { issuer, redirectUri }: IssuerUnderTest,
  { username, password }: { username: string; password: string },
): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid offline_access',
    state: randomBytes(8).toString('hex'),
    nonce: randomBytes(8).toString('hex'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    prompt: 'login',
  });
  const browser = plainBrowser(redirectUri);
  const page = await browser(`${issuer}/protocol/openid-connect/auth?${query}`);
  const form = formOf(page.body, page.url);
  form.fields.set('username', username);
  form.fields.set('password', password);
  const end = await browser(form.action, form.fields);
  const code = new URL(end.url).searchParams.get('code');
  if (code === null) throw new Error(`No code: ended at ${end.url} with ${wordsOf(end.body)}`);
  const tokens = await askToken(issuer, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  return tokens.refresh_token;
}

export const refresh = ({ issuer }: IssuerUnderTest, token: string) =>
  askToken(issuer, { grant_type: 'refresh_token', refresh_token: token });

async function askToken(issuer: string, form: Record<string, string>): Promise<{ refresh_token: string }> {
  const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: clientId, ...form }),
  });
  const body = (await response.json()) as { refresh_token: string };
  if (!response.ok) throw new Error(`The token endpoint answered ${response.status} ${JSON.stringify(body)}`);
  return body;
}

/** Keeps cookies and follows redirects until the one that leads back to the client, which it does not ask. */
function plainBrowser(stopAt: string) {
  const cookies = new Map<string, string>();
  return async (start: string, form?: URLSearchParams): Promise<{ url: string; body: string }> => {
    let url = start;
    let body: URLSearchParams | undefined = form;
    for (let step = 0; step < 10; step += 1) {
      if (url.startsWith(stopAt)) return { url, body: '' };
      const response = await fetch(url, {
        redirect: 'manual',
        headers: {
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          origin: new URL(url).origin,
        },
        ...(body === undefined ? {} : { method: 'POST', body }),
      });
      for (const line of response.headers.getSetCookie()) {
        const [name, value] = (line.split(';')[0] ?? '').split(/=(.*)/s);
        if (name !== undefined) cookies.set(name, value ?? '');
      }
      const text = await response.text();
      const next = response.headers.get('location');
      if (next === null) return { url, body: text };
      url = new URL(next, url).href;
      body = undefined;
    }
    throw new Error(`Too many redirects from ${start}`);
  };
}

/** The first form of the page, with what is filled in already. */
function formOf(page: string, base: string): { action: string; fields: URLSearchParams } {
  const form = /<form\b[^>]*>[\s\S]*?<\/form>/i.exec(page)?.[0] ?? '';
  const attribute = (tag: string, name: string) =>
    new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(tag)?.[1]?.replaceAll('&amp;', '&');
  const fields = new URLSearchParams();
  for (const [tag] of form.matchAll(/<input\b[^>]*>/gi)) {
    const name = attribute(tag, 'name');
    if (name !== undefined && attribute(tag, 'type') !== 'checkbox')
      fields.set(name, attribute(tag, 'value') ?? '');
  }
  return {
    action: new URL(attribute(form.slice(0, form.indexOf('>') + 1), 'action') ?? base, base).href,
    fields,
  };
}

/** What a page says, for the error that it is quoted in. */
const wordsOf = (page: string): string =>
  page
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .slice(0, 300);
