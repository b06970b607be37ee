import type { FastifyReply, FastifyRequest } from '@haic/kit/http/server.ts';
import { loginLifetimeSeconds } from '../oauth/login.ts';

/** What ties a login at another provider to the browser that began it: one a login, since two tabs may be on their way at once. */
export interface LoginCookies {
  give(reply: FastifyReply, state: string, browser: string): void;
  remove(reply: FastifyReply, state: string): void;
  of(request: FastifyRequest, state: string): string | undefined;
}

export function createLoginCookies(publicUrl: string): LoginCookies {
  const isSecure = publicUrl.startsWith('https:');
  /** `__Host-` where TLS allows it: nobody else plants one. */
  const nameOf = (state: string): string =>
    `${isSecure ? '__Host-' : ''}haic_connect_${state.replace(/[^\w-]/g, '').slice(0, 12)}`;
  const set = (reply: FastifyReply, state: string, value: string, seconds: number): void => {
    // Lax, because the browser comes back from another site.
    const attributes = `Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
    reply.header('set-cookie', `${nameOf(state)}=${value}; ${attributes}`);
  };
  return {
    give: (reply, state, browser) => set(reply, state, browser, loginLifetimeSeconds),
    remove: (reply, state) => set(reply, state, '', 0),
    of: (request, state) => {
      const name = `${nameOf(state)}=`;
      const pairs = (request.headers.cookie ?? '').split(';').map((part) => part.trim());
      return pairs.find((pair) => pair.startsWith(name))?.slice(name.length);
    },
  };
}
