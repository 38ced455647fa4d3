'use strict';

/**
 * What a machine without Redis is told, and what is done there. The programs that would install it are
 * stand-ins, since this machine has it.
 */

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { afterEach, beforeEach, describe, it } = require('node:test');
const { startRedis } = require('../../dev/redis-server');
const { findRedisServer, which } = require('../../dev/install-redis');
const { ROOT } = require('../../scripts/packages');
const { LIMIT } = require('../support/limits');
const { until } = require('../support/load');

const INSTALL = path.join(ROOT, 'dev/install-redis.js');
/** The one line before anything is installed. @param {string} by */
const announced = (by) =>
  new RegExp(`^No redis-server or valkey-server on PATH: installing it by "${by}"; .*REDIS_SERVER .*REDIS_URL .*\\.$`);

describe('on a machine without Redis', LIMIT, () => {
  /** The only directory on PATH. @type {string} */
  let bin;
  const real = /** @type {string} */ (findRedisServer());

  beforeEach(() => {
    bin = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'sio-redis-setup-')));
    fs.symlinkSync(process.execPath, path.join(bin, 'node'));
    for (const name of ['env', 'ln', 'setpriv', 'true']) {
      const found = which(name);
      if (found) fs.symlinkSync(found, path.join(bin, name));
    }
  });
  afterEach(() => fs.rmSync(bin, { recursive: true }));

  /**
   * A program that notes how it was called, and does something.
   * @param {string} name
   * @param {string} script
   */
  function program(name, script = '') {
    const text = `#!/bin/sh\necho "${name} $*" >> "${bin}/calls"\necho "this is ${name}"\n${script}\n`;
    fs.writeFileSync(path.join(bin, name), text, { mode: 0o755 });
  }

  /** @returns {string[]} how the programs were called */
  function calls() {
    const file = path.join(bin, 'calls');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  /** Has the server on PATH from then on. */
  const INSTALLS = `case "$*" in *install*) ln -s "${real}" "\${0%/*}/redis-server" ;; esac`;

  /**
   * @param {{ uid?: number, env?: Record<string, string>, args?: string[] }} [settings]
   * @returns {{ status: number | null, stdout: string, lines: string[] }} `lines` of stderr
   */
  function install({ uid = 0, env = {}, args = [] } = {}) {
    const user = `process.getuid = () => ${uid}; process.argv[1] = ${JSON.stringify(INSTALL)};`;
    const { status, stdout, stderr } = spawnSync(
      path.join(bin, 'node'),
      ['-e', `${user} require('node:module').runMain();`, INSTALL, ...args],
      { env: { PATH: bin, ...env }, encoding: 'utf8' },
    );
    return { status, stdout, lines: stderr.split('\n').filter(Boolean) };
  }

  it('says in one line by what it installs Redis, and what to set instead, before it does', () => {
    program('apt-get', INSTALLS);
    const { status, stdout, lines } = install();
    assert.match(lines[0], announced('apt-get install redis-server'));
    assert.deepEqual(lines.slice(1), ['this is apt-get', 'this is apt-get']);
    assert.deepEqual([status, stdout], [0, '']);
    assert.deepEqual(
      calls().map((call) => call.replace(/ -o \S+/, '')),
      ['apt-get update', 'apt-get install -y redis-server'],
    );
    assert.deepEqual(install(), { status: 0, stdout: '', lines: [] });
  });

  it('uses sudo where it asks for no password', () => {
    program('apt-get', INSTALLS);
    program('sudo', '[ "$1" = -n ] || exit 9\nshift\nexec "$@"');
    const { status, lines } = install({ uid: 1000 });
    assert.match(lines[0], announced('sudo -n apt-get install redis-server'));
    assert.equal(status, 0);
    for (const call of calls().filter((each) => each.startsWith('sudo'))) assert.match(call, /^sudo -n /);
    assert.equal(
      calls()
        .at(-1)
        ?.replace(/ -o \S+/, ''),
      'apt-get install -y redis-server',
    );
  });

  it('asks for no password: says what to do where sudo would, and where there is none', () => {
    program('apt-get', INSTALLS);
    for (const [sudo, wanted] of [
      [false, /^No redis-server .*: run "apt-get install redis-server" as root and try again, or set REDIS_SERVER /],
      [
        true,
        /^No redis-server .* sudo would ask for a password here: run "sudo apt-get install redis-server" and try /,
      ],
    ]) {
      if (sudo) program('sudo', 'echo "sudo: a password is required" >&2\nexit 1');
      const { status, lines } = install({ uid: 1000 });
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0], /** @type {RegExp} */ (wanted));
      assert.equal(status, 1);
    }
    assert.deepEqual(calls(), ['sudo -n true']);
  });

  it('uses Homebrew where there is no apt-get', () => {
    program('brew', INSTALLS);
    const { status, lines } = install({ uid: 501 });
    assert.match(lines[0], announced('brew install redis'));
    assert.deepEqual([status, calls()], [0, ['brew install redis']]);
  });

  it('says what to do where it cannot be installed, and where that fails', () => {
    assert.match(
      install().lines.join('\n'),
      /^No redis-server .*: install Redis and try again, or set REDIS_SERVER .*\.$/,
    );
    program('apt-get', 'echo "Unable to fetch" >&2\nexit 100');
    const { status, lines } = install();
    assert.match(
      lines.at(-1) ?? '',
      /^"apt-get install redis-server" has failed: install Redis and try again, or set /,
    );
    assert.ok(lines.includes('Unable to fetch'));
    assert.equal(status, 1);
  });

  it('installs nothing where REDIS_SERVER names one, which the tests start then', () => {
    program('apt-get', INSTALLS);
    assert.deepEqual(install({ env: { REDIS_SERVER: real } }), { status: 0, stdout: '', lines: [] });
    const start = `
      require(${JSON.stringify(path.join(ROOT, 'dev/redis-server'))}).startRedis().then(async (redis) => {
        console.log(await redis.command('PING'));
        await redis.stop();
      });`;
    const { stdout, stderr } = spawnSync(path.join(bin, 'node'), ['-e', start], {
      env: { PATH: bin, REDIS_SERVER: real },
      encoding: 'utf8',
    });
    assert.deepEqual([stdout, stderr, calls()], ['PONG\n', '', []]);
  });

  it('says so where REDIS_SERVER names nothing that can be run', () => {
    program('apt-get', INSTALLS);
    for (const REDIS_SERVER of ['/nowhere/redis-server', bin, 'redis-server']) {
      const { status, lines } = install({ env: { REDIS_SERVER } });
      assert.deepEqual(lines, [
        `REDIS_SERVER is "${REDIS_SERVER}", which is no program: let it be the path of a redis-server.`,
      ]);
      assert.equal(status, 1);
    }
    assert.deepEqual(calls(), []);
  });

  describe('where REDIS_URL names one that runs', () => {
    /** @type {Awaited<ReturnType<typeof startRedis>>} */
    let redis;
    beforeEach(async () => {
      program('apt-get', INSTALLS);
      redis = await startRedis();
    });
    afterEach(() => redis.stop());

    it('npm run demo installs nothing; npm test, which needs its own, does', () => {
      const env = { REDIS_URL: redis.url };
      assert.deepEqual(install({ env, args: ['--unless-url'] }), { status: 0, stdout: '', lines: [] });
      assert.deepEqual(calls(), []);
      assert.match(install({ env }).lines[0], announced('apt-get install redis-server'));
    });

    for (const version of ['--store', '--adapter']) {
      it(`demo ${version} uses it`, async (t) => {
        const child = spawn(path.join(bin, 'node'), [path.join(ROOT, 'demo/index.js'), '--port', '0', version], {
          env: { PATH: bin, REDIS_URL: redis.url },
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const exited = once(child, 'exit');
        t.after(() => child.kill('SIGKILL'));
        for await (const line of readline.createInterface({ input: child.stdout })) {
          if (/The chat is on http/.test(line)) break;
        }
        const channel = version === '--store' ? 'dispatch' : 'socket.io#/#';
        await until('all workers', async () => (await redis.command('PUBSUB', 'NUMSUB', channel))[1] === 4);
        child.kill('SIGTERM');
        assert.deepEqual(await exited, [0, null]);
        assert.equal(await redis.command('PING'), 'PONG');
        assert.deepEqual(calls(), []);
      });
    }
  });
});
