import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Haic, startHaic } from '../test/support/haic.ts';
import { type Keycloak, startKeycloak } from '../test/support/keycloak.ts';
import { type IssuerUnderTest, refresh, signIn } from './code-flow.ts';
import { pidOf } from './haic.ts';
import { cpuSeconds } from './processes.ts';
import { atLeast, median, type Row, spread } from './rows.ts';

const rounds = 5;
/** Rounds that do not count: the peer's compiler needs them. */
const warmUps = 3;
const atOnce = 8;
const signIns = 60;
const refreshes = 400;
/** One for each that signs in at once: Haic lets nobody try a password for the same person ten times at the same moment. */
const people = Array.from({ length: atOnce }, (_, index) => `ada${index}`);
const password = 'measured, again and again';

/** One of the two issuers, and what it costs. */
interface Contender extends IssuerUnderTest {
  /** CPU seconds so far of all its processes, the database included. */
  cpu(): Promise<number>;
}

/** Row 11: sign-ins and refreshes for each second of CPU, the embedded issuer against Keycloak. */
export async function benchIdentity(): Promise<readonly Row[]> {
  const haic = await startHaic();
  const keycloak = await startKeycloak({ asReleased: true });
  try {
    await keycloak.importRealm(JSON.parse(await haic.run(['issuer', 'realm'])));
    for (const username of people) {
      await haic.run(['user', 'add', username, '--password-stdin'], { input: password });
      await keycloak.addUser('haic', { username, password, roles: ['user'] });
    }
    return await compareIssuers(await embedded(haic), peer(haic, keycloak));
  } finally {
    await haic.stop();
    await keycloak.stop();
  }
}

async function embedded(haic: Haic): Promise<Contender> {
  const postmaster = await readFile(path.join(haic.home, 'postgres/data/postmaster.pid'), 'utf8');
  const pids = [await pidOf(haic, 'core'), await pidOf(haic, 'router'), Number(postmaster.split('\n')[0])];
  return {
    issuer: `${haic.url}/auth/realms/haic`,
    redirectUri: `${haic.url}/auth/get-platform-token/callback`,
    cpu: async () => (await Promise.all(pids.map(cpuSeconds))).reduce((sum, one) => sum + one, 0),
  };
}

/** Its database is in its own process. */
const peer = (haic: Haic, keycloak: Keycloak): Contender => ({
  issuer: keycloak.issuer('haic'),
  redirectUri: `${haic.url}/auth/get-platform-token/callback`,
  cpu: () => cpuSeconds(keycloak.pid),
});

async function compareIssuers(ours: Contender, theirs: Contender): Promise<readonly Row[]> {
  const signInRates = { ours: [] as number[], theirs: [] as number[] };
  const refreshRates = { ours: [] as number[], theirs: [] as number[] };
  const both = [
    ['ours', ours],
    ['theirs', theirs],
  ] as const;
  for (let round = 0; round < warmUps + rounds; round += 1) {
    for (const [who, contender] of round % 2 === 0 ? both : both.toReversed()) {
      const signedIn = await perCpuSecond(contender, signIns, (username) =>
        signIn(contender, { username, password }),
      );
      const token = await signIn(contender, { username: people[0] ?? '', password });
      const refreshed = await perCpuSecond(contender, refreshes, () => refresh(contender, token));
      if (round < warmUps) continue;
      signInRates[who].push(signedIn);
      refreshRates[who].push(refreshed);
    }
  }
  const row = (id: string, name: string, found: { ours: number[]; theirs: number[] }, least: number) =>
    atLeast(
      {
        id,
        name,
        peer: 'Keycloak 26.7.3',
        unit: '/CPU s',
        ours: median(found.ours),
        theirs: median(found.theirs),
        note: `rounds: ours ${spread(found.ours)}, theirs ${spread(found.theirs)}; argon2id m=7 MiB t=5 p=1 on both; ours with router and PostgreSQL, theirs with H2 inside`,
      },
      least,
    );
  return [row('11', 'sign-ins', signInRates, 1), row('11.refresh', 'refreshes', refreshRates, 2)];
}

async function perCpuSecond(
  contender: Contender,
  count: number,
  work: (username: string) => Promise<unknown>,
) {
  const before = await contender.cpu();
  let left = count;
  const worker = async (username: string) => {
    while (left > 0) {
      left -= 1;
      await work(username);
    }
  };
  await Promise.all(people.map(worker));
  return count / ((await contender.cpu()) - before);
}
