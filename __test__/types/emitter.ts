// The types of emitters, as an application uses them. `tsc` is the test.

import {
  Emitter,
  StreamsEmitter,
  type AnyEvents,
  type CommonEmitterOptions,
  type EmitArguments,
  type EmitterCallback,
  type EmitterEvents,
  type EmitterMethods,
  type EmitterOperator,
  type EmitterOptions,
  type EmitterSocket,
  type StreamsEmitterOptions,
} from '../..';

interface ToClients {
  news: (title: string, count: number) => void;
  ask: (question: string, answer: (text: string) => void) => void;
}

const classic: EmitterOptions = { key: 'chat', parser: { encode: JSON.stringify }, requestsTimeout: 100 };
const sharded: EmitterOptions = { sharded: true, channelPrefix: 'chat', subscriptionMode: 'static', partial: true };
const common: CommonEmitterOptions = { requestsTimeout: 100, offlineQueue: { messages: 1 } };
const streams: StreamsEmitterOptions = { streamName: 'chat', streamCount: 2, maxLen: 100, ...common };
new StreamsEmitter<ToClients>(['redis://localhost'], streams, '/chat').of('/admin').emit('news', 'title', 1);
const emitter = new Emitter('redis://localhost', classic, '/chat');
new Emitter({ host: 'localhost' }, sharded).of('/admin').emit('anything', 1, Buffer.from('part'));
new Emitter(null, null).emit('ask', (error: Error | null, answers: string[]) => void [error, answers]);

const typed = new Emitter<ToClients>();
typed.to('room').except(['a', 7]).volatile.compress(true).emit('news', 'title', 1);
// @ts-expect-error -- it takes a number
typed.emit('news', 'title', 'many');
// @ts-expect-error -- there is no such event
typed.emit('olds');
const callback: EmitterCallback = (error, answers) => void [error?.code, answers];
typed.timeout(100).emit('ask', 'why', callback);
const args: EmitArguments<ToClients, 'ask'> = ['why'];
const answers: Promise<any> = typed.timeout(100).emitWithAck('ask', ...args);

async function more(methods: EmitterMethods<AnyEvents>, operator: EmitterOperator): Promise<number> {
  methods.socketsJoin(['a', 'b']);
  operator.in('a').socketsLeave('b');
  operator.disconnectSockets(true);
  const sockets = await emitter.in('room').fetchSockets();
  const [socket]: EmitterSocket[] = sockets;
  socket.join('a');
  socket.leave(['a']);
  socket.emit('news', socket.id, socket.data, [...socket.rooms]);
  await socket.disconnect(true).timeout(100).emitWithAck('ask');
  return (await emitter.countSockets()) + (sockets.partial?.received ?? 0);
}
emitter.serverSideEmit('news', 1);
const onGap = (...[gap]: EmitterEvents['gap']) => void gap.dropped;
emitter
  .on('gap', onGap)
  .off('gap', onGap)
  .once('error', (error) => void error.code);
const ready: Promise<void> = emitter.ready();
const published: number = emitter.stats().published;
const closed: Promise<void> = emitter.close();
export { answers, closed, more, published, ready };
