'use strict';

/** README's first two servers, each started twice, as a reader would: what is said on one is heard on the other. */

const assert = require('node:assert/strict');
const { before, after, describe, it } = require('node:test');
const { startRedis } = require('../../dev/redis-server.js');
const { Client } = require('../examples/adapter.js');
const { LIMIT } = require('../support/limits.js');
const { connect } = require('../support/store-client.js');
const { allBlocks } = require('./markdown.js');
const { run, versionOf } = require('./sandbox.js');

/** A client of Socket.IO 4. @param {number} port */
async function ofFour(port) {
  const client = new Client({ port }, ['websocket']);
  await new Promise((resolve) => client.socket.once('connect', () => resolve(undefined)));
  return {
    say: (/** @type {string} */ text) => client.socket.emit('say', text),
    said: () => client.event('said'),
    close: () => client.socket.disconnect(),
  };
}

/** One of 0.9. @param {number} port */
async function ofZeroNine(port) {
  const client = await connect({ port });
  return {
    say: (/** @type {string} */ text) => client.emit('say', text),
    said: () => client.event('said'),
    close: () => client.close(),
  };
}

describe("README's first screen", LIMIT, async () => {
  const blocks = (await allBlocks()).filter(({ file, lang }) => file === 'README.md' && lang === 'js');
  /** @type {Awaited<ReturnType<typeof startRedis>>} */
  let redis;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  for (const [i, version] of /** @type {const} */ ([4, 0.9]).entries()) {
    it(`has a whole server on Socket.IO ${version}`, async () => {
      const block = blocks[i];
      assert.deepEqual([versionOf(block.text), block.fragment], [version, false]);
      await run(block, { redis }, async ({ ports: [here] }) => {
        await run(block, { redis }, async ({ ports: [there] }) => {
          const clients = await Promise.all([here, there].map(version === 4 ? ofFour : ofZeroNine));
          for (const [j, client] of clients.entries()) {
            await client.say(`hellö ${j}`);
            for (const each of clients) assert.deepEqual(await each.said(), [`hellö ${j}`]);
          }
          for (const client of clients) await client.close();
        });
      });
    });
  }
});
