#!/usr/bin/env bash
# Run every script of scripts/ as tests/scripts.txt says, and fail with the first that fails. With FULL=1 of its arguments only those
# that name data and parts are taken, so that the scripts train in full.
set -euo pipefail
cd "$(dirname "$0")/.."

table=tests/scripts.txt
scripts=(scripts/*.rhai)
if [[ ! -e ${scripts[0]} ]]; then
    echo "no scripts in scripts/" >&2
    exit 1
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
        # shellcheck disable=SC2086 # several arguments, and several flags, are meant
        timeout "$([[ ${FULL:-} == 1 ]] && echo 7200 || echo 600)" "${CARGO:-cargo}" run --release --quiet ${FEATURES:-} -- run --overwrite "$script" $arguments < /dev/null
    done <<< "$lines"
done

while read -r name _; do
    if [[ -n $name && $name != \#* && ! -e scripts/$name ]]; then
        echo "$table names $name, which is not in scripts/" >&2
        exit 1
    fi
done < "$table"
