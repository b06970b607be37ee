import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import { html } from './html.ts';
import { notice, page, pageHeaders } from './layout.ts';

export const messagePage = (options: {
  title: string;
  message: string;
  detail?: string | undefined;
  link: { href: string; text: string } | undefined;
}): string =>
  page(
    options.title,
    html`<h1>${options.title}</h1>
<p>${options.message}</p>
${options.detail === undefined ? undefined : html`<p class="dim">${options.detail}</p>`}
${options.link === undefined ? undefined : html`<a class="button" href="${options.link.href}">${options.link.text}</a>`}`,
  );

export const signedOutPage = (publicUrl: string): string =>
  page(
    'Signed out',
    html`<h1>Signed out</h1>
${notice('good', 'You are signed out of Haic and of the apps that you opened in this browser.')}
<a class="button" href="${publicUrl}/">Sign in again</a>`,
  );

export const confirmSignOutPage = (options: { action: string; name: string; publicUrl: string }): string =>
  page(
    'Sign out',
    html`<h1>Sign out?</h1>
<p>${options.name}, this ends your session in Haic and in the apps that you opened in this browser.</p>
<form method="post" action="${options.action}">
<input type="hidden" name="confirm" value="yes">
<button type="submit" autofocus>Sign out</button>
</form>
<p class="dim"><a href="${options.publicUrl}/">Stay signed in</a></p>`,
  );

/** Errors that a person can meet in the browser, in their words; every other one with the protocol's own text. */
const known: Record<string, { title: string; message: string }> = {
  SessionNotFound: {
    title: 'This sign-in has expired',
    message:
      'The page was open for too long, was used already, or the browser keeps no cookies. Please start again.',
  },
  InvalidClient: {
    title: 'Unknown application',
    message: 'The application that sent you here is not registered. Perhaps its instance was terminated.',
  },
  InvalidRedirectUri: {
    title: 'Unknown address',
    message:
      'The application that sent you here asked to return to an address that is not registered for it.',
  },
  AccessDenied: { title: 'Not allowed', message: 'This account may not sign in.' },
};

export function renderProviderError(ctx: KoaContextWithOIDC, out: ErrorOut, error: Error): void {
  ctx.set(pageHeaders);
  const explained = known[error.name];
  const internal = out.error === 'server_error';
  ctx.body = messagePage({
    title: explained?.title ?? (internal ? 'Something went wrong' : 'This sign-in cannot go on'),
    message:
      explained?.message ??
      (internal
        ? 'Haic could not finish this. Try again in a moment; its log has the details.'
        : (out.error_description ?? out.error)),
    detail: internal ? undefined : `Error: ${out.error}`,
    link: { href: new URL('/', ctx.oidc.issuer).href, text: 'Go to Haic' },
  });
}
