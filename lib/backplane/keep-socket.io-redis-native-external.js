// @ts-nocheck -- none of the packages is installed in a checkout
'use strict';

/**
 * Requires the package of a platform, in words that bundlers understand. One without a loader for `.node`
 * files fails here, and prints the name of this file: that is why it has this name.
 *
 * @param {string} platform as the packages are named
 * @returns {{ native?: any, error?: any }} what it exports (a bundler's loader may give the file's path), or
 *   why it cannot be required
 */
function requirePlatformPackage(platform) {
  // In a `try`, what is not installed is optional to a bundler. A sum of texts is as good as one to webpack, ncc
  // and esbuild; rollup, which has no loader for such files, leaves it alone.
  try {
    switch (platform) {
      case 'linux-x64-gnu':
        return { native: require('socket.io-redis-native-' + 'linux-x64-gnu') };
      case 'linux-x64-musl':
        return { native: require('socket.io-redis-native-' + 'linux-x64-musl') };
      case 'linux-arm64-gnu':
        return { native: require('socket.io-redis-native-' + 'linux-arm64-gnu') };
      case 'linux-arm64-musl':
        return { native: require('socket.io-redis-native-' + 'linux-arm64-musl') };
      case 'darwin-x64':
        return { native: require('socket.io-redis-native-' + 'darwin-x64') };
      case 'darwin-arm64':
        return { native: require('socket.io-redis-native-' + 'darwin-arm64') };
      case 'win32-x64-msvc':
        return { native: require('socket.io-redis-native-' + 'win32-x64-msvc') };
      default:
        return {};
    }
  } catch (error) {
    return { error };
  }
}

module.exports = { requirePlatformPackage };
