import { createHmac } from 'node:crypto';
import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import { LRUCache } from 'lru-cache';
import type { LiveConnections } from '../live-connections.ts';
import type { AppSession, Person, PortalSession, Session, SessionScope, SessionTokens } from '../model.ts';
import type { SessionLimits } from '../options.ts';
import { type CookieValues, sessionIdOf } from './cookie-value.ts';
import { type Endings, everybody } from './endings.ts';
import { type Ending, type SessionStore, sessionsChannel } from './store.ts';

/** So many genuine cookies of one name are looked up; a browser has one, or two around a new sign-in. */
const mostLookups = 4;
/** Of so many cookies of one name the tag is checked at most. */
const mostCandidates = 256;
const touchEveryMs = 5 * 60_000;
const sweepEveryMs = 10 * 60_000;
const checkAgainMs = 5_000;

export interface Sessions {
  /** By the values of the session cookie. At once if it is known here, else by the database. */
  find(values: readonly string[], scope: SessionScope): Session | undefined | Promise<Session | undefined>;
  create(signIn: {
    person: Person;
    tokens: SessionTokens;
    issuerSid: string | undefined;
    accessExpiresAt: number;
  }): Promise<{ session: PortalSession; cookie: string }>;
  /** Undefined when the portal's session ended meanwhile. */
  createApp(portalId: string, instanceId: string): Promise<{ cookie: string } | undefined>;
  end(id: string): Promise<void>;
  endByIssuerSid(sid: string): Promise<void>;
  /** Also what was opened with a bearer token; and no older one opens anything any more. */
  endBySubject(subject: string): Promise<void>;
  endEverybody(): Promise<void>;
  /** The session as it is known here now; undefined when it has to be read first. */
  current(portalId: string): PortalSession | undefined;
  csrfToken(session: PortalSession): string;
  close(): Promise<void>;
}

export interface SessionsOptions {
  readonly database: Database;
  readonly store: SessionStore;
  readonly cookieValues: CookieValues;
  readonly csrfKey: Buffer;
  readonly limits: SessionLimits;
  readonly live: LiveConnections;
  readonly endings: Endings;
  readonly logger: Logger;
}

/** Sessions live in PostgreSQL; each router keeps those in use in memory and hears of every change by NOTIFY. */
export async function createSessions(options: SessionsOptions): Promise<Sessions> {
  const { store, live, logger, cookieValues, limits } = options;
  const cache = new LRUCache<string, Session>({ max: 50_000 });
  // What was known before the database was lost from hearing: asked for again, and gone on with while it cannot be.
  const unconfirmed = new LRUCache<string, Session>({ max: 50_000 });
  const loading = new Map<string, Promise<Session | undefined>>();
  const touched = new Map<string, number>();
  // Raised by every notification: what was read before it may already be old and is not kept.
  let generation = 0;

  const isAlive = (session: Session, now: number) => {
    const portal = portalSessionOf(session);
    const lastSeen = Math.max(portal.seenAt, touched.get(portal.id) ?? 0);
    return portal.expiresAt > now && lastSeen > now - limits.idleMs;
  };

  const touch = (portal: PortalSession, now: number) => {
    if (now - (touched.get(portal.id) ?? portal.seenAt) < touchEveryMs) return;
    touched.set(portal.id, now);
    store
      .touch([portal.id])
      .catch((error) => logger.warn(`A session's last use could not be noted: ${messageOf(error)}`));
  };

  const currentPortal = (id: string): PortalSession | undefined => {
    const session = cache.get(id);
    return session?.kind === 'portal' ? session : undefined;
  };

  const remember = (portal: PortalSession): PortalSession => {
    cache.set(portal.id, portal);
    return portal;
  };

  /** An app's session is as old as the portal session that it points to: if that was replaced, it is read again. */
  const known = (id: string): Session | undefined => {
    const session = cache.get(id);
    if (session === undefined || session.kind === 'portal') return session;
    return currentPortal(session.portal.id) === session.portal ? session : undefined;
  };

  const load = (id: string): Promise<Session | undefined> => {
    const running = loading.get(id);
    if (running !== undefined) return running;
    const startedIn = generation;
    const promise = store
      .find(id)
      .then((found) => {
        unconfirmed.delete(id);
        if (found === undefined) return undefined;
        if (startedIn !== generation) return found;
        if (found.kind === 'portal') return remember(found);
        // All sessions of one sign-in share the portal session's object, so that a refresh reaches all of them.
        const portal = remember(currentPortal(found.portal.id) ?? found.portal);
        const session: AppSession = { ...found, portal };
        cache.set(id, session);
        return session;
      })
      .catch((error: unknown) => {
        const before = unconfirmed.get(id);
        if (before === undefined || !isAlive(before, Date.now())) throw error;
        return before;
      })
      .finally(() => loading.delete(id));
    loading.set(id, promise);
    return promise;
  };

  const fits = (session: Session | undefined, scope: SessionScope): session is Session =>
    session !== undefined &&
    (scope === 'portal'
      ? session.kind === 'portal'
      : session.kind === 'app' && session.instanceId === scope.instanceId);

  const findSlowly = async (values: readonly string[], scope: SessionScope) => {
    const genuine = values.slice(0, mostCandidates).filter((value) => cookieValues.isGenuine(value, scope));
    for (const value of genuine.slice(0, mostLookups)) {
      const session = await load(sessionIdOf(value));
      if (fits(session, scope)) return session;
    }
    return undefined;
  };

  const forget = (id: string) => {
    generation++;
    cache.delete(id);
    unconfirmed.delete(id);
    touched.delete(id);
  };

  const onChanged = async (id: string) => {
    forget(id);
    const session = await load(id);
    if (session !== undefined) live.recheckSession(id);
  };

  /** What this router itself ends is over here at once; the others hear of it. */
  const endHere = (ids: readonly string[]) => {
    for (const id of ids) {
      forget(id);
      live.endSession(id);
    }
  };

  const noteEnding = ({ subject, at }: Ending) => {
    options.endings.note(subject, at);
    if (subject === everybody) live.endSignedIn();
    else live.endPerson(subject);
  };

  const onNotification = (payload: string) => {
    const [what, id] = [payload.slice(0, payload.indexOf(':')), payload.slice(payload.indexOf(':') + 1)];
    if (what === 'ended') {
      forget(id);
      live.endSession(id);
    } else if (what === 'person-ended') {
      noteEnding({ subject: id, at: new Date() });
    } else if (what === 'changed') {
      onChanged(id).catch((error) => logger.warn(`A changed session could not be read: ${messageOf(error)}`));
    }
  };

  /** Connected (again): what happened meanwhile was not heard. */
  const onReady = () => {
    generation++;
    for (const [id, session] of cache.entries()) unconfirmed.set(id, session);
    cache.clear();
    checkOpen();
    void readEndings();
  };

  let checkAgain: NodeJS.Timeout | undefined;
  const checkOpen = () => {
    clearTimeout(checkAgain);
    const open = live.sessionIds();
    if (open.length === 0) return;
    store.ended(open).then(
      (ended) => {
        for (const id of ended) live.endSession(id);
      },
      (error) => {
        logger.warn(`Open sessions could not be checked, trying again: ${messageOf(error)}`);
        checkAgain = setTimeout(checkOpen, checkAgainMs).unref();
      },
    );
  };

  /** At the start, and after the database was not heard. */
  const readEndings = (): Promise<void> =>
    store.endings().then(
      (lately) => {
        for (const { subject, at } of lately) options.endings.note(subject, at);
      },
      (error) => logger.warn(`Who was signed out lately could not be read: ${messageOf(error)}`),
    );

  const subscription = await options.database.listen(sessionsChannel, onNotification, onReady);
  await readEndings();
  const sweeping = setInterval(() => {
    // A WebSocket that is open is a session in use, although no request says so.
    const open = live.sessionIds();
    Promise.all([open.length === 0 ? undefined : store.touch(open), store.sweep()]).catch((error) =>
      logger.warn(`Old sessions could not be swept: ${messageOf(error)}`),
    );
  }, sweepEveryMs);
  sweeping.unref();

  return {
    find: (values, scope) => {
      const now = Date.now();
      for (const value of values.slice(0, mostCandidates)) {
        const session = known(sessionIdOf(value));
        if (!fits(session, scope)) continue;
        if (!isAlive(session, now)) {
          forget(portalSessionOf(session).id);
          continue;
        }
        touch(portalSessionOf(session), now);
        return session;
      }
      return values.length === 0 ? undefined : findSlowly(values, scope);
    },
    create: async ({ person, tokens, issuerSid, accessExpiresAt }) => {
      const { value, id } = cookieValues.create('portal');
      const now = Date.now();
      const session: PortalSession = {
        kind: 'portal',
        id,
        issuerSid,
        person,
        tokens,
        accessExpiresAt,
        seenAt: now,
        expiresAt: now + limits.absoluteMs,
      };
      await store.insertPortal(session);
      return { session, cookie: value };
    },
    createApp: async (portalId, instanceId) => {
      const { value, id } = cookieValues.create({ instanceId });
      return (await store.insertApp({ id, instanceId, portalId })) ? { cookie: value } : undefined;
    },
    current: currentPortal,
    end: async (id) => endHere(await store.remove(id)),
    endByIssuerSid: async (sid) => endHere(await store.removeByIssuerSid(sid)),
    endBySubject: async (subject) => {
      endHere(await store.removeBySubject(subject));
      noteEnding({ subject, at: new Date() });
    },
    endEverybody: async () => {
      await store.removeAll();
      generation++;
      cache.clear();
      unconfirmed.clear();
      noteEnding({ subject: everybody, at: new Date() });
    },
    csrfToken: (session) => createHmac('sha256', options.csrfKey).update(session.id).digest('base64url'),
    close: async () => {
      clearInterval(sweeping);
      clearTimeout(checkAgain);
      await subscription.stop();
    },
  };
}

export const portalSessionOf = (session: Session): PortalSession =>
  session.kind === 'portal' ? session : session.portal;
