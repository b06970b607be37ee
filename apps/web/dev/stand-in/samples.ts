import type { App, Me } from '../../src/api/types.ts';

export const ada = { subject: '5d0c8d2e-0001-4000-8000-000000000001', username: 'ada' };
export const grace = { subject: '5d0c8d2e-0002-4000-8000-000000000002', username: 'grace.hopper' };

export const meOf = (publicUrl: string): Me => ({
  ...ada,
  name: 'Ada Lovelace',
  email: 'ada@example.org',
  roles: ['admin', 'user'],
  groups: ['analysts'],
  isAdmin: true,
  fullAccess: true,
  isolation: {
    kind: 'local',
    isolation: ['an own user id for each app', 'a private file system'],
    missing: [
      { what: 'All apps share one kernel with the platform.', remedy: 'Run Haic on Kubernetes.' },
      {
        what: 'All apps share one network: an app can reach what this machine can reach.',
        remedy: 'Run Haic on Kubernetes.',
      },
    ],
  },
  environment: {
    publicUrl,
    issuerUrl: `${publicUrl}/auth/realms/haic`,
    platformClientId: 'haic-platform',
    cliClientId: 'haic-cli',
    tokenEndpoint: `${publicUrl}/auth/realms/haic/protocol/openid-connect/token`,
  },
});

/** A picture as an SVG, in place of an author's PNG. */
export const picture = (label: string, hue: number, width: number, height: number): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"><rect width="${width}" height="${height}" fill="hsl(${hue} 45% 32%)"/><path d="M0 ${height * 0.8} Q ${width * 0.25} ${height * 0.4} ${width * 0.5} ${height * 0.65} T ${width} ${height * 0.35} V ${height} H 0 Z" fill="hsl(${hue} 60% 55%)"/><text x="50%" y="28%" fill="#fff" font-family="sans-serif" font-size="${height / 9}" text-anchor="middle">${label}</text></svg>`;

const longDescription = `# What it does

Shows **churn** by segment, and *why* the model believes it. See the [guide](https://example.org/guide) for the method.

| Segment | Customers | Risk |
| --- | ---: | --- |
| New | 1,204 | high |
| Loyal | 880 | low |

- [x] Explains every score
- [ ] Speaks French

### Views

- Overview of all segments
- One customer, with the reasons
- What would change the outcome

<script>document.title = 'taken over'</script>
<img src="x" onerror="document.title = 'taken over'">

[Do not follow this](javascript:document.title='taken-over') and ![a tracker](https://tracker.example.org/pixel.png)

\`\`\`
h2o app run churn
\`\`\`
`;

interface Sample extends Partial<App> {
  readonly name: string;
  readonly title: string;
}

const samples: readonly Sample[] = [
  {
    name: 'ai.h2o.churn',
    title: 'Churn explorer',
    description: 'See who may leave, and why: segments, reasons, what-if.',
    tags: ['Finance', 'Explainable', 'Wave', 'Tabular'],
    longDescription,
    screenshots: ['1', '2', '3'],
  },
  { name: 'ai.h2o.hello', title: 'Hello', description: 'The smallest Wave app there is.', tags: ['Sample'] },
  {
    name: 'ai.h2o.whoami',
    title: 'Who am I',
    description: 'Shows your name, roles and groups as the app sees them.',
    tags: ['Sample', 'Identity'],
    oidc: true,
  },
  {
    name: 'ai.h2o.broken',
    title: 'Broken on purpose',
    description: 'Imports a module that is not there.',
    tags: ['Sample'],
  },
  {
    name: 'ai.h2o.market',
    title: 'Market monitor',
    description: 'One instance for all, run by its owner.',
    lifecycle: 'MANAGED',
    owner: grace,
    canManage: false,
    canRun: false,
    cannotRunBecause: 'Only its owner runs this app; you may visit it.',
    tags: ['Finance'],
  },
  {
    name: 'org.example.docs',
    title: 'Wave documentation',
    description: 'The guides and the reference, at their own place.',
    lifecycle: 'LINK',
    linkAddress: 'https://wave.h2o.ai/docs/getting-started',
    owner: grace,
    canManage: false,
    tags: ['Documentation'],
  },
];

/** Appended, so that the others keep their places. */
const failing: Sample = {
  name: 'org.example.retired',
  title: 'Sales forecast 2022',
  description: 'Ran on a Python that this machine no longer has.',
  tags: ['Retail'],
  precondition: {
    status: 'FAILED',
    problems: [
      {
        code: 'python_missing',
        message:
          'The runtime version deb_py39 needs Python 3.9, which is not installed on this machine. There is: 3.11. An administrator can install it, or let deb_py39 be an alias of another one (HAIC_RUNTIME_VERSIONS).',
        blocks: true,
      },
    ],
    checkedAt: new Date(Date.now() - 1_200_000).toISOString(),
  },
  canRun: false,
  cannotRunBecause:
    'This app cannot run here just now. The runtime version deb_py39 needs Python 3.9, which is not installed on this machine.',
};

const more = [
  'Credit risk',
  'Demand forecast',
  'Image labeller',
  'Fraud rings',
  'Text summary',
  'Model cards',
  'Drift watch',
  'Route planner',
  'Energy use',
  'Sentiment board',
  'Time series lab',
  'Data quality',
  'Price elasticity',
  'Audio tags',
  'Survey reader',
  'Claims triage',
  'Basket analysis',
  'Leaderboard',
  'Feature gallery',
  'Experiment diary',
  'Stock levels',
  'A very long title that needs two lines or even more of them',
]; // prettier-ignore

export function sampleApps(): App[] {
  const generated: Sample[] = more.map((title) => ({
    name: `org.example.${title.toLowerCase().replaceAll(' ', '-')}`,
    title,
    description: `${title}, as an interactive app for analysts and for those who decide.`,
    tags: ['Tabular'],
    icon: null,
    owner: grace,
    canManage: false,
  }));
  return [...samples, ...generated, failing].map((sample, index) => complete(sample, index));
}

function complete(sample: Sample, index: number): App {
  const id = `a0000000-0000-4000-8000-${String(index + 1).padStart(12, '0')}`;
  const createdAt = new Date(Date.now() - (index + 1) * 5_400_000).toISOString();
  return {
    version: '1.2.0',
    description: '',
    longDescription: '',
    owner: ada,
    visibility: 'ALL_USERS',
    lifecycle: 'ON_DEMAND',
    tags: [],
    mode: 'wave',
    routingMode: 'DOMAIN',
    oidc: false,
    precondition: { status: 'PASSED', problems: [], checkedAt: createdAt },
    createdAt,
    updatedAt: createdAt,
    linkAddress: null,
    canRun: true,
    canManage: true,
    ...sample,
    id,
    icon: sample.icon === null ? null : `/api/v1/apps/${id}/assets/icon.svg`,
    screenshots: (sample.screenshots ?? []).map((n) => `/api/v1/apps/${id}/assets/screenshot-${n}.svg`),
  };
}

export const pythonTraceback = [
  'Traceback (most recent call last):',
  '  File "/usr/lib/python3.11/runpy.py", line 198, in _run_module_as_main',
  '    return _run_code(code, main_globals, None,',
  '  File "/app/app.py", line 3, in <module>',
  '    import pandaz',
  "ModuleNotFoundError: No module named 'pandaz'",
];
