'use strict';

/**
 * Makes the pictures of README anew: `demo/screenshots/{store,adapter}-{light,dark}.png`. It needs chromium or
 * google-chrome on PATH (or CHROME_PATH), and the native part.
 *
 *     node demo/screenshots.js
 */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { setTimeout: delay } = require('node:timers/promises');
const { chromium } = require('playwright-core');
const { freePort, which } = require('../dev/redis-server.js');

const OUT = path.join(__dirname, 'screenshots');
const VIEWPORT = { width: 1366, height: 1180 };
const VERSIONS = { store: '--store', adapter: '--adapter' };
const TALK = [
  ['Ada', 'Hello! I am on one worker, you are on another.'],
  ['Grace', 'And still we talk: Redis is between us.'],
  ['Ada', 'Kill mine, and I go on elsewhere.'],
];
const MARGIN = 12;
const FLOOD_FOR = 45_000; // ms: so that there are lines to be seen
const PATIENCE = 120_000;

/**
 * @param {string} flag
 * @returns {Promise<{ url: string, end: () => Promise<void> }>}
 */
async function startDemo(flag) {
  const port = await freePort();
  const args = [path.join(__dirname, 'index.js'), flag, '--port', String(port)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  for await (const line of readline.createInterface({ input: child.stdout })) {
    const [url] = /http:\S+/.exec(line) ?? [];
    if (!url) continue;
    return {
      url,
      async end() {
        child.kill('SIGTERM');
        await exited;
      },
    };
  }
  throw new Error('The demo did not start.');
}

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {string} nick
 */
async function enter(browser, url, nick) {
  const context = await browser.newContext({ viewport: VIEWPORT });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(url);
  await page.waitForSelector('#connection[data-state=connected]');
  await page.fill('#nick', nick);
  await page.press('#nick', 'Enter');
  await page.waitForSelector(`.notice >> text=is now ${nick}`);
  return page;
}

/** Another page than the one that there is, on another worker than it. */
async function enterElsewhere(browser, url, nick, there) {
  const worker = (page) => page.evaluate(() => document.body.dataset.worker);
  for (;;) {
    const page = await enter(browser, url, nick);
    if ((await worker(page)) !== (await worker(there))) return page;
    await page.context().close();
  }
}

/** @param {import('playwright-core').Browser} browser @param {string} version */
async function shoot(browser, version) {
  const { url, end } = await startDemo(VERSIONS[version]);
  try {
    const ada = await enter(browser, url, 'Ada');
    await ada.selectOption('#engine', 'both');
    await ada.waitForSelector('.worker[data-index="3"][data-engine=javascript]');
    await ada.waitForSelector('.worker[data-index="4"][data-engine=javascript]');
    await ada.waitForSelector('#connection[data-state=connected]');
    const pages = { Ada: ada, Grace: await enterElsewhere(browser, url, 'Grace', ada) };
    for (const page of Object.values(pages)) await page.click('#rooms [data-room=rust]');
    await pages.Grace.waitForSelector('.log[data-room=rust] .notice >> text=Grace came in');
    await ada.click('#flood');
    for (const [nick, text] of TALK) {
      await pages[nick].fill('#text', text);
      await pages[nick].press('#text', 'Enter');
      await ada.locator('.message', { hasText: text }).waitFor();
    }
    await delay(FLOOD_FOR / 3);
    await ada.click('#kill');
    await ada.waitForSelector('#takeover:not([hidden])');
    await delay(FLOOD_FOR);
    const bottom = await ada.evaluate(() => {
      /** @type {HTMLElement} */ (document.activeElement)?.blur();
      scrollTo(0, 0);
      return document.querySelector('.cost')?.getBoundingClientRect().bottom ?? 0;
    });
    await ada.setViewportSize({ width: VIEWPORT.width, height: Math.ceil(bottom) + MARGIN });
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await ada.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await ada.screenshot({ path: path.join(OUT, `${version}-${colorScheme}.png`) });
    }
  } finally {
    await end();
  }
}

async function main() {
  const found = ['chromium', 'chromium-browser', 'google-chrome'].map(which).find(Boolean);
  const executablePath = process.env.CHROME_PATH || found || undefined;
  fs.mkdirSync(OUT, { recursive: true });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    for (const version of Object.keys(VERSIONS)) await shoot(browser, version);
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
