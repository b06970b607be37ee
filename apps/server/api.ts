import { describeApi } from '@haic/kit/http/openapi.ts';
import type { RateLimits } from '@haic/kit/http/rate-limit.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import { errorCodes } from './error-codes.ts';
import type { ServerSettings } from './settings.ts';

const publicPaths = ['/api/v1/', '/.ai.h2o.cloud.discovery/'];

/** The description of the whole API, made of the routes that are registered after this. */
export const describeHaic = (server: HttpServer, version: string, publicUrl: string): Promise<void> =>
  describeApi(server, {
    title: 'Haic',
    version,
    publicUrl,
    tags: {
      Apps: 'What can be run: bundles, each name in its versions.',
      Instances: 'What runs.',
      People: 'Who may sign in, for administrators.',
      'Service accounts': 'Machines that may do what people may, for administrators.',
      'Foreign resources': 'What others guard and apps may call as their person, for administrators.',
      'Sessions and tokens': 'Where people are signed in, and with which tokens.',
      Secrets: 'What apps use and nobody else sees.',
      'Connected accounts': 'Accounts at other providers, by which apps act for their person there.',
      'OAuth clients': 'What Haic is at other providers.',
      'Audit trail': 'What happened, and who did it.',
      Drive:
        'Files of people and workspaces. Their bytes go to and from Drive itself, at addresses that these give.',
      Discovery: 'Where everything is, for clients that know one address.',
      About: 'Who asks, and whom.',
    },
    errorCodes: Object.keys(errorCodes),
    describes: (path) => path === '/version' || publicPaths.some((prefix) => path.startsWith(prefix)),
  });

/** A sixth of a minute's requests may come at once; who is not signed in has a tenth of what a person has. */
export function rateLimitsOf({ apiRequestsPerMinute: perMinute }: ServerSettings): RateLimits {
  const rate = (share: number) => {
    const own = Math.ceil(perMinute * share);
    return { perMinute: own, burst: Math.ceil(own / 6) };
  };
  return { person: rate(1), address: rate(0.1) };
}
