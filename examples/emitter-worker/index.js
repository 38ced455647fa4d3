/**
 * A cron job that is no server of Socket.IO. It tells the clients of all servers some news, asks them something, and
 * ends. Its servers are those of the example `adapter-recovery`.
 *
 *     npm install
 *     npm start
 *
 * REDIS_URL says where Redis is.
 */

import { StreamsEmitter } from 'socket.io-redis-native';

const { REDIS_URL = 'redis://localhost:6379' } = process.env;

// For servers with createAdapter it is `new Emitter(…)`, and all else is the same.
const emitter = new StreamsEmitter(REDIS_URL);
emitter.on('gap', ({ dropped }) => console.error(`${dropped} messages were dropped before they left`));
try {
  emitter.to('chat').emit('said', { name: 'cron', text: `it is ${new Date().toISOString()}`, node: process.pid });
  const people = await emitter.in('chat').countSockets();
  const answers = await emitter.in('chat').timeout(5000).emitWithAck('are you well?');
  console.log(`asked ${people}, answered: ${answers.join(', ')}`);
} catch (error) {
  // When some clients did not answer in time, `responses` has what the others said.
  console.error(`${error.code}: ${error.message}`, error.responses ?? '');
  process.exitCode = 1;
} finally {
  await emitter.close(); // resolves when everything has left
}
