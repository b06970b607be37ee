import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DriveError } from '../errors.ts';
import { childText, parseXml } from './read.ts';
import { type Xml, xmlDocument } from './write.ts';

const numRuns = process.env.HAIC_TEST_SIZE === 'full' ? 10_000 : 500;
const isRefusal = (error: unknown) => error instanceof DriveError && error.code === 'MalformedXML';

describe('XML of requests', () => {
  it('is read with namespaces, attributes, comments, CDATA and entities', () => {
    const root = parseXml(
      '\ufeff<?xml version="1.0"?><!-- c --><s3:Delete xmlns:s3="x" a=\'1\'><s3:Object><Key>a&lt;&#38;&#x62;<![CDATA[<c>]]></Key></s3:Object><Quiet/></s3:Delete >',
    );
    assert.equal(root.name, 'Delete');
    assert.deepEqual(
      root.children.map(({ name }) => name),
      ['Object', 'Quiet'],
    );
    assert.equal(childText(root.children[0] ?? root, 'Key'), 'a<&b<c>');
  });

  it('that is not well formed is refused', () => {
    for (const text of [
      '',
      'x',
      '<a>',
      '</a>',
      '<a></b>',
      '<a/><b/>',
      '<a>&nope;</a>',
      '<a>&#xD800;</a>',
      '<a>&#99999999;</a>',
      '<a b></a>',
      '<a>& </a>',
      '<a',
      '<!--',
      `${'<a>'.repeat(20)}${'</a>'.repeat(20)}`,
      '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
    ])
      assert.throws(() => parseXml(text), isRefusal, text);
    const twice = parseXml('<a><b>1</b><b>2</b></a>');
    assert.throws(() => childText(twice, 'b'), isRefusal);
  });

  it('gives back any text that was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const xml: Xml = ['A', [['B', text]]];
        assert.equal(childText(parseXml(xmlDocument(xml)), 'B'), text);
      }),
      { numRuns },
    );
  });

  it('that is nonsense is refused, whatever it is', () => {
    const unit = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      '&',
      ';',
      '#',
      'x',
      '!',
      '-',
      '[',
      ']',
      '"',
      '=',
      ' ',
      '?',
    );
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit, maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 60 })),
        (text) => {
          try {
            parseXml(text);
          } catch (error) {
            assert.ok(isRefusal(error), String(error));
          }
        },
      ),
      { numRuns },
    );
  });

  it('of megabytes of nonsense is refused soon', () => {
    for (const text of [
      '<a '.repeat(300_000),
      `<a ${' '.repeat(1_000_000)}`,
      '<!--'.repeat(200_000),
      '&'.repeat(500_000),
    ])
      assert.throws(() => parseXml(text), isRefusal);
  });
});
