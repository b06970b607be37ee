import { atMost, compare, type Row } from '../rows.ts';
import type { Figures } from './measure.ts';

/** What is flat costs, with all of them, at most so many times what it costs with few. */
const flat = 1.15;
/** Of core in the chart (`deploy/charts/haic`), in MB. */
const memoryOfCore = 1_024;
/** In which whatever is changed past Haic is to be seen, in ms. */
const promised = 10_000;

/**
 * The least number of instances against the greatest: flat is what costs the same. Requests are told in multiples of one that asks core for
 * nothing that grows (who one is): they were made in turn, while the sizes lie minutes apart and the machine may have become a slower one.
 */
export function rowsOf(seen: readonly Figures[], { people }: { readonly people: number }): readonly Row[] {
  const [few, many] = [seen.at(0), seen.at(-1)];
  if (few === undefined || many === undefined) return [];
  const peer = `itself with ${few.instances}`;
  const course = (figure: (figures: Figures) => number, unit: string): string =>
    seen.map((each) => `${short(figure(each))} ${unit} with ${each.instances}`).join(', ');
  const failures = seen.flatMap(({ restart }) => restart.failures);
  const requests = ['plain', 'listOwn', 'listAll', 'get', 'open'] as const;
  const refused = (figures: Figures) => requests.reduce((sum, name) => sum + figures[name].failures, 0);
  const asked = (['listOwn', 'listAll', 'get', 'open'] as const).map((name) =>
    compare(
      {
        id: `13.kubernetes.${names[name].id}`,
        name: names[name].what,
        peer,
        unit: '× plain',
        ours: many[name].cpu / many.plain.cpu,
        theirs: few[name].cpu / few.plain.cpu,
        note: `CPU of router and core: ${course((each) => each[name].cpu, 'ms')}; p50: ${course((each) => each[name].p50, 'ms')}`,
      },
      flat,
    ),
  );
  const plain = compare(
    {
      id: '13.kubernetes.plain',
      name: 'a plain request: who one is',
      peer,
      unit: 'ms CPU',
      ours: many.plain.cpu,
      theirs: few.plain.cpu,
      note: `how much slower the machine was; p50: ${course((each) => each.plain.p50, 'ms')}`,
    },
    undefined,
  );
  const shared = { peer, unit: 'ms' };
  const alone = { peer: '-', theirs: null };
  const failed = seen.flatMap(({ burst }) => burst.failed);
  const doubles = seen.reduce((sum, { burst }) => sum + Math.abs(burst.doubles), 0);
  return [
    plain,
    ...asked,
    atMost(
      {
        ...alone,
        id: '13.kubernetes.requests',
        name: 'of all these, those that failed',
        unit: '',
        ours: seen.reduce((sum, each) => sum + refused(each), 0),
        note: course(refused, 'failed'),
      },
      0,
    ),
    compare(
      {
        ...shared,
        id: '13.kubernetes.start',
        name: 'start of one: click to DEPLOYED, median',
        ours: many.start,
        theirs: few.start,
        note: `${course((each) => each.start, 'ms')}; until the release is made: ${course((each) => each.made, 'ms')}; CPU of core and helm: ${course((each) => each.startCpu, 's')}`,
      },
      undefined,
    ),
    compare(
      {
        peer,
        unit: 's CPU',
        id: '13.kubernetes.start-cpu',
        name: 'start of one: core and helm',
        ours: many.startCpu,
        theirs: few.startCpu,
      },
      flat,
    ),
    atMost(
      {
        ...alone,
        id: '13.kubernetes.burst',
        name: 'starts that failed or were doubled, at once',
        unit: '',
        ours: failed.length + doubles,
        note: `${people} people; ${course((each) => each.burst.seconds, 's')}${failed[0] === undefined ? '' : `; the first: ${failed[0].slice(0, 200)}`}`,
      },
      0,
    ),
    atMost(
      {
        ...alone,
        id: '13.kubernetes.burst-memory',
        name: 'core and its helm meanwhile, PSS, the most',
        unit: 'MB',
        ours: Math.max(...seen.map(({ burst }) => burst.memory)),
        note: course((each) => each.burst.memory, 'MB'),
      },
      memoryOfCore,
    ),
    atMost(
      {
        ...alone,
        id: '13.kubernetes.change',
        name: 'a change past Haic until the router knows, median',
        unit: 'ms',
        ours: many.change,
        note: course((each) => each.change, 'ms'),
      },
      promised,
    ),
    atMost(
      {
        ...alone,
        id: '13.kubernetes.memory',
        name: 'core, PSS',
        unit: 'MB',
        ours: many.memory.core,
        note: `${course((each) => each.memory.core, 'MB')}; router: ${course((each) => each.memory.router, 'MB')}`,
      },
      memoryOfCore / 2,
    ),
    atMost(
      {
        ...alone,
        id: '13.kubernetes.restart',
        name: 'core killed until it lists all again',
        unit: 'ms',
        ours: many.restart.listed,
        note: `${course((each) => each.restart.listed, 'ms')}; CPU ${course((each) => each.restart.cpu, 's')}`,
      },
      promised,
    ),
    atMost(
      {
        ...alone,
        id: '13.kubernetes.restart-requests',
        name: 'requests to apps that failed while core was away',
        unit: '',
        ours: failures.length,
        // Each has an id of its own; the first ones tell enough.
        note: failures.slice(0, 3).join('; '),
      },
      0,
    ),
    atMost(
      {
        ...alone,
        id: '13.kubernetes.idle',
        name: 'core, CPU while nobody asks',
        unit: 'ms a second',
        ours: many.idle,
        note: course((each) => each.idle, 'ms'),
      },
      20,
    ),
  ];
}

const names = {
  listOwn: { id: 'list', what: 'list of one’s own' },
  listAll: { id: 'list-all', what: 'first hundred of all' },
  get: { id: 'get', what: 'get of one' },
  open: { id: 'route', what: 'request to an app' },
} as const;

const short = (value: number): string => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
