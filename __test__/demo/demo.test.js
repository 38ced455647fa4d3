'use strict';

/** The demo as a person meets it: a browser, four workers, one of them killed. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { LIMIT } = require('../support/limits.js');
const {
  ROOT,
  VERSIONS,
  launchBrowser,
  message,
  noBrowser,
  say,
  startDemo,
  twoPagesApart,
  workerOf,
} = require('./support.js');

/**
 * Says one thing after the other until something has happened.
 * @param {import('playwright-core').Page} page
 * @param {Promise<unknown>} happened
 * @returns {Promise<string[]>} what was said
 */
async function sayUntil(page, happened) {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  happened.then(over, over);
  const said = [];
  while (!isOver) {
    said.push(`Meanwhile ${said.length}`);
    await say(page, /** @type {string} */ (said.at(-1)));
    await message(page, /** @type {string} */ (said.at(-1)));
  }
  return said;
}

/**
 * Another worker has said three things while the one of this page hung, and perhaps people have said more.
 * @param {import('playwright-core').Page} page
 */
async function caughtUp(page) {
  const shown = await page.locator('#caught-up').textContent();
  const [, count, worker] = /^(\d+) messages caught up, on worker (\d)$/.exec(shown ?? '') ?? [];
  assert.equal(worker, await workerOf(page), `the page says "${shown}"`);
  const texts = await page
    .locator('.message', { has: page.locator('.caught-up') })
    .locator('.text')
    .allTextContents();
  assert.equal(texts.length, Number(count));
  assert.equal(texts.filter((text) => /hangs and will be killed/.test(text)).length, 3);
}

for (const version of Object.keys(VERSIONS)) {
  const limits = { skip: noBrowser, ...LIMIT };
  test(`${version}: a chat crosses workers, and a session outlives its worker`, limits, (t) => chat(t, version));

  test(`${version}: the demo ends cleanly on SIGINT`, LIMIT, async (t) => {
    const { child, exited, url, said } = await startDemo(t, VERSIONS[version].args);
    const redisPid = Number(/Redis on port \d+ \(pid (\d+)\)/.exec(said.join('\n'))?.[1]);
    child.kill('SIGINT');
    assert.deepEqual(await exited, [0, null]);
    await assert.rejects(fetch(url), 'the workers are gone');
    assert.throws(() => process.kill(redisPid, 0), { code: 'ESRCH' }, 'Redis is gone');
  });
}

/**
 * @param {import('node:test').TestContext} t
 * @param {string} version
 */
async function chat(t, version) {
  const { args, socketIo, client } = VERSIONS[version];
  const { url, said } = await startDemo(t, args);
  const browser = await launchBrowser(t);
  /** @type {Error[]} */
  const errors = [];
  const { ada, grace } = await twoPagesApart(browser, url, errors);
  const workers = { ada: await workerOf(ada), grace: await workerOf(grace) };

  await t.test('the page and its client are of this Socket.IO', async () => {
    assert.ok((await ada.locator('header p').first().textContent()).startsWith(`${socketIo} `));
    assert.match(await (await fetch(`${url}/socket.io/socket.io.js`)).text(), client);
    assert.equal(await ada.locator('#transport').textContent(), 'websocket');
  });

  await t.test('a message reaches another worker, with its text as text', async () => {
    await say(ada, 'Hello from <b>here</b> & there');
    assert.deepEqual(await message(grace, 'Hello from <b>here</b> & there'), {
      nick: 'Ada',
      badge: `worker ${workers.ada}`,
    });
    await say(grace, 'Loud and clear');
    assert.deepEqual(await message(ada, 'Loud and clear'), { nick: 'Grace', badge: `worker ${workers.grace}` });
    await ada.waitForSelector('#sent >> text=1');
  });

  await t.test('a room keeps what is said in it', async () => {
    for (const [page, nick] of /** @type {const} */ ([
      [ada, 'Ada'],
      [grace, 'Grace'],
    ])) {
      await page.click('#rooms [data-room=rust]');
      await page.waitForSelector(`.log[data-room=rust] .notice >> text=${nick} came in`);
    }
    await say(ada, 'Only for crabs');
    await message(grace, 'Only for crabs');
    assert.equal(await grace.locator('.log[data-room=lobby] .text', { hasText: 'crabs' }).count(), 0);
  });

  await t.test("a killed worker's session is taken over, and the worker replaced", async () => {
    const card = `.worker[data-index="${workers.ada}"]`;
    const pid = await ada.locator(card).getAttribute('data-pid');
    await ada.click('#kill');
    const back = ada.waitForSelector(`#takeover >> text=Session taken over from worker ${workers.ada} (pid ${pid})`);
    // Some of it while Ada has no connection.
    const meanwhile = version === 'adapter' ? await sayUntil(grace, back) : [];
    await back;
    if (version === 'adapter') await caughtUp(ada);
    await message(ada, meanwhile.at(-1) ?? 'Only for crabs');
    const heard = await ada.locator('.message .text', { hasText: 'Meanwhile' }).allTextContents();
    assert.deepEqual(heard, meanwhile);
    assert.equal((await ada.locator('#caught-up, .caught-up').count()) > 0, version === 'adapter');
    assert.equal(await ada.inputValue('#nick'), 'Ada');
    await ada.waitForSelector('#sent >> text=2');
    await ada.waitForSelector('#rooms [data-room=rust][aria-pressed=true]');
    await say(ada, 'Still here');
    assert.deepEqual(await message(grace, 'Still here'), { nick: 'Ada', badge: `worker ${await workerOf(ada)}` });
    await ada.waitForSelector('#sent >> text=3');
    await ada.waitForFunction(([selector, old]) => document.querySelector(selector).dataset.pid !== old, [card, pid]);
  });

  await t.test('a reload keeps the session too', async () => {
    await grace.reload();
    await grace.waitForSelector('#takeover:not([hidden])');
    assert.equal(await grace.inputValue('#nick'), 'Grace');
    await say(grace, 'Back again');
    await message(ada, 'Back again');
    await ada.waitForSelector(`.worker[data-index="${await workerOf(grace)}"] .people >> text=Grace`);
  });

  fs.mkdirSync(path.join(ROOT, 'artifacts'), { recursive: true });
  await ada.screenshot({ path: path.join(ROOT, 'artifacts', `demo-${version}.png`) });
  assert.deepEqual(errors, []);
  assert.equal(
    said.filter((line) => /is gone/.test(line)).length,
    1,
    `one worker died, the one we killed:\n${said.join('\n')}`,
  );
}
