import type { Page } from '@haic/kit/http/page.ts';
import type { InstanceRoute } from '@haic/services/app-store/scheduler/client.ts';

/** Every page that the router itself shows, so that nobody ever meets a bare error. `portal` is the portal's origin. */

const toPortal = (portal: string) => ({ label: 'Go to Haic', href: `${portal}/` });

export const unknownAddress = (portal: string): Page => ({
  title: 'Nothing lives at this address',
  text: ['The address may be mistyped, or belong to another installation.'],
  actions: [toPortal(portal)],
});

export const instanceNotFound = (portal: string): Page => ({
  title: 'No such app here',
  text: [
    'This instance does not exist any more, or it was not shared with you. Its owner can change who may open it.',
  ],
  actions: [{ label: 'My instances', href: `${portal}/instances` }, toPortal(portal)],
});

export const wrongToken = (portal: string): Page => ({
  title: 'This token opens no app here',
  text: ['An app acts for you with a token of its own, and that token is worth nothing at another app.'],
  actions: [toPortal(portal)],
});

export const foreignRequest: Page = {
  title: 'This request came from another site',
  text: ['To protect you it was not carried out. Go back and try again from the app itself.'],
};

export const badRequest = (why: string): Page => ({ title: 'This request makes no sense', text: [why] });

export const platformUnavailable = (what: string): Page => ({
  title: 'Just a moment',
  text: [`${what} This page tries again by itself; apps that are running go on.`],
  refreshSeconds: 3,
});

export const appStarting = (route: InstanceRoute, portal: string): Page => ({
  title: `${route.appTitle} is starting`,
  text: ['It opens here by itself as soon as it is ready.'],
  detail: route.message,
  refreshSeconds: 2,
  actions: [{ label: 'Show progress', href: `${portal}/instances/${route.instanceId}` }],
});

export const appJustAMoment = (route: InstanceRoute, portal: string): Page => ({
  title: 'Just a moment',
  text: [`${route.appTitle} is not answering right now. This page tries again by itself.`],
  refreshSeconds: 2,
  actions: [{ label: 'Show status', href: `${portal}/instances/${route.instanceId}` }],
});

export const appBrokeOff = (route: InstanceRoute, portal: string): Page => ({
  title: `${route.appTitle} gave no proper answer`,
  text: ['The app took too long, or broke off its answer. Its log may say why.'],
  actions: [{ label: 'Show log', href: `${portal}/instances/${route.instanceId}` }],
});

const stopped: Partial<Record<InstanceRoute['status'], [title: string, text: string]>> = {
  FAILED: ['could not start', 'Its log says why. Once that is put right, start it again.'],
  TERMINATING: ['is being removed', 'This instance was terminated.'],
};

/**
 * Nothing is changed by looking: the way on is a link to the portal, which knows the person and asks before it resumes. Whoever
 * may not resume is told who can.
 */
export function appPaused(route: InstanceRoute, portal: string, mayResume: boolean | 'unknown'): Page {
  const resume = `${portal}/instances/${route.instanceId}?resume=1`;
  const since = inUtc(route.since);
  return {
    title: `${route.appTitle} is paused${since === '' ? '' : ` since ${since}`}`,
    text: [mayResume === true ? 'Resume it to open it again.' : 'Its owner can resume it.'],
    detail: route.message,
    actions: [
      ...(mayResume === true ? [{ label: 'Resume', href: resume }] : []),
      ...(mayResume === 'unknown' ? [{ label: 'I am its owner', href: resume }] : []),
      ...(mayResume === false ? [toPortal(portal)] : []),
    ],
  };
}

/** 22 Nov 2026, 19:40 UTC: the page has no script, so it cannot know the reader's own time. */
function inUtc(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return '';
  const text = date.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
  return `${text} UTC`;
}

/** An instance that will not open by itself; undefined for those that will. */
export function appStopped(route: InstanceRoute, portal: string): Page | undefined {
  const [title, text] = stopped[route.status] ?? [];
  if (title === undefined || text === undefined) return undefined;
  return {
    title: `${route.appTitle} ${title}`,
    text: [text],
    detail: route.message,
    actions: [{ label: 'Show instance', href: `${portal}/instances/${route.instanceId}` }],
  };
}

export const ticketUnusable = (appUrl: string): Page => ({
  title: 'This link was already used',
  text: [
    'Links that open an app work once, for half a minute, and only in the browser that asked for them.',
    'If this comes up again, check that cookies are allowed for this address.',
  ],
  actions: [{ label: 'Open the app', href: appUrl }],
});

export const signInFailed = (why: string, again: string): Page => ({
  title: 'You are not signed in yet',
  text: [why],
  actions: [{ label: 'Sign in', href: again }],
});

export const signInStale = (again: string): Page => ({
  title: 'This sign-in took too long',
  text: [
    'It was begun too long ago, in another browser, or with cookies turned off. Nothing is lost: start again.',
  ],
  actions: [{ label: 'Sign in', href: again }],
});

export const confirmSignOut = (username: string, csrfToken: string): Page => ({
  title: 'Sign out?',
  text: [`You are signed in as ${username}. Signing out also signs you out of every open app.`],
  actions: [
    { label: 'Sign out', post: '/logout', fields: { csrf: csrfToken } },
    { label: 'Stay', href: '/' },
  ],
});
