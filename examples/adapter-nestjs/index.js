/**
 * A NestJS gateway on several servers. Its IoAdapter is the one of Nest's page on WebSockets, but there are no clients
 * of Redis to connect first. It is plain JavaScript, so that it runs without a build: in TypeScript, write decorators
 * where this file calls `decorate`.
 *
 *     npm install
 *     PORT=3000 npm start
 *     PORT=3001 npm start
 *
 * REDIS_URL says where Redis is.
 */

import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { createAdapter } from 'socket.io-redis-native';

const { PORT = '3000', REDIS_URL = 'redis://localhost:6379' } = process.env;

class RedisIoAdapter extends IoAdapter {
  #adapterConstructor = createAdapter(REDIS_URL);

  createIOServer(port, options) {
    const server = super.createIOServer(port, options);
    server.adapter(this.#adapterConstructor);
    return server;
  }
}

class ChatGateway {
  handleConnection(socket) {
    socket.emit('welcome', { node: process.pid });
  }

  say(socket, text) {
    this.server.emit('said', { name: 'guest', text, node: process.pid });
  }
}
decorate(ChatGateway, WebSocketGateway());
decorate(ChatGateway, WebSocketServer(), 'server');
decorate(ChatGateway, SubscribeMessage('say'), 'say');

class AppModule {}
decorate(AppModule, Module({ providers: [ChatGateway] }));

/** `@decorator` before a class or before its member. */
function decorate(target, decorator, member) {
  if (member === undefined) decorator(target);
  else decorator(target.prototype, member, Object.getOwnPropertyDescriptor(target.prototype, member));
}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
app.useWebSocketAdapter(new RedisIoAdapter(app));
app.enableShutdownHooks();
await app.listen(PORT);
console.log(`node ${process.pid} is on http://localhost:${app.getHttpServer().address().port}`);
