import { posix } from 'node:path';
import { invalid } from '@haic/kit/errors.ts';
import type { PodTemplate, Probe, WorkloadSpec } from './port.ts';

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const claim = /^[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?$/;
const variable = /^[A-Za-z_][A-Za-z0-9_]{0,255}$/;
const key = /^(?!\.\.?$)[A-Za-z0-9._-]{1,253}$/;
const labelName = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
const largest = 16 * 1024 * 1024;

const refuse = (message: string) => invalid('invalid_workload', message);
function check(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw refuse(message());
}
/** Text from outside, short enough for a message. */
const shown = (text: unknown): string => JSON.stringify(String(text).slice(0, 80));

export function isWorkloadName(name: string): boolean {
  return label.test(name);
}

export function checkMetadata(spec: Pick<WorkloadSpec, 'labels' | 'annotations'>): void {
  for (const [name, value] of Object.entries(spec.labels)) {
    check(labelName.test(name), () => `${shown(name)} is not a name of a label.`);
    check(labelValue.test(value), () => `The label ${name} cannot have the value ${shown(value)}.`);
  }
  for (const [name, value] of Object.entries(spec.annotations)) {
    check(labelName.test(name), () => `${shown(name)} is not a name of an annotation.`);
    check(typeof value === 'string', () => `The annotation ${name} is not text.`);
  }
  check(
    Object.entries(spec.annotations).reduce((sum, [name, value]) => sum + name.length + value.length, 0) <=
      262_144,
    () => 'The annotations are larger than 256 KiB.',
  );
}

/**
 * Refuses with `invalid_workload` what no adapter may be asked for; all of it may have come from outside. `images` are those that the
 * adapter was configured with. `plainRoots`: without a sandbox, only places below these can be given to a workload.
 */
export function checkSpec(
  spec: WorkloadSpec,
  images: Readonly<Record<string, unknown>>,
  plainRoots?: readonly string[],
): void {
  check(isWorkloadName(spec.name), () => `${shown(spec.name)} is not a name of a workload.`);
  checkMetadata(spec);
  check(spec.replicas === 0 || spec.replicas === 1, () => 'replicas is 0 or 1.');
  const { template } = spec;
  check(Object.hasOwn(images, template.image), () => `There is no image ${shown(template.image)}.`);
  check(template.command.length > 0 && template.command[0] !== '', () => 'The command is empty.');
  for (const word of template.command) checkText(word, 'The command');
  if (template.workingDirectory !== undefined) checkPath(template.workingDirectory, 'The working directory');
  check(
    Number.isFinite(template.terminationGracePeriodSeconds) && template.terminationGracePeriodSeconds >= 0,
    () => 'The grace period is a number of seconds.',
  );
  checkSecret(template);
  checkPorts(template);
  checkEnvironment(template);
  checkVolumes(template, plainRoots);
  for (const [name, amount] of Object.entries(template.resources))
    check(Number.isFinite(amount) && Number(amount) > 0, () => `${name} is not a positive number.`);
  check(Number.isInteger(template.resources.gpus ?? 1), () => 'GPUs are given whole only.');
  checkPlacement(template);
}

function checkPlacement({ nodeSelector = {}, tolerations = [] }: PodTemplate): void {
  for (const [name, value] of Object.entries(nodeSelector))
    check(
      labelName.test(name) && labelValue.test(value),
      () => `${shown(`${name}=${value}`)} is not a label of a node.`,
    );
  for (const { key: name, value = '', effect } of tolerations) {
    check(labelName.test(name) && labelValue.test(value), () => `${shown(name)} is not a taint of a node.`);
    check(
      effect === undefined || ['NoSchedule', 'PreferNoSchedule', 'NoExecute'].includes(effect),
      () => `${shown(effect)} is not an effect of a taint.`,
    );
  }
}

function checkText(text: string, what: string): void {
  check(typeof text === 'string' && !text.includes('\0'), () => `${what} holds a NUL character.`);
}

function checkPath(text: string, what: string): void {
  checkText(text, what);
  check(
    text.startsWith('/') && posix.normalize(text) === text && (text === '/' || !text.endsWith('/')),
    () => `${what} is not a plain absolute path: ${shown(text)}.`,
  );
}

function checkSecret(template: PodTemplate): void {
  let size = 0;
  for (const [name, value] of Object.entries(template.secret)) {
    check(key.test(name), () => `${shown(name)} is not a key of a secret.`);
    size += value.length;
  }
  check(size <= largest, () => 'The secret is larger than 16 MiB.');
}

function checkPorts(template: PodTemplate): void {
  const numbers = new Set<number>();
  const names = new Set<string>();
  for (const { name, port } of template.ports) {
    check(label.test(name), () => `${shown(name)} is not a name of a port.`);
    check(!names.has(name), () => `The port ${name} is declared twice.`);
    names.add(name);
    if (port === undefined) continue;
    check(Number.isInteger(port) && port > 0 && port < 65_536, () => `${shown(port)} is not a port.`);
    check(!numbers.has(port), () => `Two ports have the number ${port}.`);
    numbers.add(port);
  }
  for (const [what, probe] of Object.entries({
    startup: template.startupProbe,
    readiness: template.readinessProbe,
    liveness: template.livenessProbe,
  })) {
    if (probe !== undefined) checkProbe(what, probe, names);
  }
}

function checkProbe(what: string, probe: Probe, ports: ReadonlySet<string>): void {
  check(
    ports.has(probe.check.port),
    () => `The ${what} probe asks an undeclared port: ${shown(probe.check.port)}.`,
  );
  if (probe.check.kind === 'http')
    // What would be two requests, or a request to another host, is no path.
    check(/^\/[\x21-\x7e]*$/.test(probe.check.path), () => `The path of the ${what} probe is not one.`);
  for (const value of [
    probe.initialDelaySeconds,
    probe.periodSeconds,
    probe.timeoutSeconds,
    probe.failureThreshold,
  ])
    check(
      value === undefined || (Number.isFinite(value) && value >= 0),
      () => `The ${what} probe has a bad number.`,
    );
  check(
    probe.periodSeconds === undefined || probe.periodSeconds >= 0.05,
    () => `The ${what} probe is too frequent.`,
  );
}

function checkEnvironment(template: PodTemplate): void {
  const ports = new Set(template.ports.map((port) => port.name));
  for (const entry of template.env) {
    check(variable.test(entry.name), () => `${shown(entry.name)} is not a name of a variable.`);
    if ('value' in entry) checkText(entry.value, `The variable ${entry.name}`);
    else if ('secretKey' in entry) {
      const value = Object.hasOwn(template.secret, entry.secretKey)
        ? template.secret[entry.secretKey]
        : undefined;
      check(value !== undefined, () => `The variable ${entry.name} wants a key that the secret has not.`);
      checkText(value, `The variable ${entry.name}`);
    } else check(ports.has(entry.portName), () => `The variable ${entry.name} wants an undeclared port.`);
  }
}

function checkVolumes(template: PodTemplate, plainRoots: readonly string[] | undefined): void {
  const seen = new Set<string>();
  for (const { name, mountPath, source } of template.volumes) {
    check(label.test(name), () => `${shown(name)} is not a name of a volume.`);
    checkPath(mountPath, `The mount path of ${name}`);
    const reserved = ['/', '/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc', '/proc', '/dev', '/sys'];
    check(!reserved.includes(mountPath), () => `A volume at ${mountPath} would hide the system.`);
    for (const unique of [
      `volume ${name}`,
      `mount path ${mountPath}`,
      `claim ${source.kind === 'persistent' ? source.claim : name}`,
    ]) {
      check(!seen.has(unique), () => `The ${unique} is given twice.`);
      seen.add(unique);
    }
    if (source.kind === 'persistent')
      check(claim.test(source.claim), () => `${shown(source.claim)} is not a name of a claim.`);
    if (source.kind === 'secret')
      for (const wanted of source.keys)
        check(
          Object.hasOwn(template.secret, wanted),
          () => `The volume ${name} wants the key ${shown(wanted)}, which the secret has not.`,
        );
    if (source.kind === 'memory')
      check(
        Number.isInteger(source.sizeBytes) && source.sizeBytes > 0,
        () => `The volume ${name} has no size.`,
      );
    check(
      plainRoots === undefined ||
        source.kind === 'memory' ||
        plainRoots.some((root) => mountPath === root || mountPath.startsWith(`${root}/`)),
      () =>
        `A volume at ${mountPath} needs the sandbox, which is not to be had on this machine (./haic doctor says why). Without it, volumes can be below ${plainRoots?.join(', ')} only.`,
    );
  }
}
