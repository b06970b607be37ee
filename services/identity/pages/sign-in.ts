import { maximumPasswordLength } from '../model.ts';
import { html } from './html.ts';
import { notice, page } from './layout.ts';

export interface SignInPage {
  readonly action: string;
  /** What the person is about to open; undefined for the portal itself. */
  readonly clientName: string | undefined;
  readonly username: string;
  readonly problem: string | undefined;
  readonly otherProviders: readonly { readonly title: string; readonly href: string }[];
}

/** A plain form: works with a keyboard, a password manager and without script. */
export const signInPage = ({ action, clientName, username, problem, otherProviders }: SignInPage): string =>
  page(
    'Sign in',
    html`<h1>Sign in</h1>
${clientName === undefined ? undefined : html`<p class="dim">to continue to ${clientName}</p>`}
${notice('bad', problem)}
<form method="post" action="${action}">
<label for="username">Username</label>
<input id="username" name="username" type="text" value="${username}" required maxlength="127" autocomplete="username"
 autocapitalize="none" spellcheck="false"${username === '' && autofocus}>
<label for="password">Password</label>
<input id="password" name="password" type="password" required maxlength="${maximumPasswordLength}"
 autocomplete="current-password"${username !== '' && autofocus}>
<button type="submit">Sign in</button>
</form>
${otherProviders.map(({ title, href }) => html`<a class="button plain" href="${href}">Sign in with ${title}</a>`)}
<p class="dim">Forgot the password? Who runs this Haic can give you a new one.</p>`,
  );

const autofocus = html` autofocus`;
