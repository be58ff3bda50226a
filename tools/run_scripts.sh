#!/usr/bin/env bash
# Run every script of scripts/ by the release build as tests/scripts.txt says, and fail with the first that fails. With FULL=1 of its arguments only those
# that name data and parts are taken, so that the scripts train in full.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

program=${CARGO_TARGET_DIR:-$root/target}/release/odesync
table=$root/tests/scripts.txt
scripts=("$root"/scripts/*.rhai)
if [[ ! -e ${scripts[0]} ]]; then
    echo "no scripts in scripts/" >&2
    exit 1
fi

# What short settings give must not stand in runs/ in place of what a user made there.
if [[ ${FULL:-} != 1 ]]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir "$work/checkout"
    ln -s "$root/scripts" "$work/checkout/scripts"
    [[ -e ../shared ]] && ln -s "$(cd ../shared && pwd)" "$work/shared"
    cd "$work/checkout"
fi

for script in "${scripts[@]}"; do
    name=$(basename "$script")
    lines=$(awk -v name="$name" '$1 == name' "$table")
    if [[ -z $lines ]]; then
        echo "$name has no line in $table; add one, with settings that keep it short" >&2
        exit 1
    fi
    while read -r _ arguments; do
        # A measured data set lies beside the checkout; only elsewhere than in CI may it be missing.
        data=$(grep -o '\.\./shared/[^ ]*' <<< "$arguments" || true)
        if [[ -n $data && ! -e $data && ${CI:-} != true ]]; then
            echo "== $name $arguments: skipped, there is no $data"
            continue
        fi
        if [[ ${FULL:-} == 1 ]]; then
            arguments=$(tr ' ' '\n' <<< "$arguments" | grep -E '^(file|dataset|dataset\.path|model|training)=' | tr '\n' ' ' || true)
        fi
        echo "== $name $arguments"
        # shellcheck disable=SC2086 # several arguments are meant
        timeout "$([[ ${FULL:-} == 1 ]] && echo 7200 || echo 600)" "$program" run --overwrite "$script" $arguments < /dev/null
    done <<< "$lines"
done

while read -r name _; do
    if [[ -n $name && $name != \#* && ! -e $root/scripts/$name ]]; then
        echo "$table names $name, which is not in scripts/" >&2
        exit 1
    fi
done < "$table"
