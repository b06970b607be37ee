import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import { html } from './html.ts';
import { notice, page, pageHeaders } from './layout.ts';

/** The three pages of the device flow (RFC 8628). The provider's own forms hold script, so the forms here are ours. */
function show(ctx: KoaContextWithOIDC, title: string, content: ReturnType<typeof html>): void {
  ctx.set(pageHeaders);
  ctx.body = page(title, content);
}

const fieldOf = (form: string, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(form)?.[1]?.replaceAll('&amp;', '&') ?? '';

const actionOf = (ctx: KoaContextWithOIDC) => ctx.oidc.urlFor('code_verification');

export function renderDeviceInput(ctx: KoaContextWithOIDC, form: string, error: Error | undefined): void {
  const problem =
    error === undefined
      ? undefined
      : error.name === 'AbortedError'
        ? 'The sign-in on the device was refused.'
        : 'This code is not known, was used or has expired.';
  show(
    ctx,
    'Connect a device',
    html`<h1>Connect a device</h1>
<p class="dim">Type the code that your device shows.</p>
${notice('bad', problem)}
<form method="post" action="${actionOf(ctx)}">
<input type="hidden" name="xsrf" value="${fieldOf(form, 'xsrf')}">
<label for="user_code">Code</label>
<input id="user_code" name="user_code" type="text" required maxlength="20" autocomplete="off" autocapitalize="characters"
 spellcheck="false" autofocus value="${prefilled(ctx)}">
<button type="submit">Continue</button>
</form>`,
  );
}

/** A link with the code in it only fills the form: nothing happens until the person compares and presses a button (RFC 8628 §5.4). */
const prefilled = (ctx: KoaContextWithOIDC): string =>
  typeof ctx.state.userCode === 'string' ? ctx.state.userCode : '';

export function renderDeviceConfirm(
  ctx: KoaContextWithOIDC,
  form: string,
  client: Client,
  userCode: string,
): void {
  show(
    ctx,
    'Connect a device',
    html`<h1>Is this your device?</h1>
<p>“${client.clientName ?? client.clientId}” asks to act for you. Your device must show this code:</p>
<p><code>${userCode}</code></p>
<form method="post" action="${actionOf(ctx)}">
<input type="hidden" name="xsrf" value="${fieldOf(form, 'xsrf')}">
<input type="hidden" name="user_code" value="${userCode}">
<button type="submit" name="confirm" value="yes" autofocus>Yes, connect it</button>
<button type="submit" name="abort" value="yes" class="plain">No, refuse</button>
</form>`,
  );
}

export function renderDeviceDone(ctx: KoaContextWithOIDC): void {
  show(
    ctx,
    'Device connected',
    html`<h1>Device connected</h1>
${notice('good', 'Your device is signed in. This page can be closed.')}`,
  );
}
