#!/bin/sh
# Runs chromedriver until standard input ends: however the test process ends, no browser stays behind.
# The process group is this script's own (the tests start it so), and the browsers are in it.
profiles=$1
chromedriver --port=0 --log-level=SEVERE &
cat >/dev/null
trap '' TERM
kill -TERM 0
wait
rm -rf "$profiles"
