import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HaicError } from '@haic/kit/errors.ts';
import { parseManifest } from './manifest/parse-manifest.ts';
import { checkBundle, craftZip, helloToml, png, runtimeVersions, zipOf } from './testing.ts';

const runs = Number(process.env.HAIC_FUZZ_RUNS ?? 400);
const seed = Number(process.env.HAIC_FUZZ_SEED ?? 1);

/** A small generator whose sequence a seed repeats (mulberry32). */
function randomFrom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const interesting = [0, 1, 0x7f, 0x80, 0xff, 0x2f, 0x5c, 0x50, 0x4b];

/** A few bytes changed, cut, repeated or swapped for ones that mean something. */
function mutate(source: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(source);
  for (let i = 0; i <= random(6); i += 1) {
    const at = random(bytes.length + 1);
    const length = random(40);
    switch (random(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = random(256);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = interesting[random(interesting.length)] ?? 0;
        break;
      case 2:
        if (at + 4 <= bytes.length)
          bytes.writeUInt32LE([0, 0xffffffff, 0x7fffffff, 0xfffffffe][random(4)] ?? 0, at);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from('][{}"\'=.#\n__proto__\\u0000'),
          bytes.subarray(at),
        ]);
    }
  }
  return bytes;
}

/** Either it is taken, or it is refused as the sender's fault. Nothing else may come out. */
async function takenOrRefused(work: () => unknown, input: Buffer): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    const ok = error instanceof HaicError && error.status >= 400 && error.status < 500;
    assert.ok(
      ok,
      `${error instanceof Error ? error.stack : error}\ninput (base64): ${input.toString('base64')}`,
    );
    return false;
  }
}

const fullToml = `${helloToml}RuntimeVersion = "deb_py311"\nAppMode = "python"\nPort = 8080\nVolumeMount = "/data"\nVolumeSize = "1Gi"
MemoryLimit = "2Gi"\nCPULimit = "500m"\nEnableOIDC = true\n[[Env]]\nName = "A"\nValue = "x"\n[[Env]]\nName = "B"\nSecret = "s"\nSecretKey = "k"
Optional = true\n[[File]]\nPath = "a/b"\nValue = """\nlong\n"""\n[Brand]\nColors = [1, [2, {a = 1979-05-27T07:32:00Z}]]\n`;

describe('nonsense', () => {
  it(`in app.toml is refused or taken, never more (${runs} runs, seed ${seed})`, async () => {
    const random = randomFrom(seed);
    let taken = 0;
    for (let i = 0; i < runs; i += 1) {
      const input = mutate(Buffer.from(fullToml), random);
      taken += Number(
        await takenOrRefused(() => parseManifest(input.toString(), { runtimeVersions }), input),
      );
    }
    assert.ok(taken > 0 && taken < runs, 'mutations are neither all harmless nor all fatal');
  });

  it(`in a zip is refused or taken, never more (${runs} runs, seed ${seed})`, {
    timeout: 20_000 + runs * 500,
  }, async () => {
    const random = randomFrom(seed);
    const files = { 'app.toml': fullToml, 'src/app.py': 'print(1)\n'.repeat(50), 'static/icon.png': png };
    const seeds = [
      await zipOf(files),
      craftZip(Object.entries(files).map(([name, content]) => ({ name, content }))),
      craftZip(Object.entries(files).map(([name, content]) => ({ name, content, method: 0 }))),
    ];
    let taken = 0;
    for (let i = 0; i < runs; i += 1) {
      const input = mutate(seeds[i % seeds.length] ?? Buffer.alloc(0), random);
      taken += Number(await takenOrRefused(() => checkBundle(input), input));
    }
    assert.ok(taken < runs);
  });

  it('of great size costs little memory and time', async () => {
    const giants = [
      `[App]\n${'x = 1\n'.repeat(100_000)}`,
      Array.from({ length: 20_000 }, (_, i) => `[[Env]]\nName = "A${i}"\nValue = "x"`).join('\n'),
      `a${'.a'.repeat(250_000)} = 1`,
      `a = ${'[0,'.repeat(100_000)}`,
      `a = "${'\\u0041'.repeat(80_000)}"`,
      `[App]\nName = "${'('.repeat(400_000)}"`,
      `[${'a.'.repeat(1000)}a]\n`.repeat(400),
    ];
    const before = process.memoryUsage().heapUsed;
    for (const giant of giants) {
      const input = Buffer.from(giant);
      await takenOrRefused(() => parseManifest(giant, { runtimeVersions }), input.subarray(0, 100));
    }
    assert.ok(process.memoryUsage().heapUsed - before < 500 * 1024 * 1024);
  });
});
