/**
 * Who may what: every route × who asks × visibility × ownership, written by hand from the rules for people with full access, visitors,
 * app owners and administrators (contract of the App Store §4) and for the tokens of apps (design §6). Never generated from the code. What a
 * kind of client may not do at all is 403, and not 404: it is refused before anything is looked up.
 *
 * Olga owns the apps. Ada runs them. Mallory has full access, too. Vera ran an instance before she became a visitor, Vic is one and has
 * nothing. `here` is what Ada's PRIVATE instance gets to act for her, `else` the same of another instance of hers, `adm's` of one of the
 * administrator's. `svc` is the router's own token, `none` no token at all.
 */
export const actors = [
  'ada',
  'olga',
  'mallory',
  'admin',
  'vera',
  'vic',
  'here',
  'else',
  "adm's",
  'svc',
  'none',
] as const;

export type Cell = number | '-';
/** `-` is not tried: it would be granted and change what the next ones need. What is granted there is tried by itself below. */
export type Row = readonly [method: string, route: string, body: unknown, ...expected: Cell[]];

const private_ = { visibility: 'PRIVATE' };
const hour = { suspendAfter: 3600 };
const zip = Buffer.from('no zip');
const noOne = '00000000-0000-4000-8000-000000000000';

// biome-ignore format: columns
export const ofApps: readonly Row[] = [
  //                                                            ada olga mallory admin vera vic here else adm's svc none
  ['GET',    '/api/v1/apps', undefined,                          200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  // Any person with full access imports; an app never does for one.
  ['POST',   '/api/v1/apps', zip,                                400, 400, 400, 400, 403, 403, 403, 403, 403, 403, 401],

  ['GET',    '/api/v1/apps/{hiddenApp}', undefined,              404, 200, 404, 200, 404, 404, 404, 404, 404, 403, 401],
  ['GET',    '/api/v1/apps/{hiddenApp}/assets/icon.png', undefined, 404, 200, 404, 200, 404, 404, 404, 404, 404, 403, 401],
  ['GET',    '/api/v1/apps/{hiddenApp}/bundle', undefined,       404, 200, 404, 200, 404, 404, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/apps/{hiddenApp}', private_,               404, 200, 404, 200, 404, 404, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/apps/{hiddenApp}', undefined,              404, 409, 404, 409, 404, 404, 403, 403, 403, 403, 401],
  // Administration is not acting for somebody: a PRIVATE app is run by its owner alone.
  ['POST',   '/api/v1/apps/{hiddenApp}/instances', {},           404, '-', 404, 403, 404, 404, 403, 403, 403, 403, 401],

  ['GET',    '/api/v1/apps/{app}', undefined,                    200, 200, 200, 200, 404, 404, 200, 200, 200, 403, 401],
  ['GET',    '/api/v1/apps/{publicApp}/assets/icon.png', undefined, 200, 200, 200, 200, 404, 404, 200, 200, 200, 403, 401],
  ['GET',    '/api/v1/apps/{app}/bundle', undefined,             200, 200, 200, 200, 404, 404, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/apps/{app}', { visibility: 'ALL_USERS' },  403, 200, 403, 200, 404, 404, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/apps/{app}', undefined,                    403, 409, 403, 409, 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/apps/{app}/instances', {},                 '-', '-', '-', '-', 404, 404, 403, 403, 403, 403, 401],

  // PUBLIC is listed for everyone one day; until then it is what ALL_USERS is, and a visitor needs a tag to see it.
  ['GET',    '/api/v1/apps/{publicApp}', undefined,              200, 200, 200, 200, 404, 404, 200, 200, 200, 403, 401],
  ['PATCH',  '/api/v1/apps/{publicApp}', { visibility: 'PUBLIC' }, 403, 200, 403, 200, 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/apps/{publicApp}/instances', {},           '-', '-', '-', '-', 404, 404, 403, 403, 403, 403, 401],

  // Whom it belongs to is its owner's and an administrator's to say.
  ['PATCH',  '/api/v1/apps/{hiddenApp}', { owner: 'mallory' },   404, '-', 404, '-', 404, 404, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/apps/{app}', { owner: 'mallory' },         403, '-', 403, '-', 404, 404, 403, 403, 403, 403, 401],
  // Looking again whether it can run is the owner's; at all of them, an administrator's.
  ['POST',   '/api/v1/apps/{hiddenApp}/preconditions', undefined, 404, 200, 404, 200, 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/apps/{app}/preconditions', undefined,      403, 200, 403, 200, 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/apps/preconditions', undefined,            403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  // What can be written into app.toml is for those who may import.
  ['GET',    '/api/v1/runtime-versions', undefined,              200, 200, 200, 200, 403, 403, 200, 200, 200, 403, 401],

  // Leads to what one may open; where that is nothing, to the app's page, which tells apart nothing either.
  ['GET',    '/api/v1/apps/{app}/visit', undefined,              303, 303, 303, 303, 303, 303, 303, 303, 303, 403, 401],
  ['GET',    '/api/v1/apps/{hiddenApp}/visit', undefined,        303, 303, 303, 303, 303, 303, 303, 303, 303, 403, 401],

  // Managed: its owner and administrators run it for all. A link has nothing to run.
  ['GET',    '/api/v1/apps/{managed}', undefined,                200, 200, 200, 200, 404, 404, 200, 200, 200, 403, 401],
  ['POST',   '/api/v1/apps/{managed}/instances', {},             403, '-', 403, '-', 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/apps/{link}/instances', {},                403, 403, 403, 403, 404, 404, 403, 403, 403, 403, 401],
];

// biome-ignore format: columns
export const ofInstances: readonly Row[] = [
  //                                                            ada olga mallory admin vera vic here else adm's svc none
  ['GET',    '/api/v1/app-usage?appIds={app}', undefined,        200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['GET',    '/api/v1/instances', undefined,                     200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],

  // Ada's PRIVATE instance of Olga's app: Olga sees it and its log, and can do nothing with it.
  ['GET',    '/api/v1/instances/{mine}', undefined,              200, 200, 404, 200, 404, 404, 200, 404, 404, 403, 401],
  ['GET',    '/api/v1/instances/{mine}/status', undefined,       200, 200, 404, 200, 404, 404, 200, 404, 404, 403, 401],
  ['GET',    '/api/v1/instances/{mine}/events', undefined,       200, 200, 404, 200, 404, 404, 200, 404, 404, 403, 401],
  ['GET',    '/api/v1/instances/{mine}/logs', undefined,         200, 200, 404, 200, 404, 404, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/instances/{mine}', private_,               200, 403, 404, 200, 404, 404, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/instances/{mine}', hour,                   403, 403, 404, 200, 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/instances/{mine}/suspend', undefined,      '-', 403, 404, '-', 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/instances/{mine}/resume', undefined,       409, 403, 404, 409, 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/instances/{mine}/extend', undefined,       200, 403, 404, 200, 404, 404, 403, 403, 403, 403, 401],
  // An administrator's would start it anew under the rows that follow: services/app-store/scheduler tries that.
  ['POST',   '/api/v1/instances/{mine}/redeploy', undefined,     403, 403, 404, '-', 404, 404, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/instances/{mine}', undefined,              '-', 403, 404, '-', 404, 404, 403, 403, 403, 403, 401],
  // Its pages are Ada's alone, and her own instance's token is hers.
  ['GET',    '/instance/{mine}/', undefined,                     200, 404, 404, 404, 404, 404, 200, 403, 403, 403, 307],
  ['GET',    '/instance/{mine}/deep/page?x=1', undefined,        200, 404, 404, 404, 404, 404, 200, 403, 403, 403, 307],

  // Given away it would open for the next one: not while its owner can sign in, and never by its owner or an app.
  ['PATCH',  '/api/v1/instances/{mine}', { owner: 'mallory' },   403, 403, 404, 409, 404, 404, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/instances/{paused}', { owner: 'mallory' }, 403, 403, 404, 409, 404, 404, 403, 403, 403, 403, 401],

  // The same while it is paused: who may, is told that it is so.
  ['GET',    '/api/v1/instances/{paused}', undefined,            200, 200, 404, 200, 404, 404, 404, 404, 404, 403, 401],
  ['GET',    '/api/v1/instances/{paused}/logs?previous=true', undefined, 200, 200, 404, 200, 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/instances/{paused}/suspend', undefined,    409, 403, 404, 409, 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/instances/{paused}/resume', undefined,     '-', 403, 404, '-', 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/instances/{paused}/extend', undefined,     409, 403, 404, 409, 404, 404, 403, 403, 403, 403, 401],
  ['GET',    '/instance/{paused}/', undefined,                   503, 404, 404, 404, 404, 404, 403, 403, 403, 403, 307],

  ['GET',    '/api/v1/instances/{shared}', undefined,            200, 200, 200, 200, 404, 404, 404, 404, 404, 403, 401],
  ['GET',    '/api/v1/instances/{shared}/status', undefined,     200, 200, 200, 200, 404, 404, 404, 404, 404, 403, 401],
  ['GET',    '/api/v1/instances/{shared}/events', undefined,     200, 200, 200, 200, 404, 404, 404, 404, 404, 403, 401],
  ['GET',    '/api/v1/instances/{shared}/logs', undefined,       200, 200, 403, 200, 404, 404, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/instances/{shared}', { visibility: 'ALL_USERS' }, 200, 403, 403, 200, 404, 404, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/instances/{shared}', hour,                 403, 403, 403, 200, 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/instances/{shared}/suspend', undefined,    '-', 403, 403, '-', 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/instances/{shared}/resume', undefined,     409, 403, 403, 409, 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/instances/{shared}/extend', undefined,     200, 403, 403, 200, 404, 404, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/instances/{shared}', undefined,            '-', 403, 403, '-', 404, 404, 403, 403, 403, 403, 401],
  ['GET',    '/instance/{shared}/', undefined,                   200, 200, 200, 200, 404, 404, 403, 403, 403, 403, 307],

  // PUBLIC opens for anyone who has its address; to find it or to look behind it takes more.
  ['GET',    '/api/v1/instances/{open}', undefined,              200, 200, 200, 200, 404, 404, 404, 404, 404, 403, 401],
  ['GET',    '/api/v1/instances/{open}/logs', undefined,         200, 200, 403, 200, 404, 404, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/instances/{open}', { visibility: 'PUBLIC' }, 200, 403, 403, 200, 404, 404, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/instances/{open}', undefined,              '-', 403, 403, '-', 404, 404, 403, 403, 403, 403, 401],
  ['GET',    '/instance/{open}/', undefined,                     200, 200, 200, 200, 200, 200, 403, 403, 403, 403, 307],

  // A visitor's own: everything that is an owner's, but no log.
  ['GET',    '/api/v1/instances/{veras}', undefined,             404, 200, 404, 200, 200, 404, 404, 404, 404, 403, 401],
  ['GET',    '/api/v1/instances/{veras}/status', undefined,      404, 200, 404, 200, 200, 404, 404, 404, 404, 403, 401],
  ['GET',    '/api/v1/instances/{veras}/events', undefined,      404, 200, 404, 200, 200, 404, 404, 404, 404, 403, 401],
  ['GET',    '/api/v1/instances/{veras}/logs', undefined,        404, 200, 404, 200, 403, 404, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/instances/{veras}', private_,              404, 403, 404, 200, 200, 404, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/instances/{veras}', hour,                  404, 403, 404, 200, 403, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/instances/{veras}/resume', undefined,      404, 403, 404, 409, 409, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/instances/{veras}/extend', undefined,      404, 403, 404, 200, 200, 404, 403, 403, 403, 403, 401],
  ['GET',    '/instance/{veras}/', undefined,                    404, 404, 404, 404, 200, 404, 403, 403, 403, 403, 307],

  // One that does not exist is answered as one that one may not know of.
  ['GET',    `/api/v1/instances/${noOne}`, undefined,            404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 401],
  ['DELETE', `/api/v1/instances/${noOne}`, undefined,            404, 404, 404, 404, 404, 404, 403, 403, 403, 403, 401],
];

// biome-ignore format: columns
export const ofPeople: readonly Row[] = [
  //                                                            ada olga mallory admin vera vic here else adm's svc none
  ['GET',    '/api/v1/me', undefined,                            200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['GET',    '/api/v1/me/tokens', undefined,                     200, 200, 200, 200, 200, 200, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/me/tokens/none', undefined,                404, 404, 404, 404, 404, 404, 403, 403, 403, 403, 401],
  // What happened: all of it is for administrators; only services of the platform tell of it.
  ['GET',    '/api/v1/audit-events/export?format=csv', undefined, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/audit-trail/v1/events:search', {},                403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/audit-trail/v1/events:batchCreate', { requests: [] }, 403, 403, 403, 403, 403, 403, 403, 403, 403, 200, 401],
  // An app that an administrator opened is no administrator.
  ['GET',    '/api/v1/people', undefined,                        403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/people', {},                               403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 401],
  ['GET',    '/api/v1/people/ada', undefined,                    403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/people/ada', { name: 'Ada' },              403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/people/ada', undefined,                    403, 403, 403, '-', 403, 403, 403, 403, 403, 403, 401],
  // A script's token never replaces a password; the portal's does.
  ['POST',   '/api/v1/people/ada/password', undefined,           403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 401],
  ['GET',    '/api/v1/people/ada/tokens', undefined,             403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/people/ada/tokens/none', undefined,        403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['GET',    '/api/v1/people/ada/belongings', undefined,         403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/people/ada/hand-over', { to: 'olga', apps: [], instances: [] }, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['GET',    '/api/v1/groups', undefined,                        403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/groups', {},                               403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 401],
  ['GET',    `/api/v1/groups/${noOne}`, undefined,               403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['PATCH',  `/api/v1/groups/${noOne}`, { name: 'g' },           403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['DELETE', `/api/v1/groups/${noOne}`, undefined,               403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['PUT',    `/api/v1/groups/${noOne}/members/ada`, undefined,   403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['DELETE', `/api/v1/groups/${noOne}/members/ada`, undefined,   403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['GET',    '/api/v1/roles', undefined,                         403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['PUT',    '/api/v1/roles/user/members/ada', undefined,        403, 403, 403, 204, 403, 403, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/roles/never-had/members/ada', undefined,   403, 403, 403, 204, 403, 403, 403, 403, 403, 403, 401],
  // Secrets are made at the portal, and not with a token for scripts.
  ['GET',    '/api/v1/service-accounts', undefined,              403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/service-accounts', {},                     403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 401],
  ['GET',    '/api/v1/service-accounts/none', undefined,         403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/service-accounts/none', {},                403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/service-accounts/none/secret', undefined,  403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/service-accounts/none', undefined,         403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  // Where people's names go is an administrator's to say, and no app's.
  ['GET',    '/api/v1/foreign-resources', undefined,             403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/foreign-resources', {},                    403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 401],
  ['GET',    '/api/v1/foreign-resources/none', undefined,        403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['PATCH',  '/api/v1/foreign-resources/none', {},               403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/foreign-resources/none', undefined,        403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  // Not even that somebody does not exist is for others.
  ['GET',    '/api/v1/people/nobody', undefined,                 403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
];

export const corp = { displayName: 'Corp', issuer: 'https://corp.example', clientId: 'haic' };
const bad = { name: 'No Name', values: { k: 'v' } };
const values = { values: { k: 'v' } };

// biome-ignore format: columns
export const ofSecrets: readonly Row[] = [
  //                                                            ada olga mallory admin vera vic here else adm's svc none
  // What an app may use it is given; it keeps and reads none for its person. Visitors have none.
  ['GET',    '/api/v1/secrets', undefined,                       200, 200, 200, 200, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/secrets', bad,                             400, 400, 400, 400, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/secrets', { ...bad, visibility: 'ALL_USERS' }, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 401],
  // Ada's own: nobody else learns that there is one, an administrator neither.
  ['GET',    '/api/v1/secrets/adas', undefined,                  200, 404, 404, 404, 403, 403, 403, 403, 403, 403, 401],
  ['PUT',    '/api/v1/secrets/adas', values,                     200, 404, 404, 404, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/secrets/adas/reveal', undefined,           200, 404, 404, 404, 403, 403, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/secrets/adas', undefined,                  '-', 404, 404, 404, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/secrets/adas/restore', undefined,          404, 404, 404, 404, 403, 403, 403, 403, 403, 403, 401],
  // For all users: used by everybody's apps, read and changed by administrators.
  ['GET',    '/api/v1/secrets/everybodys', undefined,            200, 200, 200, 200, 403, 403, 403, 403, 403, 403, 401],
  ['PUT',    '/api/v1/secrets/everybodys', values,               403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/secrets/everybodys/reveal', undefined,     403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/secrets/everybodys', undefined,            403, 403, 403, '-', 403, 403, 403, 403, 403, 403, 401],
  // Of an app: administrators alone know of it.
  ['GET',    '/api/v1/secrets?visibility=APP', undefined,        403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['GET',    '/api/v1/secrets/of-app?parent=app:x', undefined,   404, 404, 404, 200, 404, 404, 403, 403, 403, 403, 401],
  ['PUT',    '/api/v1/secrets/of-app?parent=app:x', values,      404, 404, 404, 200, 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/secrets/of-app/reveal?parent=app:x', undefined, 404, 404, 404, 200, 404, 404, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/secrets/of-app?parent=app:x', undefined,   404, 404, 404, '-', 404, 404, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/secrets/of-app/restore?parent=app:x', undefined, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403, 401],
];

const accounts = '/api/v1/connected-accounts';
const clients = '/api/v1/oauth-clients';

/** What the portal shows of the two. The OAuth client is an administrator's, the account Ada's. */
// biome-ignore format: columns
export const ofAccounts: readonly Row[] = [
  //                                                            ada olga mallory admin vera vic here else adm's svc none
  // An account at a provider is whose it is, and an app's that acts for them; the login needs the browser of the portal.
  ['GET',    accounts, undefined,                                200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['POST',   accounts, { client: 'corp', id: 'No' },             400, 400, 400, 400, 400, 400, 400, 400, 400, 403, 401],
  ['GET',    `${accounts}/corp/adas`, undefined,                 200, 404, 404, 404, 404, 404, 200, 200, 404, 403, 401],
  ['POST',   `${accounts}/corp/adas/login`, undefined,           403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 401],
  ['DELETE', `${accounts}/corp/adas`, undefined,                 '-', 404, 404, 404, 404, 404, '-', '-', 404, 403, 401],
  // Everybody may know what there is to connect with; administrators change it and learn who did, and no app for them.
  ['GET',    clients, undefined,                                 200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['GET',    `${clients}/corp`, undefined,                       200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['POST',   clients, { ...corp, id: 'corp' },                   403, 403, 403, 409, 403, 403, 403, 403, 403, 403, 401],
  ['PATCH',  `${clients}/corp`, { displayName: 'Corp' },         403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['PUT',    `${clients}/corp/secret`, { clientSecret: '' },     403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['GET',    `${clients}/corp/people`, undefined,                403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['DELETE', `${clients}/corp`, undefined,                       403, 403, 403, '-', 403, 403, 403, 403, 403, 403, 401],
];

const store = '/secure-store/v1';
const inTeam = `${store}/{team}/secrets`;
const value = { value: 'eA==' };

/** Ada owns the workspace, Olga is a viewer there. The OAuth client is an administrator's, the token source Ada's. */
// biome-ignore format: columns
export const ofSecureStore: readonly Row[] = [
  //                                                            ada olga mallory admin vera vic here else adm's svc none
  // Who is in the workspace sees what there is, editors read and change it; nobody else learns of it, an administrator neither.
  ['GET',    inTeam, undefined,                                  200, 200, 404, 404, 404, 404, 200, 200, 404, 403, 401],
  ['POST',   `${inTeam}?secretId=kept`, {},                      409, 403, 404, 404, 404, 404, 409, 409, 404, 403, 401],
  ['GET',    `${inTeam}/kept`, undefined,                        200, 200, 404, 404, 404, 404, 200, 200, 404, 403, 401],
  ['DELETE', `${inTeam}/kept`, undefined,                        '-', 403, 404, 404, 404, 404, '-', '-', 404, 403, 401],
  ['POST',   `${inTeam}/kept:undelete`, {},                      200, 403, 404, 404, 404, 404, 200, 200, 404, 403, 401],
  ['POST',   `${inTeam}/kept/versions`, value,                   200, 403, 404, 404, 404, 404, 200, 200, 404, 403, 401],
  ['GET',    `${inTeam}/kept/versions`, undefined,               200, 200, 404, 404, 404, 404, 200, 200, 404, 403, 401],
  ['GET',    `${inTeam}/kept/versions/latest`, undefined,        200, 200, 404, 404, 404, 404, 200, 200, 404, 403, 401],
  ['GET',    `${inTeam}/kept/versions/latest:revealValue`, undefined, 200, 403, 404, 404, 404, 404, 200, 200, 404, 403, 401],

  // What Haic is at other providers: everybody may know what there is to connect with, administrators change it, and no app for them.
  ['GET',    `${store}/oauthClients`, undefined,                 200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['GET',    `${store}/oauthClients/corp`, undefined,            200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['POST',   `${store}/oauthClients?oauthClientId=corp`, corp,   403, 403, 403, 409, 403, 403, 403, 403, 403, 403, 401],
  ['PATCH',  `${store}/oauthClients/corp?updateMask=display_name`, corp, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['DELETE', `${store}/oauthClients/corp`, undefined,            403, 403, 403, '-', 403, 403, 403, 403, 403, 403, 401],
  ['POST',   `${store}/oauthClients/corp:invalidateTokenSources`, undefined, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  // An account at a provider is whose it is; an app of theirs may act there, too.
  ['GET',    `${store}/oauthClients/corp/tokenSources`, undefined, 200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['POST',   `${store}/oauthClients/corp/tokenSources?tokenSourceId=No`, {}, 400, 400, 400, 400, 400, 400, 400, 400, 400, 403, 401],
  ['GET',    `${store}/oauthClients/corp/tokenSources/adas`, undefined, 200, 404, 404, 404, 404, 404, 200, 200, 404, 403, 401],
  ['DELETE', `${store}/oauthClients/corp/tokenSources/adas`, undefined, '-', 404, 404, 404, 404, 404, '-', '-', 404, 403, 401],
];

/**
 * Drive is no API with tokens: each asks for temporary keys, and signs with them. `keys` is what STS answers. `/_my` is everybody's own;
 * `{personal}` is Ada's personal workspace, where she keeps `adas`; `{shelf}` is a workspace of hers in which Olga is a viewer and Mallory an editor.
 */
// biome-ignore format: columns
export const ofDrive: readonly Row[] = [
  //                                                            ada olga mallory admin vera vic here else adm's svc none
  ['POST',   'keys', undefined,                                  200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 400],
  ['GET',    '/', undefined,                                     200, 200, 200, 200, 200, 200, 200, 200, 200, '-', 403],
  ['GET',    '/_my', undefined,                                  200, 200, 200, 200, 200, 200, 200, 200, 200, '-', 403],
  // What is Ada's is hers and what acts for her; an administrator of the platform is nobody there.
  ['GET',    '/_my/adas', undefined,                             200, 404, 404, 404, 404, 404, 200, 200, 404, '-', 403],
  ['GET',    '/{personal}/adas', undefined,                      200, 404, 404, 404, 404, 404, 200, 200, 404, '-', 403],
  ['PUT',    '/{personal}/adas', 'new',                          200, 404, 404, 404, 404, 404, 200, 200, 404, '-', 403],
  ['DELETE', '/{personal}/nothing', undefined,                   204, 404, 404, 404, 404, 404, 204, 204, 404, '-', 403],
  ['GET',    '/{shelf}/adas', undefined,                          200, 200, 200, 404, 404, 404, 200, 200, 404, '-', 403],
  ['GET',    '/{shelf}', undefined,                               200, 200, 200, 404, 404, 404, 200, 200, 404, '-', 403],
  ['PUT',    '/{shelf}/adas', 'new',                              200, 403, 200, 404, 404, 404, 200, 200, 404, '-', 403],
  ['DELETE', '/{shelf}/nothing', undefined,                       204, 403, 204, 404, 404, 404, 204, 204, 404, '-', 403],
  ['GET',    `/${noOne}`, undefined,                             404, 404, 404, 404, 404, 404, 404, 404, 404, '-', 403],
  ['PUT',    `/${noOne}`, undefined,                             404, 404, 404, 404, 404, 404, 404, 404, 404, '-', 403],
];

const remove = (bucket: string) => ({ kind: 'DELETE', bucket, keys: ['none'] });

// biome-ignore format: columns
export const ofDrivePage: readonly Row[] = [
  //                                                            ada olga mallory admin vera vic here else adm's svc none
  // Everybody has a bucket, and an app reads and writes its person's for them.
  ['GET',    '/api/v1/drive', undefined,                         200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['GET',    '/api/v1/drive/buckets', undefined,                 200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['GET',    '/api/v1/drive/buckets/_my', undefined,             200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['GET',    '/api/v1/drive/operations', undefined,              200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['GET',    '/api/v1/drive/operations/none', undefined,         404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 401],
  ['POST',   '/api/v1/drive/operations/none/cancel', undefined,  404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 401],
  // Ada's file, in her own bucket: by its name everybody else means their own.
  // What those who are gone left is an administrator's to hand over, and nobody's to look into.
  ['GET',    '/api/v1/drive/former-people', undefined,           403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/drive/former-people/none/hand-over', { to: 'olga' }, 403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['POST',   '/api/v1/drive/former-people/none/purge', undefined, 403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['GET',    '/api/v1/drive/quotas/people/none', undefined,      403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['PUT',    '/api/v1/drive/quotas/people/none', { quota: null }, 403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['DELETE', '/api/v1/drive/quotas/workspaces/none', undefined,  403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 401],
  ['GET',    '/api/v1/drive/buckets/_my/address?key=adas.txt', undefined, 200, 404, 404, 404, 404, 404, 200, 200, 404, 403, 401],
  ['POST',   '/api/v1/drive/buckets/_my/shares', { key: 'adas.txt', expiresInSeconds: 60 }, 201, 404, 404, 404, 404, 404, 201, 201, 404, 403, 401],
  // A workspace of Ada's: an administrator learns of it as little as anybody.
  ['GET',    '/api/v1/drive/buckets/_my/shares', undefined,      200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401],
  ['DELETE', '/api/v1/drive/buckets/{workspace}/shares/none', undefined, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 401],
  ['GET',    '/api/v1/drive/buckets/{workspace}', undefined,     200, 404, 404, 404, 404, 404, 200, 200, 404, 403, 401],
  ['GET',    '/api/v1/drive/buckets/{workspace}/entries', undefined, 200, 404, 404, 404, 404, 404, 200, 200, 404, 403, 401],
  ['GET',    '/api/v1/drive/buckets/{workspace}/trash', undefined, 200, 404, 404, 404, 404, 404, 200, 200, 404, 403, 401],
  ['GET',    '/api/v1/drive/buckets/{workspace}/uploads', undefined, 200, 404, 404, 404, 404, 404, 200, 200, 404, 403, 401],
  ['GET',    '/api/v1/drive/buckets/{workspace}/address?key=none', undefined, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 401],
  ['POST',   '/api/v1/drive/buckets/{workspace}/shares', { key: 'none', expiresInSeconds: 60 }, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 401],
  ['POST',   '/api/v1/drive/buckets/{workspace}/folders', { key: 'no slash' }, 400, 404, 404, 404, 404, 404, 400, 400, 404, 403, 401],
  ['POST',   '/api/v1/drive/buckets/{workspace}/uploads', { key: 'slash/', size: 1, modifiedAt: 1 }, 400, 404, 404, 404, 404, 404, 400, 400, 404, 403, 401],
  ['POST',   '/api/v1/drive/buckets/{workspace}/uploads/none/addresses', { key: 'k', partNumbers: [1] }, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 401],
  ['GET',    '/api/v1/drive/buckets/{workspace}/uploads/none/parts?key=k', undefined, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 401],
  ['POST',   '/api/v1/drive/buckets/{workspace}/uploads/none/complete', { key: 'k' }, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 401],
  ['DELETE', '/api/v1/drive/buckets/{workspace}/uploads/none?key=k', undefined, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 401],
  ['POST',   '/api/v1/drive/operations', { kind: 'RESTORE', bucket: '_my', trash: ['none'] }, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 401],
  // All who have full access read what is for everybody; who administers it changes it, and no app does.
  ['GET',    '/api/v1/drive/buckets/global/entries', undefined,  200, 200, 200, 200, 404, 404, 200, 200, 200, 403, 401],
  ['POST',   '/api/v1/drive/operations', remove('global'),       403, 403, 403, 200, 404, 404, 403, 403, 403, 403, 401],
];

// biome-ignore format: columns
export const ofEverybody: readonly Row[] = [
  ['GET', '/api/v1/no-such-route', undefined,                    404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404],
  ['GET', '/version', undefined,                                 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200],
  ['GET', '/.ai.h2o.cloud.discovery/v1/environment', undefined,  200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200],
  ['GET', '/.ai.h2o.cloud.discovery/v1/services', undefined,     200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200],
  ['GET', '/.ai.h2o.cloud.discovery/v1/clients', undefined,      200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200],
  ['GET', '/.ai.h2o.cloud.discovery/v1/links', undefined,        200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200],
  ['GET', '/.ai.h2o.cloud.discovery/v1/components', undefined,   200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200],
  ['GET', '/api/v1/openapi.json', undefined,                     200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200],
  ['GET', '/auth/realms/haic/.well-known/openid-configuration', undefined, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200],
];
