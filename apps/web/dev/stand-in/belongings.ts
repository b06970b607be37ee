import { text } from 'node:stream/consumers';
import type { Outcome } from '../../src/admin/belongings.ts';
import { type Call, json } from './api.ts';
import { Problem } from './problem.ts';

/** By name, as the platform does for who is gone. */
const ownedBy = ({ standIn }: Call, username: string) => ({
  apps: standIn.apps.filter((app) => app.owner.username === username),
  instances: standIn.instances.filter(({ gone, data }) => !gone && data.owner.username === username),
});

export function pauseAllOf(call: Call, username: string): void {
  for (const instance of ownedBy(call, username).instances)
    if (instance.data.status !== 'SUSPENDED') instance.pause();
}

export function answerBelongings(call: Call, username: string): void {
  const { apps, instances } = ownedBy(call, username);
  json(call.response, 200, {
    apps: apps.map(({ id, name, version, title, visibility }) => ({ id, name, version, title, visibility })),
    instances: instances.map(({ data: { id, app, status, visibility } }) => ({
      id,
      app,
      status,
      visibility,
    })),
    running: instances.filter(({ data }) => data.status !== 'SUSPENDED').length,
  });
}

/** To `guest` nothing can be given, so that a refusal can be seen. */
export async function answerHandOver(call: Call, username: string): Promise<void> {
  const body = JSON.parse(await text(call.request)) as { to: string; apps: string[]; instances: string[] };
  const outcomes = (ids: readonly string[]): Outcome[] =>
    ids.map((id) => {
      try {
        give(call, id, body.to);
        return { id };
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        return { id, problem: { code: error.code, message: error.message } };
      }
    });
  const { apps, instances } = ownedBy(call, username);
  json(call.response, 200, {
    apps: outcomes(apps.map(({ id }) => id).filter((id) => body.apps.includes(id))),
    instances: outcomes(instances.map(({ data }) => data.id).filter((id) => body.instances.includes(id))),
  });
}

/** Of an app or an instance, as PATCH with an owner does. */
export function give({ standIn }: Pick<Call, 'standIn'>, id: string, username: string): void {
  const to = standIn.people.find(({ person }) => person.username === username)?.person;
  if (to === undefined || to.disabled || !to.roles.includes('user'))
    throw new Problem(400, 'unsuitable_owner', `Nobody of the user name "${username}" may own apps here.`);
  const owner = { subject: to.subject, username };
  standIn.apps = standIn.apps.map((app) => (app.id === id ? { ...app, owner } : app));
  standIn.instances.find(({ data }) => data.id === id)?.set({ owner });
}
