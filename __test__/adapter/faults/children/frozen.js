'use strict';

/**
 * A server with a client of its own, whose process its parent stops for a while. It emits when it is
 * told to, and reports what its client has got once the last message for it has arrived.
 */

const { AdapterNode } = require('../../../support/adapter-node');

const [kind, port] = process.argv.slice(2);
const harm = [];

async function main() {
  const redis = { port: Number(port), url: `redis://127.0.0.1:${port}` };
  const adapter = kind === 'native' ? 'native' : 'official-ioredis';
  const node = new AdapterNode({ adapter, redis: /** @type {any} */ (redis) });
  await node.start();
  const client = await node.connect();
  await client.peer.join('child');
  for (const event of ['disconnect', 'reconnecting', 'gap', 'error']) {
    node.adapter().on(event, (details) => harm.push(`${event} ${details.code ?? details.connection}`));
  }
  // Broadcasts are subscribed to before requests, and only the latter are counted.
  while ((await node.adapter().serverCount()) < 2) await new Promise(setImmediate);
  process.once('message', (/** @type {any} */ { emit }) => {
    for (let number = 1; number <= emit; number++) node.io.emit('news', number);
    node.io.emit('end');
    process.send('emitted');
  });
  process.send('ready');
  // Its own emits come first.
  await client.until('end');
  process.send({ received: await client.until('end'), harm });
}

process.on('disconnect', () => process.exit());
main();
