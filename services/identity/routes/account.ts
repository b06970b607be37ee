import { HaicError } from '@haic/kit/errors.ts';
import { addressOf } from '@haic/kit/http/address.ts';
import type { FastifyReply, FastifyRequest, HttpServer } from '@haic/kit/http/server.ts';
import type { PersonWithPassword } from '../model.ts';
import { accountPage, passwordChangedPage } from '../pages/account.ts';
import { messagePage } from '../pages/messages.ts';
import type { Issuer } from '../provider/issuer.ts';
import { trustedRequest } from '../provider/mount.ts';
import type { PeopleService } from '../service.ts';
import type { CheckPassword } from '../sign-in.ts';
import type { SignInTrail } from '../sign-in-trail.ts';
import type { PeopleStore } from '../store.ts';
import { cookieOf, fieldOf, type PageContext, sendPage } from './forms.ts';
import { browserCookie, waitText } from './sign-in.ts';

export interface AccountParts extends PageContext {
  readonly issuer: Issuer;
  readonly people: PeopleStore;
  readonly service: PeopleService;
  readonly checkPassword: CheckPassword;
  readonly trail: SignInTrail;
}

/** A person's own password. Needs the current one even with a session: who finds a browser open cannot take the account. */
export function registerAccount(scope: HttpServer, parts: AccountParts): void {
  const url = `${parts.issuerPath}/account`;
  const config = { public: 'the change-password page' };

  scope.get(url, { config }, async (request, reply) => {
    const { person } = await signedIn(request, reply, parts);
    if (person !== undefined && person.passwordHash === undefined) return sendNoPassword(reply, parts);
    return sendPage(reply, 200, accountPage({ action: url, person, username: '', problem: undefined }));
  });

  const unaudited = 'it tells of it itself, since there is no token to know the person by';
  scope.post(url, { config: { ...config, unaudited } }, async (request, reply) => {
    const { person, sessionUid } = await signedIn(request, reply, parts);
    const username = person?.username ?? fieldOf(request, 'username').slice(0, 127);
    const again = (status: number, problem: string) =>
      sendPage(reply, status, accountPage({ action: url, person, username, problem }));

    if (fieldOf(request, 'new') !== fieldOf(request, 'repeated'))
      return again(400, 'The two new passwords differ.');
    const result = await parts.checkPassword({
      username,
      password: fieldOf(request, 'current'),
      address: addressOf(request),
      browserToken: cookieOf(request, browserCookie),
    });
    if (result.kind === 'wrong') await parts.trail.tell('refused', result.personId, request);
    if (result.kind === 'wrong') return again(401, 'The current password is wrong.');
    if (result.kind === 'wait') return again(429, waitText(result.seconds));
    try {
      await parts.service.changeOwnPassword({
        person: result.person,
        password: fieldOf(request, 'new'),
        keepSession: person?.id === result.person.id ? sessionUid : undefined,
        revokeTokens: fieldOf(request, 'revoke') === 'yes',
      });
    } catch (error) {
      if (error instanceof HaicError && error.status < 500) return again(400, error.message);
      throw error;
    }
    await parts.trail.tell('changed-password', result.person.id, request);
    return sendPage(reply, 200, passwordChangedPage(parts.publicUrl));
  });
}

const sendNoPassword = (reply: FastifyReply, { publicUrl }: AccountParts): FastifyReply =>
  sendPage(
    reply,
    200,
    messagePage({
      title: 'No password here',
      message: 'You sign in through another provider. Change your password there.',
      link: { href: `${publicUrl}/`, text: 'Go to Haic' },
    }),
  );

async function signedIn(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: AccountParts,
): Promise<{ person: PersonWithPassword | undefined; sessionUid: string | undefined }> {
  const provider = parts.issuer.provider();
  const session = await provider.Session.get(
    provider.createContext(trustedRequest(request, parts.publicUrl), reply.raw),
  );
  const person = session.accountId === undefined ? undefined : await parts.people.byId(session.accountId);
  return person === undefined || person.disabled
    ? { person: undefined, sessionUid: undefined }
    : { person, sessionUid: session.uid };
}
