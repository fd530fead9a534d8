# Sourced by dev/test and dev/check: runs named steps, shows their times, adds up their counts.

# Tests that wait in tasks, which share a thread for each core. Other tests block these, and ten times
# longer under a sanitizer: so they run apart, and there one after another.
task_suites='InProcess|AsynchronousHandler|HandlerDocument|HandlerLife|HandlerRequest|HandlerServing'

steps_folder="$(mktemp -d)"
steps_passed=0
steps_failed=0
steps_names_failed=()
# Lines in which a runner says what went wrong: Swift Testing, XCTest and the compiler, pytest, ours.
failure_lines='recorded an issue|error:|^(FAILED|ERROR) |^not ok|^FAIL'
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
    [[ -n "${VERBOSE:-}" ]] || tail -n 50 "$log"
    { grep -E "$failure_lines" "$log" || true; } | tail -n 40 > "$steps_folder/failures.${#steps_names_failed[@]}"
    printf '✘ %s (%d s, exit status %d)%s\n' "$name" $((SECONDS - started)) "$status" "$step_counts"
}

# The tests that a step's own runner counted; a step whose runner counts nothing is one test.
_count() {
    local log="$1" status="$2" passed failed
    failed=$(_sum '^✘ Test .* failed after' '' "$log")
    passed=$(($(_sum '^. Test run with [0-9]+ tests?' '[0-9]+ test' "$log") - failed))
    # pytest and our own runners close with "N passed, N failed" or a part of it.
    passed=$((passed + $(_sum '^(=+ )?([0-9]+ [a-z]+, )*[0-9]+ passed' '[0-9]+ passed' "$log")))
    failed=$((failed + $(_sum '^(=+ )?([0-9]+ [a-z]+, )*[0-9]+ failed' '[0-9]+ failed' "$log")))
    if ((status == 0 && failed == 0 && passed == 0)); then passed=1; fi
    if ((status != 0 && failed == 0)); then failed=1; fi
    step_counts=": $passed passed, $failed failed"
    steps_passed=$((steps_passed + passed))
    steps_failed=$((steps_failed + failed))
}

# Of the lines that match a pattern: how many, or the sum of the numbers that a second one finds.
_sum() {
    { grep -E "$1" "$3" || true; } | awk -v number="$2" '
        number == "" { sum += 1 }
        number != "" && match($0, number) { sum += substr($0, RSTART) + 0 }
        END { print sum + 0 }'
}

# Says how it went; the exit status is that of the whole run.
steps_finish() {
    if ((${#steps_names_failed[@]})); then
        local index
        for index in "${!steps_names_failed[@]}"; do
            printf 'failed: %s\n' "${steps_names_failed[index]}"
            cut -c 1-600 "$steps_folder/failures.$((index + 1))"
        done
    fi
    printf '%d s in all\n' "$SECONDS"
    printf '%d passed, %d failed\n' "$steps_passed" "$steps_failed"
    ((${#steps_names_failed[@]} == 0))
}
