'use strict';

/**
 * Finds and loads the native part: the one that `npm run build` made here, else the platform's
 * package, which npm installs as an optional dependency.
 */

const { closeSync, openSync, readFileSync, readSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');

const { requirePlatformPackage } = require('./keep-socket.io-redis-native-external');

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
const IN_A_BUNDLE = `in a bundle (webpack, esbuild, rollup, ncc, Next.js): keep ${NAME} external, as its README says`;
/** Where a bundler has put this module, the folder of its bundle; a bundle of ES modules does not say. */
const HERE = typeof __dirname === 'string' ? __dirname : process.cwd();
/** Requires what no bundler should look at. */
const requireFile = createRequire(path.join(HERE, 'binding.js'));

/**
 * Whether this process's libc is musl. Never by a report with the open connections in it, for which Node
 * asks DNS for the name of each.
 */
function isMusl() {
  try {
    // By far the cheapest way to know; distroless images lack the file.
    return readFileSync('/usr/bin/ldd', 'latin1').includes('musl');
  } catch {
    const head = headOf(process.execPath);
    if (head.includes('/ld-musl-')) return true;
    return !head.includes('/ld-linux') && !(reportHeader()?.glibcVersionRuntime ?? true);
  }
}

/** The first page of a program, which names its loader. @param {string} file */
function headOf(file) {
  const page = Buffer.alloc(4096);
  try {
    const fd = openSync(file, 'r');
    try {
      return page.toString('latin1', 0, readSync(fd, page, 0, page.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

/** For programs that name their loader elsewhere. @returns {any} nothing before Node 20.13, which cannot leave the connections out */
function reportHeader() {
  const report = /** @type {any} */ (process.report);
  if (report?.excludeNetwork === undefined) return undefined;
  const { excludeNetwork } = report;
  report.excludeNetwork = true;
  try {
    return report.getReport().header;
  } finally {
    report.excludeNetwork = excludeNetwork;
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
      `- ${IN_A_BUNDLE}`,
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
      `Install ${NAME} again where the app runs, or ${FROM_SOURCE}; ${IN_A_BUNDLE}.`,
    triple,
    cause,
  );
}

/** @returns {typeof import('../native')} */
function load() {
  const triple = platform();
  const override = process.env[OVERRIDE];
  if (override) return attempt(`${override} (${OVERRIDE})`, triple, path.resolve(override));
  const built = `../native/${BINARY}.${triple}.node`;
  if (isThere(built)) return attempt(built, triple, built);

  const { native, error } = requirePlatformPackage(triple);
  if (typeof native === 'string') return attempt(native, triple, native);
  if (native !== undefined) return native;
  if (!PLATFORMS.includes(triple)) throw unsupported(triple);
  throw error.code === 'MODULE_NOT_FOUND' ? missing(triple, error) : broken(`${NAME}-${triple}`, triple, error);
}

/** @param {string} what for the error @param {string} triple @param {string} file */
function attempt(what, triple, file) {
  try {
    return requireFile(file);
  } catch (error) {
    throw broken(what, triple, error);
  }
}

/** @param {string} file */
function isThere(file) {
  try {
    requireFile.resolve(file);
    return true;
  } catch {
    return false;
  }
}

module.exports = load();
