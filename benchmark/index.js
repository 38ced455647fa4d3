'use strict';

// `npm run bench`: the incumbents and this package side by side. See NOTES.md for the method.

const { parseArgs } = require('node:util');

const { SingleBar, Presets } = require('cli-progress');

const { contest, steps } = require('./contest');
const { report } = require('./report');

const ROWS = [
  ...require('./rows/receive'),
  ...require('./rows/publish'),
  ...require('./rows/session'),
  ...require('./rows/cluster'),
  ...require('./rows/memory'),
];

const HELP = `npm run bench -- [options]
  --quick        small counts and one round: does it all work, and arrive?
  --rounds <n>   rounds of each row (default 5)
  --only <text>  only the rows whose id holds this text
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
  await report(results, { rounds, quick: values.quick, partial: values.only !== '' });
  const wrong = results.flatMap(({ id, wrong }) => wrong.map((text) => `${id}: ${text}`));
  if (wrong.length > 0) {
    console.error(`Wrong counts:\n${wrong.join('\n')}`);
    process.exitCode = 1;
  }
}

async function run(rows, options) {
  const bar = new SingleBar({ format: '{bar} {value}/{total}  {step}', stopOnComplete: true, noTTYOutput: !process.stdout.isTTY, notTTYSchedule: 10_000 }, Presets.shades_classic);
  bar.start(rows.reduce((sum, row) => sum + steps(row, options.rounds), 0), 0, { step: '' });
  const results = [];
  for (const row of rows) {
    results.push(await contest(row, options, (step) => bar.increment(1, { step })));
  }
  bar.stop();
  return results;
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
