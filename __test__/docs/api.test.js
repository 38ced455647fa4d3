'use strict';

/** The API page: what an application calls comes first, all is in its contents, and each member stands once. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { LIMIT } = require('../support/limits.js');
const { ROOT } = require('./markdown.js');

const text = fs.readFileSync(path.join(ROOT, 'docs/api/README.md'), 'utf8').replace(/^```[^]*?^```$/gm, '');
const titles = (/** @type {string} */ part, /** @type {string} */ level) =>
  [...part.matchAll(new RegExp(`^${level} (.+?)(?:\\(\\))?$`, 'gm'))].map(([, title]) => title);

describe('docs/api', LIMIT, () => {
  const [head, ...sections] = text.split(/^(?=### )/m);

  it('begins with what an application calls', () => {
    assert.deepEqual(titles(text, '###').slice(0, 7), [
      'createAdapter',
      'createShardedAdapter',
      'createStreamsAdapter',
      'WebSocketServer',
      'RedisStore',
      'Emitter',
      'StreamsEmitter',
    ]);
  });

  it('has all exports in its contents', () => {
    const linked = [...head.matchAll(/\[`(.+?)`\]/g)].map(([, name]) => name);
    assert.deepEqual(linked, titles(text, '###'));
    const types = fs.readFileSync(path.join(ROOT, 'index.d.ts'), 'utf8');
    const exported = [...types.matchAll(/^export (?:interface|class|function|type|const) (\w+)/gm)];
    assert.deepEqual([...new Set(exported.map(([, name]) => name))].sort(), [...linked].sort());
  });

  it('has each member once', () => {
    for (const section of sections) {
      const properties = section.split(/^#### Properties$/m)[1]?.split(/^####/m)[0] ?? '';
      const rows = [...properties.matchAll(/^\| `([\w.]+)\??` \|/gm)].map(([, name]) => name);
      const methods = titles(section, '#####').filter((title) => /^[a-z]/.test(title));
      for (const members of [methods, rows])
        assert.equal(new Set(members).size, members.length, `${section.split('\n', 1)[0]}: ${members}`);
    }
    // What an emitter inherits stands where it is declared.
    for (const name of ['emitWithAck', 'socketsJoin', 'serverSideEmit'])
      assert.equal(titles(text, '#####').filter((title) => title === name).length, 1, name);
    assert.doesNotMatch(text, /Inherited from|#+ Overrides/);
  });
});
