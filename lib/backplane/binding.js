'use strict';

/**
 * Finds and loads the native part: the one that `npm run build` made here, else the platform's
 * package, which npm installs as an optional dependency.
 */

const { readFileSync } = require('node:fs');
const path = require('node:path');

/** What a binary is made for, as the packages are named; see `npm/`. */
const PLATFORMS = [
  'linux-x64-gnu',
  'linux-x64-musl',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
];
const NAME = 'socket.io-redis-native';
const BINARY = 'socket-io-redis-native';
/** The environment variable that names a file to load instead; it has the name that napi-rs gave it. */
const OVERRIDE = 'NAPI_RS_NATIVE_LIBRARY_PATH';
const FROM_SOURCE =
  'build it from source with Rust 1.88 or later (npm ci && npm run build in a checkout), ' +
  `and let ${OVERRIDE} name the .node file`;

/** @returns {boolean} whether this process's libc is musl */
function isMusl() {
  try {
    // By far the cheapest way to know; distroless images lack the file.
    return readFileSync('/usr/bin/ldd', 'latin1').includes('musl');
  } catch {
    const report = /** @type {any} */ (process.report?.getReport());
    return !report?.header?.glibcVersionRuntime;
  }
}

/** @returns {string} the platform of this process, as the packages name it */
function platform() {
  const base = `${process.platform}-${process.arch}`;
  if (process.platform === 'linux') return `${base}-${isMusl() ? 'musl' : 'gnu'}`;
  return process.platform === 'win32' ? `${base}-msvc` : base;
}

/**
 * @typedef {Error & { code: string, platform: string, package: string | null }} BindingError
 *
 * @param {'ERR_NATIVE_MISSING' | 'ERR_NATIVE_LOAD'} code not there, or there and not to be loaded
 * @param {string} message
 * @param {string} triple
 * @param {unknown} [cause]
 * @returns {BindingError}
 */
function bindingError(code, message, triple, cause) {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  const name = PLATFORMS.includes(triple) ? `${NAME}-${triple}` : null;
  return Object.assign(error, { code, platform: triple, package: name });
}

/** @param {string} triple */
function unsupported(triple) {
  return bindingError(
    'ERR_NATIVE_MISSING',
    `${NAME} has no native part for this platform, ${triple}. It comes for ${PLATFORMS.join(', ')}. ` +
      `For any other, ${FROM_SOURCE}.`,
    triple,
  );
}

/** @param {string} triple @param {unknown} cause */
function missing(triple, cause) {
  return bindingError(
    'ERR_NATIVE_MISSING',
    [
      `The package ${NAME}-${triple} is not installed: it holds the native part of ${NAME} for this platform, ${triple}.`,
      'It is an optional dependency, and npm leaves it out when told to, or when it installs for another platform. So',
      '- run npm install without --omit=optional (in other package managers: without --no-optional or --ignore-optional)',
      '- run it where the app runs, or in its image: node_modules cannot be copied from another platform',
      `- should the lock file know the other platform only: npm install ${NAME} once more, here`,
      `- or ${FROM_SOURCE}.`,
      `Packages exist for ${PLATFORMS.join(', ')}.`,
    ].join('\n'),
    triple,
    cause,
  );
}

/** @param {string} what @param {string} triple @param {any} cause */
function broken(what, triple, cause) {
  return bindingError(
    'ERR_NATIVE_LOAD',
    `${what}, the native part of ${NAME}, cannot be loaded on this platform, ${triple}: ${cause?.message ?? cause}. ` +
      `Install ${NAME} again where the app runs, or ${FROM_SOURCE}.`,
    triple,
    cause,
  );
}

/** @returns {typeof import('../native')} */
function load() {
  const triple = platform();
  const override = process.env[OVERRIDE];
  const candidates = override ? [path.resolve(override)] : [`../native/${BINARY}.${triple}.node`, `${NAME}-${triple}`];
  let absent;
  for (const candidate of candidates) {
    try {
      require.resolve(candidate);
    } catch (error) {
      absent = error;
      continue;
    }
    try {
      return require(candidate);
    } catch (error) {
      throw broken(candidate, triple, error);
    }
  }
  if (override) throw broken(`${override} (${OVERRIDE})`, triple, absent);
  throw PLATFORMS.includes(triple) ? missing(triple, absent) : unsupported(triple);
}

module.exports = load();
