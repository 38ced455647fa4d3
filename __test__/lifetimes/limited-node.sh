#!/bin/sh
# Node, whose path is in NODE, with few descriptors.
ulimit -n 80
exec "$NODE" "$@"
