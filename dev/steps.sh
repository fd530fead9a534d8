# Sourced by dev/test and dev/check: runs named steps, shows their times, adds up their counts.

steps_folder="$(mktemp -d)"
steps_passed=0
steps_failed=0
steps_names_failed=()
trap 'rm -rf "$steps_folder"' EXIT

# step NAME COMMAND…: the output is shown when it fails, or as it comes with VERBOSE=1.
step() {
    local name="$1" log="$steps_folder/log" started=$SECONDS status=0
    shift
    printf '▶ %s\n' "$name"
    if [[ -n "${VERBOSE:-}" ]]; then
        "$@" 2>&1 < /dev/null | tee "$log" || status=$?
    else
        "$@" > "$log" 2>&1 < /dev/null || status=$?
    fi
    _count "$log" "$status"
    if ((status == 0)); then
        printf '✔ %s (%d s)%s\n' "$name" $((SECONDS - started)) "$step_counts"
        return
    fi
    steps_names_failed+=("$name")
    [[ -n "${VERBOSE:-}" ]] || tail -n 150 "$log"
    printf '✘ %s (%d s, exit status %d)%s\n' "$name" $((SECONDS - started)) "$status" "$step_counts"
}

# The tests that a step's own runner counted; a step without such a line counts as one test.
_count() {
    local log="$1" status="$2" passed failed run
    failed=$(grep -cE '^✘ Test .* failed after' "$log" || true)
    run=$(sed -nE 's/^. Test run with ([0-9]+) tests?.*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
    passed=$((run > failed ? run - failed : 0))
    passed=$((passed + $(_sum passed "$log")))
    failed=$((failed + $(_sum failed "$log")))
    if ((status == 0 && failed == 0 && passed == 0)); then passed=1; fi
    if ((status != 0 && failed == 0)); then failed=1; fi
    step_counts=": $passed passed, $failed failed"
    steps_passed=$((steps_passed + passed))
    steps_failed=$((steps_failed + failed))
}

# Adds up "N passed" or "N failed" in the closing lines of pytest and of our own runners.
_sum() {
    grep -E '^(=+ )?([0-9]+ [a-z]+, )*[0-9]+ (passed|failed)' "$2" \
        | grep -oE "[0-9]+ $1" | awk '{ n += $1 } END { print n + 0 }'
}

# Says how it went; the exit status is that of the whole run.
steps_finish() {
    if ((${#steps_names_failed[@]})); then
        printf 'failed: %s\n' "${steps_names_failed[@]}"
    fi
    printf '%d s in all\n' "$SECONDS"
    printf '%d passed, %d failed\n' "$steps_passed" "$steps_failed"
    ((${#steps_names_failed[@]} == 0))
}
