import process from 'node:process';
import { table } from '../rows.ts';
import { type Figures, measure } from './measure.ts';
import { rowsOf } from './rows.ts';
import { startWorld } from './world.ts';

export interface Plan {
  /** Numbers of instances, growing. */
  readonly sizes: readonly number[];
  readonly people: number;
  /** Starts at once. */
  readonly atOnce: number;
  /** The first of other people's instances, by real starts; the others are copies of one of them. */
  readonly started: number;
}

/** What somebody has who asks for their own. */
const handful = 5;

/** `node inside.ts <plan as JSON>` in the network of a cluster with fake nodes: writes rows as JSON to stdout, and how far it is to stderr. */
const plan = JSON.parse(process.argv[2] ?? '') as Plan;
const began = performance.now();
const tell = (text: string): void =>
  void process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);
const world = await startWorld({ people: plan.people, tell });
try {
  tell(`Starting ${plan.started} by Helm …`);
  const first = [
    ...Array.from({ length: handful }, () => world.asker),
    ...world.people.slice(0, plan.started),
  ];
  await Promise.all(first.map((person) => world.start(person)));
  const seen: Figures[] = [];
  for (const [round, size] of plan.sizes.entries()) {
    await world.fill(size);
    seen.push(await measure(world, { atOnce: plan.atOnce, round, tell }));
    tell(JSON.stringify(seen.at(-1)));
  }
  const rows = rowsOf(seen, plan);
  process.stderr.write(`${table(rows)}\n`);
  process.stdout.write(JSON.stringify(rows));
} finally {
  await world.stop();
}
process.exit();
