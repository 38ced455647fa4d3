#!/bin/sh
# Node with few descriptors.
ulimit -n 80
exec node "$@"
