import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError, flag, integer, oneOf, optionalText, readConfig, text, url } from './config.ts';

const settings = {
  home: text({ env: 'T_HOME', doc: '' }),
  port: integer({ env: 'T_PORT', doc: '' }, 8080, { min: 1, max: 65_535 }),
  level: oneOf({ env: 'T_LEVEL', doc: '' }, ['info', 'debug'], 'info'),
  plain: flag({ env: 'T_PLAIN', doc: '' }, false),
  address: url({ env: 'T_URL', doc: '' }, 'http://localhost'),
  proxy: optionalText({ env: 'T_PROXY', doc: '' }),
};

describe('configuration', () => {
  it('uses defaults, takes an empty value for none, and drops the trailing slash of a URL', () => {
    const config = readConfig(settings, { T_HOME: '/home', T_PORT: '', T_URL: 'https://haic.example/' });
    assert.deepEqual(config, {
      home: '/home',
      port: 8080,
      level: 'info',
      plain: false,
      address: 'https://haic.example',
      proxy: undefined,
    });
  });

  it('reports every wrong setting at once, by name', () => {
    const wrong = { T_PORT: '0', T_LEVEL: 'loud', T_PLAIN: 'yes', T_URL: 'ftp://x' };
    assert.throws(
      () => readConfig(settings, wrong),
      (error) =>
        error instanceof ConfigError &&
        ['T_HOME', ...Object.keys(wrong)].every((name) => error.message.includes(name)),
    );
  });
});
