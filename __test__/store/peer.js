'use strict';

/**
 * One store in a process of its own, which does what it is told: run as a program it is that process,
 * required it starts one.
 */

const { fork } = require('node:child_process');
const { once } = require('node:events');

const { createClient, implementations, inbox } = require('../support/stores.js');

/**
 * Starts a process with a store in it.
 * @param {import('node:test').TestContext} t it ends with the test
 * @param {{ native: boolean, port: number, options?: object, sub?: object }} settings
 *   `sub`: options of the subscribing client
 * @param {import('node:child_process').ForkOptions} [where]
 */
async function startPeer(t, settings, where) {
  const child = fork(__filename, [JSON.stringify(settings)], where);
  const exited = once(child, 'exit');
  t.after(async () => {
    if (child.connected) child.disconnect();
    await exited;
  });
  const messages = inbox();
  const answers = inbox();
  child.on('message', (message) => (message.args ? messages(...message.args) : answers(message)));
  const ask = async (request) => {
    child.send(request);
    return (await answers.next())[0];
  };
  const { packs } = await ask({});
  return {
    /** What `pack` makes of a message with no arguments, as `latin1` text. */
    packs,
    messages,
    subscribe: (channel) => ask({ subscribe: channel }),
    publish: (channel, ...args) => {
      child.send({ publish: [channel, ...args] });
    },
    /** Has the store destroyed; resolves with how the process ended, by itself. */
    async destroy() {
      child.disconnect();
      return exited;
    },
  };
}

function beOne({ native, port, options, sub }) {
  const { RedisStore } = implementations[native ? 1 : 0];
  const [redisPub, redisSub, redisClient] = [undefined, sub, undefined].map((given) => createClient(port, given));
  const store = new RedisStore({ redis: require('redis-0.7'), redisPub, redisSub, redisClient, ...options });
  process.on('message', ({ subscribe, publish }) => {
    if (publish) {
      store.publish(...publish);
    } else if (subscribe) {
      store.subscribe(
        subscribe,
        (...args) => process.send({ args }),
        () => process.send({}),
      );
    } else {
      process.send({ packs: Buffer.from(store.pack({ nodeId: 1, args: [] })).toString('latin1') });
    }
  });
  process.on('disconnect', () => store.destroy());
}

module.exports = { startPeer };

if (require.main === module) beOne(JSON.parse(process.argv[2]));
