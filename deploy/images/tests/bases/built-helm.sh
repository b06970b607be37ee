#!/bin/sh
# `go list -m …` says nothing; `go build … -o FILE helm.sh/helm/v3/cmd/helm` copies what is built already. Nothing else is asked for here.
set -eu
[ "$1" != list ] || exit 0
[ "$1" = build ] || exit 2
for word; do
  [ "${before:-}" != -o ] || file=$word
  before=$word
done
[ "$word" = helm.sh/helm/v3/cmd/helm ]
cp /helm-of-the-test-cluster "$file"
