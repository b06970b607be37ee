import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Static } from 'typebox';
import { presentToken } from '../present.ts';
import { actorOf, askerOf, type PeopleParts } from './people.ts';
import type { byUsername } from './schemas.ts';

/** Of the person in the path, else of who asks. */
export function registerListTokens(scope: HttpServer, { service, tokens }: PeopleParts, path: string): void {
  scope.get(path, async (request) => {
    const { username } = request.params as Partial<Static<typeof byUsername>>;
    const person = username === undefined ? actorOf(request) : await service.get(username);
    return { items: (await tokens.list(person, askerOf(request))).map(presentToken) };
  });
}
