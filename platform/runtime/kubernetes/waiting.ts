import { inBytes } from '../termination.ts';
import type { Facts } from './facts.ts';
import type { Condition, KubeEvent, Pod } from './objects.ts';

interface Said {
  readonly reason: string;
  readonly message: string;
}
const nothing: Said = { reason: '', message: '' };

/** No pod could be made, or none is made yet. */
export function whyNoPod(facts: Facts): Said {
  const { controller } = facts;
  const failure =
    controller.kind === 'Deployment'
      ? conditionIn(controller.status?.conditions, 'ReplicaFailure')?.message
      : facts.events('Job', controller.metadata.name).find(({ reason }) => reason === 'FailedCreate')
          ?.message;
  if (failure === undefined) return nothing;
  return (
    explainRefusal(failure) ?? {
      reason: 'FailedCreate',
      message: `The cluster makes no pod for it: ${failure}`,
    }
  );
}

/** Why the API server would not make something: a quota, limits, or the namespace's security rules. */
export function explainRefusal(text: string): Said | undefined {
  const quota = /exceeded quota: (\S+?), requested: (.+), used: (.+), limited: ([^\n]+)/.exec(text);
  if (quota !== null) {
    const [, name, wanted, used, limit] = quota;
    const message =
      `The quota "${name}" is used up: it allows ${limit}, of which ${used} is in use, and this wants ${wanted}. ` +
      'Pause or remove something, or ask whoever runs the cluster for more.';
    return { reason: 'QuotaExceeded', message };
  }
  const unset = /failed quota: (\S+?): must specify (.+)$/.exec(text);
  if (unset !== null)
    return {
      reason: 'QuotaExceeded',
      message: `The quota "${unset[1]}" lets in only what says how much it needs: ${unset[2]}.`,
    };
  if (/violates PodSecurity/.test(text))
    return {
      reason: 'NotAllowed',
      message: `The security rules of the namespace do not allow it: ${afterForbidden(text)}`,
    };
  if (/is forbidden/.test(text))
    return { reason: 'NotAllowed', message: `The cluster does not allow it: ${afterForbidden(text)}` };
  return undefined;
}

const afterForbidden = (text: string): string => text.replace(/^.*?is forbidden: /s, '');

/** There is a pod, and no process in it yet. */
export function whyNotRunning(
  facts: Facts,
  pod: Pod,
  waiting: { reason?: string; message?: string } | undefined,
): Said {
  const scheduled = conditionIn(pod.status?.conditions, 'PodScheduled');
  if (scheduled?.status === 'False') return whyUnscheduled(facts, scheduled);
  const { reason = '', message = '' } = waiting ?? {};
  if (/^(ErrImage|ImagePull|InvalidImage|ImageInspect|RegistryUnavailable)/.test(reason))
    return {
      reason,
      message: imageTrouble(facts.template.image, reason, message, facts.events('Pod', pod.metadata.name)),
    };
  if (reason !== '' && reason !== 'ContainerCreating' && reason !== 'PodInitializing')
    return { reason, message: `It cannot be started: ${message || reason}` };
  return whyPreparing(facts.events('Pod', pod.metadata.name));
}

function whyPreparing([latest]: readonly KubeEvent[]): Said {
  const { reason = '', message = '' } = latest ?? {};
  if (reason === 'Pulling') return { reason: 'ImagePulling', message: 'Its image is being fetched.' };
  if (/^Failed(Mount|AttachVolume|MapVolume)/.test(reason))
    return { reason, message: `A volume cannot be mounted: ${message}` };
  if (reason === 'FailedCreatePodSandBox')
    return { reason, message: `Its node cannot prepare it: ${message}` };
  return nothing;
}

const telling =
  /not found|unknown|exist|denied|unauthorized|forbidden|host|refused|timeout|unreachable|dial/i;

function imageTrouble(image: string, reason: string, message: string, events: readonly KubeEvent[]): string {
  if (reason === 'ErrImageNeverPull')
    return `The image "${image}" is not on the node and may not be fetched.`;
  if (reason === 'InvalidImageName') return `The image "${image}" has a name that is none: ${message}`;
  // "Back-off pulling image" says nothing; the failure before it does.
  const all = [message, ...events.map((event) => event.message ?? '')];
  const text = all.find((said) => telling.test(said)) ?? message;
  const because = /not found|manifest unknown|does not exist/i.test(text)
    ? 'the registry does not have it'
    : /unauthorized|denied|forbidden|401|403/i.test(text)
      ? 'the registry refuses it; check the pull secret'
      : /no such host|refused|timeout|unreachable|dial tcp/i.test(text)
        ? 'the registry cannot be reached'
        : text.replace(/^.*: /s, '');
  return `The image "${image}" cannot be fetched: ${because}. It is tried again.`;
}

function whyUnscheduled(facts: Facts, { message = '' }: Condition): Said {
  const pending = facts.claims.find(({ status }) => status?.phase !== 'Bound');
  if (/persistentvolumeclaim/i.test(message) && pending !== undefined)
    return whyUnbound(facts, pending.metadata.name);
  // What follows is about pods that could be thrown out for it.
  const told = message.replace(/\s*(preemption:|no new claims).*$/s, '').trim();
  const lacking = [...told.matchAll(/Insufficient ([\w./-]*\w)/g)].map(([, name = '']) =>
    wanted(facts, name),
  );
  const reasons = [
    ...(lacking.length === 0 ? [] : [`no node has enough free ${[...new Set(lacking)].join(' and ')}`]),
    ...(/affinity\/selector|node selector/.test(told)
      ? [`no node has the labels that it wants${selector(facts)}`]
      : []),
    ...(/untolerated taint/.test(told) ? [`nodes are kept for others (${taints(told)})`] : []),
    ...(/unschedulable/.test(told) ? ['nodes take nothing new for now'] : []),
    ...(/Too many pods/.test(told) ? ['nodes hold as many pods as they may'] : []),
  ];
  const [first] = reasons;
  if (first === undefined)
    return {
      reason: 'Unschedulable',
      message: `No node takes it: ${told || 'the scheduler does not say why'}`,
    };
  const text = reasons.join(', and ');
  return {
    reason: 'Unschedulable',
    message: `${text.charAt(0).toUpperCase()}${text.slice(1)}. It starts as soon as one does. (${told.replace(/\.$/, '')})`,
  };
}

/** The resource in people's words, with how much of it was asked for. */
function wanted({ template: { resources } }: Facts, resource: string): string {
  const memory = resources.memoryRequest ?? resources.memoryLimit;
  const cpu = resources.cpuRequest ?? resources.cpuLimit;
  if (resource === 'memory') return `memory${memory === undefined ? '' : ` (it wants ${inBytes(memory)})`}`;
  if (resource === 'cpu') return `CPU${cpu === undefined ? '' : ` (it wants ${cpu / 1000} cores)`}`;
  if (resources.gpus !== undefined && resource.endsWith('gpu'))
    return `GPUs (it wants ${resources.gpus} of ${resource})`;
  return resource;
}

const selector = ({ template: { nodeSelector = {} } }: Facts): string => {
  const labels = Object.entries(nodeSelector).map(([key, value]) => `${key}=${value}`);
  return labels.length === 0 ? '' : ` (${labels.join(', ')})`;
};

const taints = (text: string): string =>
  [...text.matchAll(/untolerated taint\(?s?\)? ?\{([^}]+)\}/g)]
    .map(([, taint]) => taint?.replace(/: ?$/, ''))
    .join(', ') || 'taints';

function whyUnbound(facts: Facts, claim: string): Said {
  const latest = facts
    .events('PersistentVolumeClaim', claim)
    .find(({ reason = '' }) => reason === 'ProvisioningFailed' || reason === 'FailedBinding');
  const text = latest?.message ?? '';
  const because = /storageclass\S* "(.+?)" not found/i.exec(text);
  const why =
    because !== null
      ? `there is no storage class "${because[1]}"`
      : /no persistent volumes available/.test(text)
        ? 'the cluster has no storage class to make it with, and none that was made by hand'
        : text || 'the cluster has not made it yet';
  return {
    reason: 'VolumePending',
    message: `Its volume "${claim}" is not there: ${why}. It starts as soon as it is.`,
  };
}

const conditionIn = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type);
