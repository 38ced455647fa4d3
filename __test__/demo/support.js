'use strict';

/** The demo, and a browser that visits it. */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const readline = require('node:readline');
const { freePort, which } = require('../../dev/redis-server.js');
const { PATIENCE } = require('../support/limits.js');

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
 * For each version the arguments of the demo, the Socket.IO that the page names, what its client says of itself, and
 * how many connections to Redis each worker shows.
 * @type {Record<string, { args: string[], socketIo: string, client: RegExp, links: number }>}
 */
const VERSIONS = {
  store: { args: [], socketIo: 'Socket.IO 0.9', client: /Socket\.IO\.js build:0\.9/, links: 2 },
  adapter: { args: ['--adapter'], socketIo: 'Socket.IO 4', client: /Socket\.IO v4/, links: 3 },
};

/**
 * Starts the demo on a free port, and resolves when it says where it is.
 * @param {import('node:test').TestContext} t
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
async function startDemo(t, args, env = {}) {
  const port = await freePort();
  const child = spawn(process.execPath, [path.join(ROOT, 'demo', 'index.js'), '--port', String(port), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, REDIS_URL: '', ...env }, // a Redis of its own
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
  const redisPort = Number(/Redis on port (\d+)/.exec(said.join('\n'))?.[1]);
  return { child, exited, url, said, redisPort };
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
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
async function enter(browser, url, nick, errors, options = { viewport: { width: 1280, height: 860 } }) {
  const context = await browser.newContext(options);
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
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
async function twoPagesApart(browser, url, errors, options) {
  const ada = await enter(browser, url, 'Ada', errors, options);
  for (let i = 1; i < MAX_PAGES; i++) {
    const grace = await enter(browser, url, 'Grace', errors, options);
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
  await page.waitForSelector('#text:not([readonly])'); // what was said before is confirmed
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
 * Resolves when a page has been told the figures so many times more.
 * @param {import('playwright-core').Page} page
 * @param {number} times
 */
async function boards(page, times) {
  await page.waitForSelector('.worker[data-pid]');
  await page.evaluate(
    (count) =>
      new Promise((resolve) => {
        const observer = new MutationObserver(() => {
          if (--count > 0) return;
          observer.disconnect();
          resolve(undefined);
        });
        observer.observe(/** @type {Node} */ (document.getElementById('totals')), { childList: true });
      }),
    times,
  );
}

/**
 * What the cards and the totals show, at one moment.
 * @param {import('playwright-core').Page} page
 * @returns {Promise<{ cards: Record<string, number>[], totals: Record<string, number> }>}
 */
function figures(page) {
  return page.evaluate(() => {
    /** @param {Element} list */
    const read = (list) =>
      Object.fromEntries(
        [...list.querySelectorAll('[data-figure]')].map((value) => [
          /** @type {HTMLElement} */ (value).dataset.figure,
          Number(value.textContent.replace(/\D/g, '')),
        ]),
      );
    const cards = [...document.querySelectorAll('.worker[data-pid]')].map(read);
    return { cards, totals: read(/** @type {Element} */ (document.getElementById('totals'))) };
  });
}

module.exports = {
  ROOT,
  VERSIONS,
  boards,
  browserPath,
  enter,
  figures,
  launchBrowser,
  message,
  noBrowser,
  say,
  startDemo,
  twoPagesApart,
  workerOf,
};
