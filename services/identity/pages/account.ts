import { maximumPasswordLength, minimumPasswordLength } from '../model.ts';
import { html } from './html.ts';
import { notice, page } from './layout.ts';

export interface AccountPage {
  readonly action: string;
  /** Who is signed in in this browser; without, the form asks for the user name too. */
  readonly person: { readonly username: string; readonly name: string } | undefined;
  readonly username: string;
  readonly problem: string | undefined;
}

export const accountPage = ({ action, person, username, problem }: AccountPage): string =>
  page(
    'Change password',
    html`<h1>Change password</h1>
${person === undefined ? undefined : html`<p class="dim">${person.name} (${person.username})</p>`}
${notice('bad', problem)}
<form method="post" action="${action}">
${
  person === undefined
    ? html`<label for="username">Username</label>
<input id="username" name="username" type="text" value="${username}" required maxlength="127" autocomplete="username"
 autocapitalize="none" spellcheck="false" autofocus>`
    : html`<input type="text" name="username" value="${person.username}" autocomplete="username" hidden readonly>`
}
<label for="current">Current password</label>
<input id="current" name="current" type="password" required maxlength="${maximumPasswordLength}"
 autocomplete="current-password"${person !== undefined && html` autofocus`}>
<label for="new">New password</label>
<input id="new" name="new" type="password" required minlength="${minimumPasswordLength}"
 maxlength="${maximumPasswordLength}" autocomplete="new-password" aria-describedby="rule">
<p class="dim" id="rule">At least ${minimumPasswordLength} characters. Several words are better than special signs.</p>
<label for="repeated">New password again</label>
<input id="repeated" name="repeated" type="password" required maxlength="${maximumPasswordLength}"
 autocomplete="new-password">
<label class="check"><input type="checkbox" name="revoke" value="yes">Also end my platform and command line tokens</label>
<button type="submit">Change password</button>
</form>
<p class="dim">Every other browser is signed out.</p>`,
  );

export const passwordChangedPage = (publicUrl: string): string =>
  page(
    'Password changed',
    html`<h1>Password changed</h1>
${notice('good', 'The new password is valid from now on. Every other browser is signed out.')}
<a class="button" href="${publicUrl}/">Go to Haic</a>`,
  );
