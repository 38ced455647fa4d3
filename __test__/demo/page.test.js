'use strict';

/** What the demo's page shows, at the sizes of a laptop, a small window and a tablet. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { freeze } = require('../../dev/freeze.js');
const { startRedis } = require('../../dev/redis-server.js');
const { LIMIT } = require('../support/limits.js');
const {
  VERSIONS,
  boards,
  enter,
  figures,
  launchBrowser,
  message,
  noBrowser,
  say,
  startDemo,
  workerOf,
} = require('./support.js');

const SIZES = [
  { width: 1366, height: 640 },
  { width: 1000, height: 700 },
  { width: 820, height: 1180 },
];
/** How often the figures may still change while nobody says anything. */
const MOST_ROUNDS = 20;
/** What there is only with Socket.IO 4. */
const ONLY_4 = /stream|recover|caught up|WebSocketServer|Socket\.IO 4/i;

/**
 * @param {import('playwright-core').Page} page
 * @param {string} selector
 */
async function assertInView(page, selector) {
  const where = await page.evaluate((wanted) => {
    scrollTo(0, 0); // the test has gone to the nick
    const { top, bottom, left, right } = /** @type {Element} */ (
      document.querySelector(wanted)
    ).getBoundingClientRect();
    return { fits: top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth, top, bottom };
  }, selector);
  assert.ok(where.fits, `${selector} is not in view: ${JSON.stringify(where)}`);
}

/** @param {import('playwright-core').Page} page */
const pids = (page) =>
  page.locator('.worker').evaluateAll((cards) => cards.map((card) => /** @type {HTMLElement} */ (card).dataset.pid));

for (const version of Object.keys(VERSIONS)) {
  test(`${version}: what the page shows`, { skip: noBrowser, ...LIMIT }, (t) => shows(t, version));
  test(`${version}: a Redis of REDIS_URL cannot be killed`, { skip: noBrowser, ...LIMIT }, (t) => foreign(t, version));
}

/**
 * @param {import('node:test').TestContext} t
 * @param {string} version
 */
async function shows(t, version) {
  const { args, links } = VERSIONS[version];
  const { url } = await startDemo(t, args);
  const browser = await launchBrowser(t);
  /** @type {Error[]} */
  const errors = [];

  for (const viewport of SIZES) {
    await t.test(`the message box is in view at ${viewport.width}×${viewport.height}`, async () => {
      const page = await enter(browser, url, 'Ada', errors, { viewport });
      await page.waitForFunction(() => document.querySelectorAll('.worker[data-pid]').length === 4);
      await assertInView(page, '#text');
      await assertInView(page, '#send');
      const lines = Array.from({ length: 12 }, (_, i) => `Line ${i} at ${viewport.width}`);
      for (const line of lines) await say(page, line);
      await message(page, /** @type {string} */ (lines.at(-1)));
      await say(page, ' ');
      await page.waitForSelector('#reason >> text=Not sent: There is nothing in it.');
      for (const selector of ['#text', '#send', '#reason']) await assertInView(page, selector);
      const isWider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(isWider, false, 'the page scrolls sideways');
      await page.context().close();
    });
  }

  const ada = await enter(browser, url, 'Ada', errors, { viewport: SIZES[0] });
  await ada.waitForFunction(() => document.querySelectorAll('.worker[data-pid]').length === 4);

  await t.test('the figures add up, and do not count themselves', async () => {
    await ada.click('#rooms [data-room=rust]');
    await message(ada, await sayOnce(ada, 'Only for crabs'));
    const { cards, totals } = await atRest(ada);
    assert.equal(cards.length, 4);
    for (const [name, total] of Object.entries(totals)) {
      const sum = cards.reduce((all, card) => all + card[name], 0);
      assert.equal(sum, total, name);
    }
    for (const { received, delivered, native = 0, filtered, lost = 0 } of [...cards, totals]) {
      assert.equal(received, delivered + native + filtered + lost);
    }
    assert.ok(totals.published > 0);
  });

  await t.test('a card shows what was filtered', async () => {
    const mine = Number(await workerOf(ada)) - 1;
    // Of Socket.IO 4 those who have nobody in the room; of 0.9 the worker that has said it.
    const filtering = version === 'adapter' ? (mine + 1) % 4 : mine;
    const { cards } = await figures(ada);
    const text = await sayOnce(ada, 'Who hears this?');
    await message(ada, text);
    await ada.waitForFunction(
      ([index, old]) => {
        const figure = document.querySelectorAll('.worker [data-figure=filtered]')[index];
        return Number(figure?.textContent.replace(/\D/g, '')) > old;
      },
      [filtering, cards[filtering].filtered],
    );
  });

  await t.test('the connections are those that there are', async () => {
    await ada.waitForFunction(
      (count) => document.querySelectorAll('.links [data-state=connected]').length === count,
      links * 4,
    );
    assert.equal(await ada.locator('.links li').count(), links * 4);
  });

  await t.test('a sparkline says its unit and its range', async () => {
    for (const label of await ada.locator('.spark-label').allTextContents()) {
      assert.match(label, /^received: [\d.]+\/s · 0 to \d+\/s · last 40 s$/);
    }
  });

  await t.test('no card of a worker that was killed stays', async () => {
    const index = Number(await workerOf(ada)) - 1;
    const old = (await pids(ada))[index];
    // Every state that the card takes from now on.
    await ada.evaluate(
      ([card, pid]) => {
        /** @type {any} */ (window).seen = [];
        const element = /** @type {HTMLElement} */ (document.querySelectorAll('.worker')[Number(card)]);
        new MutationObserver(() => {
          const { seen } = /** @type {any} */ (window);
          const now = element.dataset.pid;
          if (seen.at(-1) !== now) seen.push(now);
        }).observe(element, { attributes: true });
        element.dataset.was = pid;
      },
      [String(index), String(old)],
    );
    await ada.click('#kill');
    await ada.waitForSelector('#takeover:not([hidden])');
    await ada.waitForFunction(
      ([card, pid]) => {
        const now = /** @type {HTMLElement} */ (document.querySelectorAll('.worker')[Number(card)]).dataset.pid;
        return now !== undefined && now !== pid;
      },
      [String(index), String(old)],
    );
    const seen = await ada.evaluate(() => /** @type {any} */ (window).seen);
    const rest = seen.slice(seen.findIndex((/** @type {string} */ pid) => pid !== old));
    assert.ok(!rest.includes(old), `the old one came back: ${seen}`);
    assert.equal(await ada.locator('.worker').count(), 4);
  });

  await t.test('what a worker took along unconfirmed stays in the box', async () => {
    const pid = Number(/pid (\d+)/.exec((await ada.locator('#my-worker').textContent()) ?? '')?.[1]);
    freeze(pid); // it takes nothing any more
    await say(ada, 'Did you get this?');
    await ada.waitForSelector('#text[readonly]');
    process.kill(pid, 'SIGKILL');
    await ada.waitForSelector('#reason >> text=Perhaps not sent');
    assert.equal(await ada.inputValue('#text'), 'Did you get this?');
    await ada.waitForSelector('#connection[data-state=connected]');
    await ada.press('#text', 'Enter');
    await message(ada, 'Did you get this?');
    await ada.waitForFunction(() => /** @type {HTMLInputElement} */ (document.getElementById('text')).value === '');
  });

  await t.test('Redis is killed and started: the page says so, and what was said meanwhile stays', async () => {
    await ada.waitForSelector('#connection[data-state=connected]');
    await ada.click('#redis >> text=Kill Redis');
    await ada.waitForSelector('#connection[data-state=away] >> text=Redis is away');
    await ada.waitForSelector('#redis-state[data-state=away]');
    await ada.fill('#text', 'Is anybody there?');
    await ada.press('#text', 'Enter');
    await ada.waitForSelector('#reason >> text=Not sent: Redis is away.');
    assert.equal(await ada.inputValue('#text'), 'Is anybody there?');
    await assertInView(ada, '#reason');
    await ada.click('#redis >> text=Start Redis');
    await ada.waitForSelector('#gaps li >> text=without hearing from others');
    await ada.waitForSelector('#connection[data-state=connected]');
    await ada.press('#text', 'Enter');
    await message(ada, 'Is anybody there?');
    await ada.waitForFunction(() => /** @type {HTMLInputElement} */ (document.getElementById('text')).value === '');
    assert.equal(await ada.locator('#reason').isHidden(), true);
  });

  await t.test('a flood shows what a message costs, with native WebSockets and without', async () => {
    const known = (/** @type {string} */ chart, /** @type {string} */ series) =>
      ada.waitForFunction(
        ([id, name]) => /\d/.test(document.querySelector(`#${id} dd[data-series=${name}]`)?.textContent ?? ''),
        [chart, series],
      );
    await ada.selectOption('#engine', 'both');
    await ada.waitForFunction(
      () =>
        [...document.querySelectorAll('.worker')]
          .map((card) => /** @type {HTMLElement} */ (card).dataset.engine)
          .join() === 'native,native,javascript,javascript',
    );
    await ada.waitForSelector('#connection[data-state=connected]');
    await ada.click('#flood');
    await ada.waitForSelector('#flood[data-on=true]');
    for (const [chart, unit] of [
      ['microseconds', 'µs'],
      ['delay', 'ms'],
    ]) {
      await known(chart, 'native');
      await known(chart, 'javascript');
      const range = await ada.locator(`#${chart} .range`).textContent();
      assert.match(range ?? '', new RegExp(`^0 to \\d+ ${unit} · last 60 s$`));
      for (const series of ['native', 'javascript']) {
        assert.match((await ada.locator(`#${chart} path[data-series=${series}]`).getAttribute('d')) ?? '', /^M/);
      }
    }
    await ada.click('#flood');
    await ada.waitForSelector('#flood[data-on=false]');
  });

  if (version === 'store') {
    await t.test('nothing is said of what 0.9 does not have', async () => {
      assert.doesNotMatch(await ada.locator('body').innerText(), ONLY_4);
      assert.equal(await ada.locator('[data-figure=native]').count(), 0);
    });
  }
  assert.deepEqual(errors, []);
}

/**
 * The figures once they stay as they are while nobody says anything: those that counted themselves never would.
 * @param {import('playwright-core').Page} page
 */
async function atRest(page) {
  let before = await figures(page);
  for (let i = 0; i < MOST_ROUNDS; i++) {
    await boards(page, 3);
    const now = await figures(page);
    if (now.totals.published === before.totals.published) return now;
    before = now;
  }
  throw new Error(`something is published all the time: ${JSON.stringify(before.totals)}`);
}

/**
 * @param {import('playwright-core').Page} page
 * @param {string} text
 */
async function sayOnce(page, text) {
  await say(page, text);
  return text;
}

/**
 * @param {import('node:test').TestContext} t
 * @param {string} version
 */
async function foreign(t, version) {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const { args, links } = VERSIONS[version];
  const { url } = await startDemo(t, args, { REDIS_URL: redis.url });
  const browser = await launchBrowser(t);
  const page = await enter(browser, url, 'Ada', []);
  await page.waitForSelector('#redis-state >> text=The Redis of REDIS_URL is there.');
  assert.equal(await page.locator('#redis').isHidden(), true);
  await page.waitForFunction(
    (count) => document.querySelectorAll('.links [data-state=connected]').length === count,
    links * 4,
  );
  const clients = (await redis.command('CLIENT', 'LIST')).trim().split('\n').length - 1; // without the one that asks
  // Of streams there are further ones, which read.
  assert.ok(version === 'store' ? clients === links * 4 : clients >= links * 4, `${clients} connections`);
  // A page that asks nevertheless is not heard.
  await page.evaluate(() => /** @type {HTMLElement} */ (document.getElementById('redis')).click());
  await boards(page, 3);
  await redis.command('PING');
  await page.waitForSelector('#connection[data-state=connected]');
}
