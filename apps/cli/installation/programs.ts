import { copyFile, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { buildPrograms } from './build.ts';
import { buildH2o } from './build-h2o.ts';
import { programsId } from './build-id.ts';

/** Where an installation has its programs. */
export interface ProgramPlaces {
  readonly sandbox: string;
  readonly platform: string;
  /** The one file of the command line. */
  readonly cli: string;
}

/** Builds of other sources that are kept: of other clones, and of what one goes back to. */
const keptBuilds = 8;
const cliFile = 'h2o';

/** Puts the programs in their places: those that were built of the very same sources before, or new ones. */
export async function installPrograms(cache: string, places: ProgramPlaces): Promise<void> {
  const builds = path.join(cache, 'programs');
  const build = path.join(builds, await programsId());
  if (!(await exists(build))) await makeBuild(build);
  // The last use, by which old ones are told.
  await utimes(build, new Date(), new Date());
  await Promise.all([
    copyAll(path.join(build, 'sandbox'), places.sandbox),
    copyAll(path.join(build, 'platform'), places.platform),
    replaceBy(path.join(build, cliFile), places.cli),
  ]);
  await forgetOld(builds);
}

async function makeBuild(target: string): Promise<void> {
  const staging = `${target}.${process.pid}.tmp`;
  await rm(staging, { recursive: true, force: true });
  const [sandbox, platform] = [path.join(staging, 'sandbox'), path.join(staging, 'platform')];
  for (const directory of [sandbox, platform]) await mkdir(directory, { recursive: true });
  await Promise.all([buildPrograms({ sandbox, platform }), buildH2o(path.join(staging, cliFile))]);
  await rename(staging, target).catch(async (error: unknown) => {
    // Another installation was building the same and was quicker.
    if (!(await exists(target))) throw error;
    await rm(staging, { recursive: true, force: true });
  });
}

/** What a program loads when it needs it (`core-<hash>.mjs`). */
const isPart = (name: string) => /-[A-Z0-9]{8}\.mjs$/.test(name);

/** Parts are there before the program that names them, and older ones go after it. */
async function copyAll(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const names = await readdir(from);
  const copy = (some: readonly string[]) =>
    Promise.all(some.map((name) => replaceBy(path.join(from, name), path.join(to, name))));
  await copy(names.filter(isPart));
  await copy(names.filter((name) => !isPart(name)));
  const old = (await readdir(to)).filter((name) => isPart(name) && !names.includes(name));
  await Promise.all(old.map((name) => rm(path.join(to, name), { force: true })));
}

/** At once: a process that starts at this moment finds the old program or the new one. */
async function replaceBy(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true, mode: 0o755 });
  const staging = `${to}.${process.pid}.tmp`;
  await copyFile(from, staging);
  await rename(staging, to);
}

async function forgetOld(builds: string): Promise<void> {
  const dated = await Promise.all(
    (await readdir(builds)).map(async (name) => {
      const file = path.join(builds, name);
      return { file, at: (await stat(file).catch(() => undefined))?.mtimeMs ?? 0 };
    }),
  );
  const old = dated.sort((a, b) => b.at - a.at).slice(keptBuilds);
  await Promise.all(old.map(({ file }) => rm(file, { recursive: true, force: true })));
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );
