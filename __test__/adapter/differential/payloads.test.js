'use strict';

/**
 * The same cases go through an official server and through one of ours, and every client of every server
 * has to get the same frames, byte by byte.
 *
 * `DIFFERENTIAL_SEED=7 DIFFERENTIAL_COUNT=20000 node --test __test__/adapter/differential/payloads.test.js`
 */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const { report } = require('./compare');
const { FourServers } = require('./four-servers');
const { addresses, edges, generated } = require('./generator');
const { LIMIT } = require('../../support/limits');

const SEED = Number(process.env.DIFFERENTIAL_SEED ?? 20261124);
const COUNT = Number(process.env.DIFFERENTIAL_COUNT ?? 3000);

/**
 * Sends cases both ways and compares.
 * @param {FourServers} cluster
 * @param {import('./four-servers').Case[]} cases
 * @param {string} [origin] how to have the same cases again
 */
async function same(cluster, cases, origin = '') {
  const official = await cluster.emit('official', cases);
  const native = await cluster.emit('native', cases);
  // Else nothing has been compared.
  assert.ok(official.some(({ official: clients }) => clients.some((frames) => frames.length > 0)));
  const different = report(cases, official, native);
  assert.equal(different, null, `${origin}${different}`);
  assert.deepEqual(cluster.problems, []);
}

describe('official and native: the same frames', LIMIT, () => {
  const cluster = new FourServers();
  before(() => cluster.start());
  after(() => cluster.stop());

  it('of each edge', () => same(cluster, edges()));

  it('to each address', () => same(cluster, addresses()));

  it(`of ${COUNT} generated payloads`, () => same(cluster, generated(SEED, COUNT), `DIFFERENTIAL_SEED=${SEED}: `));

  it('with volatile, to clients that can be written to', async () => {
    const cases = generated(SEED + 1, 40).map((each) => ({ ...each, volatile: true }));
    const outcomes = { official: /** @type {any[]} */ ([]), native: /** @type {any[]} */ ([]) };
    for (const each of cases) {
      outcomes.official.push(await cluster.emitAlone('official', each));
      outcomes.native.push(await cluster.emitAlone('native', each));
    }
    const different = report(cases, outcomes.official, outcomes.native);
    assert.equal(different, null, `DIFFERENTIAL_SEED=${SEED}: ${different}`);
  });
});

for (const mode of /** @type {const} */ (['native:dynamic', 'native:dynamic-private'])) {
  describe(`official and ${mode}: the same frames`, LIMIT, () => {
    const cluster = new FourServers();
    before(() => cluster.start(mode));
    after(() => cluster.stop());

    it('to each address', () => same(cluster, addresses()));
  });
}
