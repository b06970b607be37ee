import type { AuditedAction, EventJsonValue } from '../client.ts';
import { limits, metadataKey } from '../model.ts';
import { workspaceIn } from '../resource.ts';
import { redacted } from '../source-address.ts';

export interface ToldJson extends Readonly<Record<string, EventJsonValue>> {
  readonly resource: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * What is told, in the form that the trail takes: what came from outside (a user agent, a name, an address) is cut and cleaned, so that no caller can
 * make an event that the trail refuses.
 */
export function eventJsonOf(action: AuditedAction): ToldJson {
  const [resource, unclear] = resourceOf(action.resource);
  const workspace = action.workspace === undefined ? '' : clean(action.workspace, limits.name);
  const { status } = action;
  return {
    eventTime: (action.eventTime ?? new Date()).toISOString(),
    eventSource: `haic-${serviceOf(action.action)}`,
    action: clean(action.action, limits.name) || 'actions/unknown',
    readOnly: action.readOnly,
    principal: principalOf(action.principal),
    sourceIpAddress: redacted(action.sourceIpAddress ?? '') ?? '',
    resource,
    requestParameters: cleanPairs(action.requestParameters ?? {}, () => true),
    userAgent: clean(action.userAgent ?? '', limits.userAgent),
    metadata: cleanPairs({ ...action.metadata, ...unclear }, (key) => metadataKey.test(key)),
    // What no request caused, the platform did by itself.
    type: action.sourceIpAddress === undefined ? 'TYPE_SYSTEM' : 'TYPE_API',
    ...(/^workspaces\/[^\s/]+$/.test(workspace) ? { workspaceOverride: workspace } : {}),
    ...(status === undefined ? {} : { status: statusJson(status) }),
  };
}

export const statusJson = ({ code, message }: { code: number; message: string }) => ({
  code,
  message: clean(message, limits.statusMessage),
});

/** Of `actions/<service>/…`. */
const serviceOf = (action: string): string => /^actions\/([a-z0-9-]{1,60})\//.exec(action)?.[1] ?? 'platform';

const clean = (text: string, most: number): string => {
  const whole = text.toWellFormed().replace(/\p{Cc}+/gu, ' ');
  // Not through the middle of a character.
  return whole.slice(0, most).toWellFormed();
};

function principalOf(principal: string): string {
  const [, kind = 'users', id = ''] = /^(users|services)\/(.*)$/s.exec(principal) ?? [];
  return `${kind}/${
    id
      .toWellFormed()
      .replace(/[\s/\p{C}]/gu, '_')
      .slice(0, 200)
      .replace(/\p{C}/gu, '_') || 'unknown'
  }`;
}

/** A name that cannot be one of a resource is kept all the same. */
function resourceOf(told: string | undefined): readonly [resource: string, unclear: Record<string, string>] {
  const resource = clean(told ?? '', limits.resource);
  try {
    workspaceIn(resource);
    return [resource, {}];
  } catch {
    return ['', { resource_told: resource }];
  }
}

function cleanPairs(
  map: Readonly<Record<string, string>>,
  isKey: (key: string) => boolean,
): Record<string, string> {
  const entries = Object.entries(map)
    .map(([key, value]) => [clean(key, limits.key), clean(value, limits.value)] as const)
    .filter(([key]) => key !== '' && key !== '__proto__' && isKey(key));
  return Object.fromEntries(entries.slice(0, limits.pairs));
}
