import { maximumPasswordLength } from '../model.ts';
import { html } from '../pages/html.ts';
import { notice, page } from '../pages/layout.ts';

export interface LinkPage {
  readonly action: string;
  readonly providerTitle: string;
  /** Who signed in there. */
  readonly name: string;
  /** Filled in; '' when only the e-mail address is known here: whose it is, a provider that claims it must not learn. */
  readonly username: string;
  readonly mayBeNew: boolean;
  readonly problem: string | undefined;
}

/** Somebody here has the same name or e-mail address. Only the password of that account tells whether they are the same. */
export const linkPage = (options: LinkPage): string =>
  page(
    'Is this your account?',
    html`<h1>Is this your account?</h1>
<p>${options.name}, you signed in with ${options.providerTitle}. ${
      options.username === ''
        ? 'There is an account here with your e-mail address.'
        : html`There is an account “${options.username}” here already.`
    }</p>
<p class="dim">If it is yours, type its password this once. From then on ${options.providerTitle} is enough.</p>
${notice('bad', options.problem)}
<form method="post" action="${options.action}">
<label for="username">Username</label>
<input id="username" name="username" type="text" value="${options.username}" required maxlength="127"
 autocomplete="username" autocapitalize="none" spellcheck="false"${options.username === '' && autofocus}>
<label for="password">Password</label>
<input id="password" name="password" type="password" required maxlength="${maximumPasswordLength}"
 autocomplete="current-password"${options.username !== '' && autofocus}>
<button type="submit" name="choice" value="mine">This is my account</button>
${
  options.mayBeNew &&
  html`<button type="submit" name="choice" value="new" class="plain" formnovalidate>It is somebody else’s: make me a new one</button>`
}
</form>
<p class="dim">No password any more? Who runs this Haic can give that account a new one.</p>`,
  );

const autofocus = html` autofocus`;
