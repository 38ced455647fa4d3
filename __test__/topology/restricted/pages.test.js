'use strict';

/** The rights that docs/acl.md and README give are enough, as they stand there. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { RedisStore, createAdapter, createShardedAdapter, createStreamsAdapter } = require('../../..');
const { createFixture } = require('../../adapter/faults/fixture');
const { LIMIT, PATIENCE } = require('../../support/limits');
const { EventLog, until } = require('../../support/load');
const { ask, subscribe } = require('../../support/stores');

const ROOT = path.join(__dirname, '..', '..', '..');

/** The words of the command that a page has under a heading. @param {string} page @param {string} heading */
function commandUnder(page, heading) {
  const text = fs.readFileSync(path.join(ROOT, page), 'utf8');
  const [, section] = text.split(`\n${heading}\n`);
  const block =
    /```sh\nredis-cli ([^`]*)```/.exec(section)?.[1] ?? assert.fail(`${page} has no command under ${heading}`);
  return block
    .replace(/\\\n/g, ' ')
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/^'(.*)'$/, '$1'));
}

/** @param {import('node:test').TestContext} t @param {string} heading */
async function setUp(t, heading) {
  const fixture = await createFixture(t);
  await fixture.redis.command(...commandUnder('docs/acl.md', heading));
  return { fixture, url: `redis://app:secret@127.0.0.1:${fixture.redis.port}` };
}

/** Nothing has happened but that connections came up. */
function assertQuiet(/** @type {EventLog} */ eventLog) {
  const told = eventLog.events.filter(({ event }) => event !== 'connect');
  assert.deepEqual(told, []);
}

describe('the rights of docs/acl.md', LIMIT, () => {
  for (const [name, create, server] of /** @type {[string, any, object][]} */ ([
    ['createAdapter', createAdapter, {}],
    ['createShardedAdapter', createShardedAdapter, {}],
    ['createStreamsAdapter', createStreamsAdapter, { connectionStateRecovery: {} }],
  ]))
    it(`are enough for ${name}, heartbeats among them`, async (t) => {
      const { fixture, url } = await setUp(t, `## \`${name}\``);
      const open = async () => {
        const factory = create(url, { requestsTimeout: PATIENCE });
        const node = await fixture.node({ factory, server, connects: false });
        await factory.ready();
        return node;
      };
      const [a, b] = [await open(), await open()];
      const there = await fixture.client(b);
      await there.peer.join('room');
      for (const to of [a.io, a.io.to('room'), a.io.to(there.id)]) {
        to.emit('news', 1);
        assert.equal((await there.event('news'))[0], 1);
      }
      assert.equal((await a.io.fetchSockets()).length, 1);
      assert.equal(a.adapter().stats().heartbeat, 'on');
      [a, b].forEach((node) => assertQuiet(node.eventLog()));
    });

  it('are enough for RedisStore', async (t) => {
    const { fixture, url } = await setUp(t, '## `RedisStore`');
    const stores = [1, 2].map(() => new RedisStore({ redisPub: url, redisSub: url, redisClient: url }));
    fixture.after(() => Promise.all(stores.map((store) => store.destroy())));
    const eventLogs = stores.map((store) => new EventLog(store));
    /** @type {any[]} */
    const heard = [];
    await subscribe(stores[1], 'news', (...args) => heard.push(args));
    stores[0].publish('news', 1);
    await until('a message', () => heard.length > 0);
    assert.deepEqual(await ask(stores[0].client('1'), 'set', 'key', 'value'), [null, 1]);
    assert.deepEqual(await ask(stores[0].client('1'), 'get', 'key'), [null, 'value']);
    eventLogs.forEach(assertQuiet);
  });

  it('are those of README', () => {
    assert.deepEqual(commandUnder('README.md', '### ACL'), commandUnder('docs/acl.md', '## `createAdapter`'));
  });
});
