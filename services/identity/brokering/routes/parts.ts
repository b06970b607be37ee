import { HaicError } from '@haic/kit/errors.ts';
import type { FastifyReply, FastifyRequest } from '@haic/kit/http/server.ts';
import { messagePage } from '../../pages/messages.ts';
import { sendPage } from '../../routes/forms.ts';
import type { InteractionParts } from '../../routes/interaction.ts';
import type { CheckPassword } from '../../sign-in.ts';
import type { SignInTrail } from '../../sign-in-trail.ts';
import type { Arrivals } from '../arrivals.ts';
import type { Journeys } from '../journeys.ts';
import type { Upstream } from '../upstream.ts';

export interface BrokeringParts extends InteractionParts {
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly journeys: Journeys;
  readonly arrivals: Arrivals;
  readonly checkPassword: CheckPassword;
  readonly trail: SignInTrail;
}

export const config = { public: 'signing in at another provider' };

export const brokerPath = ({ issuerPath }: { issuerPath: string }, step: string) =>
  `${issuerPath}/broker/:alias/${step}`;

export const upstreamOf = (parts: BrokeringParts, request: FastifyRequest): Upstream | undefined =>
  parts.upstreams.get((request.params as { alias: string }).alias);

/** As it came: the protocol's checks want each parameter, also one that is there twice. */
export const queryOf = (request: FastifyRequest) => new URLSearchParams(request.url.split('?')[1] ?? '');

const uidForm = /^[A-Za-z0-9_-]{1,64}$/;
export const isInteractionUid = (text: string): boolean => uidForm.test(text);

/** Says what went wrong at the other provider, and leads back to the page with the other ways in. */
export function sendFailure(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: BrokeringParts,
  failure: { upstream: Upstream; interaction: string; error: unknown },
): FastifyReply {
  const { error, interaction, upstream } = failure;
  const { title, alias } = upstream.provider;
  if (!(error instanceof HaicError) || (error.status >= 500 && error.status !== 503)) throw error;
  request.log.warn(
    { err: error.cause ?? error, provider: alias },
    'A sign-in at another provider did not succeed.',
  );
  return sendPage(
    reply,
    error.status,
    messagePage({
      title: error.status === 503 ? `${title} cannot be reached` : `Not signed in with ${title}`,
      message: error.message,
      link: { href: `${parts.issuerPath}/login/${interaction}`, text: 'Back to the sign-in page' },
    }),
  );
}
