import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import { HaicError } from '@haic/kit/errors.ts';
import {
  type CraftedEntry,
  checkBundle,
  craftZip,
  helloToml,
  jpeg,
  png,
  problemsOf,
  zipOf,
} from '../testing.ts';
import type { BundleLimits } from './limits.ts';

const toml: CraftedEntry = { name: 'app.toml', content: helloToml };
const good = [toml, { name: 'app.py', content: 'print(1)\n'.repeat(100) }];

/** The import is refused with a problem whose text matches. */
async function refused(zip: Buffer, expected: RegExp, limits: Partial<BundleLimits> = {}): Promise<void> {
  await assert.rejects(checkBundle(zip, { limits }), (error) => {
    assert.ok(error instanceof HaicError, String(error));
    assert.deepEqual([error.code, error.status], ['bundle_invalid', 400]);
    assert.match(error.message, expected);
    return true;
  });
}

describe('the check of a bundle as a zip', () => {
  it('takes what yazl, and a hand without any tool, write', async () => {
    const bundle = await checkBundle(
      await zipOf({ 'app.toml': helloToml, 'src/': '', 'src/app.py': 'x = 1' }),
    );
    assert.equal(bundle.manifest.name, 'ai.haic.hello');
    assert.equal((await checkBundle(craftZip(good))).manifest.version, '1.0.0');
    assert.equal(
      (await checkBundle(craftZip(good.map((entry) => ({ ...entry, method: 0 }))))).manifest.title,
      'Hello',
    );
  });

  it('takes names in any script, whether or not the zip marks them as UTF-8', async () => {
    for (const flags of [0, 0x800])
      await checkBundle(craftZip([toml, { name: 'données/説明 😀.txt', flags }]));
  });

  it('ignores what macOS adds', async () => {
    const zip = craftZip([
      ...good,
      { name: '__MACOSX/._app.toml', content: 'x' },
      { name: 'static/.DS_Store' },
      { name: '__MACOSX/static/icon.svg' },
    ]);
    assert.equal((await checkBundle(zip)).images.length, 0);
  });

  it('refuses what is no zip', async () => {
    const tar = Buffer.alloc(10_240);
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('PK'),
      Buffer.from('[App]\nName="x"'),
      tar,
      craftZip(good).subarray(0, -30),
      Buffer.from('1f8b0800', 'hex'),
    ])
      await refused(bytes, /not a whole zip file/);
    await refused(craftZip([]), /empty/);
  });

  it('says where app.toml is when it is not at the root', async () => {
    await refused(
      craftZip([{ name: 'hello/app.toml', content: helloToml }]),
      /inside the folder "hello".*cd into it/,
    );
    await refused(craftZip([{ name: 'App.toml', content: helloToml }]), /lower case/);
    await refused(craftZip([{ name: '__MACOSX/app.toml', content: helloToml }]), /has none/);
    await refused(craftZip([{ name: 'src/deep/app.toml', content: helloToml }]), /has none/);
  });

  const hostileNames: [string | Buffer, RegExp][] = [
    ['../evil', /leads out/],
    ['a/../../evil', /leads out/],
    ['..', /leads out/],
    ['/etc/passwd', /absolute/],
    ['C:/windows', /absolute/],
    ['a\\..\\evil', /backslash/],
    ['nul\0.txt', /NUL/],
    ['./a', /empty or "\."/],
    ['a//b', /empty or "\."/],
    ['', /empty or "\."/],
    ['new\nline', /control or invisible/],
    ['\u202egnp.exe', /control or invisible/],
    ['zero\u200bwidth', /control or invisible/],
    ['esc\u001b[2J', /control or invisible/],
    [Buffer.from([0x61, 0xff, 0xfe]), /not UTF-8/],
    [Buffer.from([0xc0, 0xae, 0xc0, 0xae, 0x2f, 0x61]), /not UTF-8/],
    ['x'.repeat(256), /too long/],
    [`${'x'.repeat(200)}/`.repeat(6), /too long/],
    [`${'d/'.repeat(65)}x`, /too deep/],
  ];
  for (const [name, expected] of hostileNames)
    it(`refuses the name ${JSON.stringify(name.toString()).slice(0, 40)}`, () =>
      refused(craftZip([...good, { name }]), expected));

  const clashes: [string, string, RegExp][] = [
    ['a.txt', 'a.txt', /twice/],
    ['A.txt', 'a.txt', /same name on some disks/],
    ['caf\u00e9', 'cafe\u0301', /same name on some disks/],
    ['\u00c9', 'e\u0301', /same name on some disks/],
    ['a', 'a/b', /which is a file/],
    ['a/b', 'a', /same name on some disks|twice/],
    ['a/', 'a', /twice/],
    ['dir/x', 'DIR', /same name/],
  ];
  for (const [first, second, expected] of clashes)
    it(`refuses ${JSON.stringify(first)} beside ${JSON.stringify(second)}`, () =>
      refused(craftZip([...good, { name: first }, { name: second }]), expected));

  it('takes a folder that is listed before or after what is in it', () =>
    checkBundle(
      craftZip([...good, { name: 'd/' }, { name: 'd/x' }, { name: 'e/x' }, { name: 'e/', mode: 0o40755 }]),
    ).then(() => {}));

  it('refuses links and devices', async () => {
    await refused(craftZip([...good, { name: 'link', content: '/etc/passwd', mode: 0o120777 }]), /is a link/);
    for (const mode of [0o020644, 0o060644, 0o010644, 0o140644])
      await refused(craftZip([...good, { name: 'x', mode }]), /device/);
    await refused(craftZip([...good, { name: 'x', mode: 0o040755 }]), /folder by its mode/);
    await refused(craftZip([...good, { name: 'd/', content: 'x' }]), /folder with content/);
    const hardLink = Buffer.concat([Buffer.from([0x0d, 0, 15, 0]), Buffer.alloc(12), Buffer.from('a/b')]);
    await refused(craftZip([...good, { name: 'x', extra: hardLink }]), /is a link/);
  });

  it('refuses encrypted entries and unknown methods', async () => {
    for (const flags of [0x1, 0x41, 0x2001])
      await refused(craftZip([...good, { name: 'x', flags }]), /encrypt/);
    for (const method of [1, 9, 12, 14, 93, 99])
      await refused(craftZip([...good, { name: 'x', method }]), /packed by method/);
  });

  it('refuses entries that are called or sized otherwise beside their bytes', async () => {
    await refused(
      craftZip([...good, { name: 'good', localName: '../../evil' }]),
      /Beside its bytes it is called/,
    );
    await refused(craftZip([...good, { name: 'x', content: 'abc', localSize: 9 }]), /two sizes/);
    await refused(
      craftZip([...good, { name: 'x', content: 'abc', localMethod: 0 }]),
      /two compression methods/,
    );
    const field = Buffer.concat([Buffer.from([1]), u32(crc32(Buffer.from('x'))), Buffer.from('../evil')]);
    const extra = Buffer.concat([Buffer.from([0x75, 0x70, field.length, 0]).subarray(0, 4), field]);
    await refused(craftZip([...good, { name: 'x', extra }]), /second name/);
  });

  it('refuses content that is not as large as declared, and damaged content', async () => {
    const zeros = Buffer.alloc(100_000);
    await refused(
      craftZip([...good, { name: 'x', content: zeros, size: 10 }]),
      /does not unpack to the 10 bytes/,
    );
    await refused(craftZip([...good, { name: 'x', content: zeros, size: 200_000 }]), /does not unpack to/);
    const large = Buffer.alloc(3_000_000);
    await refused(craftZip([...good, { name: 'x', content: large, size: 2_000_000 }]), /does not unpack to/);
    await refused(craftZip([...good, { name: 'x', content: large, size: 4_000_000 }]), /does not unpack to/);
    await refused(craftZip([...good, { name: 'x', content: 'abc', crc: 1 }]), /checksum/);
    await refused(craftZip([...good, { name: 'x', content: large, crc: 1 }]), /checksum/);
    await refused(
      craftZip([...good, { name: 'x', packed: Buffer.from('no deflate stream'), size: 3 }]),
      /damaged/,
    );
  });

  it('refuses files that share bytes', async () => {
    const kernel = { name: 'a', content: 'x'.repeat(10_000) };
    const honest = craftZip([toml, kernel]);
    const at = honest.indexOf(Buffer.from('PK\x03\x04', 'latin1'), 4);
    await refused(craftZip([toml, kernel, { ...kernel, name: 'a', offset: at }]), /twice|overlap/);
    await refused(craftZip([toml, { ...kernel, offset: 0, name: 'app.toml' }]), /twice|overlap|two sizes/);
    await refused(craftZip([toml, { name: 'b', content: 'x', packedSize: 90 }]), /overlap|two sizes|damaged/);
  });

  it('refuses a zip with two readings', async () => {
    await refused(craftZip(good, { before: Buffer.from('#!/bin/sh\n') }), /before the first file/);
    await refused(craftZip(good, { after: Buffer.from('more') }), /not a whole zip/);
    await refused(craftZip(good, { count: 1 }), /not as long as it says/);
    await refused(craftZip(good, { hidden: [{ name: '../hidden' }] }), /not as long as it says/);
    await refused(craftZip(good, { directorySize: 10 }), /not as long as it says/);
    await refused(craftZip(good, { count: 500 }), /damaged/);
    for (const directoryOffset of [0, 1, 0xffffffff])
      await refused(craftZip(good, { directoryOffset }), /damaged/);
  });

  it('refuses zip64 numbers that lie', async () => {
    const zip64 = (size: bigint) => {
      const extra = Buffer.alloc(20);
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(16, 2);
      extra.writeBigUInt64LE(size, 4);
      extra.writeBigUInt64LE(3n, 12);
      return extra;
    };
    for (const size of [2n ** 63n, 2n ** 53n + 1n, 4_000_000_000n])
      await refused(
        craftZip([
          ...good,
          { name: 'x', content: 'abc', size: 0xffffffff, packedSize: 0xffffffff, extra: zip64(size) },
        ]),
        /unpacks to|times its size|damaged|two sizes/,
      );
  });

  it('refuses bombs by ratio, by bytes and by number, before it unpacks them', async () => {
    const zeros = Buffer.alloc(11 * 1024 * 1024);
    await refused(
      craftZip([toml, { name: 'bomb', content: zeros }]),
      /bomb: It unpacks to \d+ times its size/,
    );
    const many = Array.from({ length: 20 }, (_, i) => ({
      name: `b${i}`,
      content: zeros.subarray(0, 9 * 1024 * 1024),
    }));
    await refused(craftZip([toml, ...many]), /bundle: It unpacks to \d+ times/);
    await refused(craftZip([toml, ...many]), /at most 1000000 are allowed/, {
      ratio: 1e9,
      expandedBytes: 1_000_000,
    });
    await refused(craftZip([toml, ...many]), /it has 21 entries; at most 20/i, { entries: 20 });
    await refused(craftZip(good), /larger than any honest/, { directoryBytes: 50 });
    const declared = { name: 'x', packed: deflateRawSync(Buffer.alloc(1000)), size: 0xfffffff0 };
    await refused(craftZip([toml, declared]), /times its size/);
  });

  it('does not unpack archives inside the archive', async () => {
    await checkBundle(
      craftZip([...good, { name: 'inner.zip', content: craftZip([{ name: '../x' }]), method: 0 }]),
    );
  });

  it('gives up when it takes too long', async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(checkBundle(craftZip(good), { signal }), /takes too long/);
  });

  it('reports many problems at once, and not a million', async () => {
    await assert.rejects(
      checkBundle(craftZip([...good, { name: '../a' }, { name: '/b' }, { name: 'c', mode: 0o120777 }])),
      (error) => error instanceof HaicError && problemsOf(error).length === 3,
    );
    const many = Array.from({ length: 500 }, (_, i) => ({ name: `../${i}` }));
    await assert.rejects(
      checkBundle(craftZip([...good, ...many])),
      (error) => error instanceof HaicError && problemsOf(error).length === 50,
    );
  });

  it('reads ten thousand files', async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => ({ name: `f/${i}.txt`, content: `${i}` }));
    await checkBundle(craftZip([toml, ...many]));
  });
});

describe('what the store takes out of a bundle', () => {
  it('finds icon, screenshots in the order of their names, description and requirements', async () => {
    const bundle = await checkBundle(
      await zipOf({
        'app.toml': helloToml.replace('[Runtime]', 'LongDescription = "./docs/about.md"\n[Runtime]'),
        'docs/about.md': '# About ✓',
        'requirements.txt': 'h2o-wave==1.8.16\n',
        'packages.txt': 'libgomp1\n',
        'static/Icon.PNG': png,
        'static/screenshot-2.jpeg': jpeg,
        'static/Screenshot-1.png': png,
        'static/icons.css': 'x',
        'static/sub/icon.png': 'x',
      }),
    );
    assert.deepEqual(
      bundle.images.map(({ name, kind, contentType }) => [name, kind, contentType]),
      [
        ['icon.png', 'icon', 'image/png'],
        ['screenshot-1.png', 'screenshot', 'image/png'],
        ['screenshot-2.jpg', 'screenshot', 'image/jpeg'],
      ],
    );
    assert.equal(bundle.longDescription, '# About ✓');
    assert.equal(bundle.requirements, 'h2o-wave==1.8.16\n');
    assert.equal(bundle.packages, 'libgomp1\n');
  });

  it('takes an icon that is called like the app', async () => {
    const { images } = await checkBundle(
      await zipOf({ 'app.toml': helloToml, 'static/ai.haic.hello.png': png }),
    );
    assert.equal(images[0]?.kind, 'icon');
  });

  it('refuses images that are not what their name says', async () => {
    const html = '<script>alert(1)</script>';
    for (const [name, content] of [
      ['icon.png', jpeg],
      ['icon.jpg', png],
      ['icon.png', html],
      ['screenshot1.png', html],
      ['icon.png', ''],
    ] as const)
      await refused(
        await zipOf({ 'app.toml': helloToml, [`static/${name}`]: content }),
        /content is not image/,
      );
    await refused(await zipOf({ 'app.toml': helloToml, 'static/icon.svg': '<svg/>' }), /not shown.*PNG/);
    await refused(await zipOf({ 'app.toml': helloToml, 'static/icon.png': png }), /at most 10 bytes/, {
      iconBytes: 10,
    });
    await refused(
      await zipOf({ 'app.toml': helloToml, 'static/screenshot1.png': png, 'static/screenshot2.png': png }),
      /2 screenshots/,
      { screenshots: 1 },
    );
  });

  it('refuses texts that are missing, too long or no text', async () => {
    const withText = helloToml.replace('[Runtime]', 'LongDescription = "about.md"\n[Runtime]');
    await refused(await zipOf({ 'app.toml': withText }), /no file "about.md"/);
    await refused(
      await zipOf({ 'app.toml': withText, 'about.md': Buffer.from([0xff]) }),
      /about.md: It is not UTF-8/,
    );
    await refused(await zipOf({ 'app.toml': withText, 'about.md': 'a\0b' }), /about.md: It is not UTF-8/);
    await refused(
      await zipOf({ 'app.toml': withText, 'about.md': 'x'.repeat(300_000) }),
      /about.md: It has 300000/,
    );
    await refused(await zipOf({ 'app.toml': Buffer.from([0xff, 0xfe, 0x00]) }), /app.toml: It is not UTF-8/);
    await refused(await zipOf({ 'app.toml': `#${'x'.repeat(1024 * 1024)}` }), /app.toml: It has 1048577/);
  });
});

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
