'use strict';

/**
 * What a cron job does: it is no server of Socket.IO, tells the clients of all servers some news, asks them something,
 * and ends. Its servers are those of examples/adapter-recovery.
 *
 *     node examples/emitter-worker
 *
 * To take it away: npm install socket.io-redis-native
 */

const { StreamsEmitter } = require('socket.io-redis-native');

const { REDIS_HOST = '127.0.0.1', REDIS_PORT = '6379' } = process.env;

async function main() {
  // Of servers with createAdapter it is `new Emitter(…)`, and the same in all else.
  const emitter = new StreamsEmitter({ host: REDIS_HOST, port: REDIS_PORT });
  emitter.on('gap', ({ dropped }) => console.error(`${dropped} messages never left`));
  try {
    emitter.to('chat').emit('said', { name: 'cron', text: `it is ${new Date().toISOString()}`, node: process.pid });
    const people = await emitter.in('chat').countSockets();
    const answers = await emitter.in('chat').timeout(5000).emitWithAck('are you well?');
    console.log(`asked ${people}, answered: ${answers.join(', ')}`);
  } finally {
    await emitter.close(); // all has left then
  }
}

main().catch((error) => {
  // Some may have answered in time.
  console.error(`${error.code}: ${error.message}`, error.responses ?? '');
  process.exitCode = 1;
});
