'use strict';

/** The demo as a person meets it: a browser, four workers, one of them killed. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { test } = require('node:test');
const { freePort, which } = require('../../dev/redis-server.js');
const { LIMIT, PATIENCE } = require('../support/limits.js');

const ROOT = path.join(__dirname, '..', '..');
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const MAX_PAGES = 12;

const browserPath =
  process.env.CHROME_PATH || ['chromium', 'chromium-browser', 'google-chrome'].map(which).find(Boolean);
const noBrowser = !browserPath && 'there is no chromium or google-chrome on PATH, and no CHROME_PATH';

/**
 * For each version the arguments of the demo, the Socket.IO that the page names, and what its client says of itself.
 * @type {Record<string, { args: string[], socketIo: string, client: RegExp }>}
 */
const VERSIONS = {
  store: { args: [], socketIo: 'Socket.IO 0.9', client: /Socket\.IO\.js build:0\.9/ },
  adapter: { args: ['--adapter'], socketIo: 'Socket.IO 4', client: /Socket\.IO v4/ },
};

/**
 * Starts the demo on a free port, and resolves when it says where it is.
 * @param {import('node:test').TestContext} t
 * @param {string[]} args
 */
async function startDemo(t, args) {
  const port = await freePort();
  const child = spawn(process.execPath, [path.join(ROOT, 'demo', 'index.js'), '--port', String(port), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, REDIS_URL: '' }, // a Redis of its own
  });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  /** @type {string[]} */
  const said = [];
  child.stderr.on('data', (chunk) => said.push(String(chunk)));
  const lines = readline.createInterface({ input: child.stdout });
  const url = await new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      said.push(line);
      const [found] = /http:\S+/.exec(line) ?? [];
      if (found) resolve(found);
    });
    lines.on('close', () => reject(new Error(`the demo did not start:\n${said.join('\n')}`)));
  });
  return { child, exited, url, said };
}

/** @param {import('node:test').TestContext} t */
async function launchBrowser(t) {
  const { chromium } = require('playwright-core');
  const browser = await chromium.launch({ executablePath: browserPath, args: FLAGS });
  t.after(() => browser.close());
  return browser;
}

/**
 * Opens the chat in a browser context of its own and gives it a nick.
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {string} nick
 * @param {Error[]} errors where the page's errors go
 */
async function enter(browser, url, nick, errors) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on('pageerror', (error) => errors.push(error));
  await page.goto(url);
  await page.waitForSelector('#connection[data-state=connected]');
  await page.fill('#nick', nick);
  await page.press('#nick', 'Enter');
  await page.waitForSelector(`.notice >> text=is now ${nick}`);
  return page;
}

/** @param {import('playwright-core').Page} page */
const workerOf = (page) => page.evaluate(() => document.body.dataset.worker);

/**
 * Two pages on different workers; the cluster decides where each one lands.
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {Error[]} errors
 */
async function twoPagesApart(browser, url, errors) {
  const ada = await enter(browser, url, 'Ada', errors);
  for (let i = 1; i < MAX_PAGES; i++) {
    const grace = await enter(browser, url, 'Grace', errors);
    if ((await workerOf(grace)) !== (await workerOf(ada))) return { ada, grace };
    await grace.context().close();
  }
  throw new Error(`${MAX_PAGES} pages all came to one worker`);
}

/**
 * @param {import('playwright-core').Page} page
 * @param {string} text
 */
async function say(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

/**
 * @param {import('playwright-core').Page} page
 * @param {string} text
 * @returns the message with this text, once the page shows it
 */
async function message(page, text) {
  const item = page.locator('.message', { has: page.getByText(text, { exact: true }) });
  await item.waitFor();
  return {
    nick: await item.locator('.nick-name').textContent(),
    badge: await item.locator('.badge').textContent(),
  };
}

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

  await t.test('the figures live', async () => {
    await ada.waitForFunction(() => document.querySelectorAll('.worker').length === 4);
    const received = () => ada.locator('.worker [data-figure=received] b').allTextContents();
    const before = await received();
    await ada.waitForFunction(
      (old) =>
        [...document.querySelectorAll('.worker [data-figure=received] b')].every(
          (figure, i) => parseInt(figure.textContent.replace(/\D/g, ''), 10) > parseInt(old[i].replace(/\D/g, ''), 10),
        ),
      before,
    );
    assert.equal(await ada.locator('.links [data-state=connected]').count(), 12);
  });

  await t.test("a killed worker's session is taken over, and the worker replaced", async () => {
    const card = `.worker[data-index="${workers.ada}"]`;
    const pid = await ada.locator(card).getAttribute('data-pid');
    await ada.click('#kill');
    const back = ada.waitForSelector(`#takeover >> text=Session taken over from worker ${workers.ada} (pid ${pid})`);
    // Some of it while Ada has no connection.
    const meanwhile = version === 'adapter' ? await sayUntil(grace, back) : [];
    await back;
    await message(ada, meanwhile.at(-1) ?? 'Only for crabs');
    const heard = await ada.locator('.message .text', { hasText: 'Meanwhile' }).allTextContents();
    assert.deepEqual(heard, meanwhile);
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

  await t.test('the switches show what a message costs, with native WebSockets and without', async () => {
    const costs = (writer) =>
      ada.waitForFunction(
        (start) =>
          [...document.querySelectorAll('.worker .cost')].every(
            ({ textContent }) => textContent.startsWith(start) && textContent.includes('µs a message'),
          ),
        `${writer} WebSockets`,
      );
    await ada.check('#load');
    await costs('native');
    await ada.uncheck('#engine');
    await costs('JavaScript');
    await ada.uncheck('#load');
    await say(ada, 'After all that');
    await message(grace, 'After all that');
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
