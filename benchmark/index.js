'use strict';

// `npm run bench`: the incumbents and this package side by side. See NOTES.md for the method.

const { parseArgs } = require('node:util');

const { SingleBar, Presets } = require('cli-progress');

const { ADAPTER_FAMILY } = require('./adapters');
const { contest, steps } = require('./contest');
const { report } = require('./report');
const { STORE_FAMILY } = require('./stores');

const ROWS = [
  ...require('./rows/receive'),
  ...require('./rows/publish'),
  ...require('./rows/session'),
  ...require('./rows/cluster'),
  ...require('./rows/memory'),
  ...require('./rows/v4/receive'),
  ...require('./rows/v4/emit'),
  ...require('./rows/v4/cluster'),
];

const HELP = `npm run bench -- [options]
  --quick        small counts and one round: does it all work, and arrive?
  --rounds <n>   rounds of each row (default 5)
  --only <text>  only the rows whose id holds this text, such as v4
  --list         the rows' ids`;

async function main() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string', default: '' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(HELP);
  const rows = ROWS.filter(({ id }) => id.includes(values.only));
  if (values.list) return console.log(rows.map(({ id }) => id).join('\n'));
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  const results = await run(rows, { rounds, quick: values.quick });
  for (const family of [STORE_FAMILY, ADAPTER_FAMILY]) {
    await reportFamily(family, results, { rounds, quick: values.quick });
  }
  const wrong = [...results.values()].flatMap(({ id, wrong }) => wrong.map((text) => `${id}: ${text}`));
  if (wrong.length > 0) {
    console.error(`Wrong counts:\n${wrong.join('\n')}`);
    process.exitCode = 1;
  }
}

/** @returns {Promise<Map<any, import('./contest').Result>>} by row */
async function run(rows, options) {
  const bar = new SingleBar({ format: '{bar} {value}/{total}  {step}', stopOnComplete: true, noTTYOutput: !process.stdout.isTTY, notTTYSchedule: 10_000 }, Presets.shades_classic);
  bar.start(rows.reduce((sum, row) => sum + steps(row, options.rounds), 0), 0, { step: '' });
  const results = new Map();
  for (const row of rows) {
    results.set(row, await contest(row, options, (step) => bar.increment(1, { step })));
  }
  bar.stop();
  return results;
}

async function reportFamily(family, results, options) {
  const rows = ROWS.filter((row) => row.family === family);
  const ran = rows.flatMap((row) => results.get(row) ?? []);
  if (ran.length > 0) await report(family, ran, { ...options, partial: ran.length < rows.length });
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
