// epoll, which Swift's Glibc module leaves out, and a wait in nanoseconds.
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static inline int load_poll_change(int poller, int operation, int descriptor, uint32_t events,
                                   uint32_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(poller, operation, descriptor, &event);
}

static inline uint32_t load_event_token(const struct epoll_event *event) {
    return (uint32_t)event->data.u64;
}

/// Waits at most so many nanoseconds; 0 only looks. A kernel without epoll_pwait2 (before 5.11) waits
/// whole milliseconds, so that it rather looks too often than too late.
static inline int load_poll_wait(int poller, struct epoll_event *events, int count, int64_t nanoseconds) {
    struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int found = (int)syscall(SYS_epoll_pwait2, poller, events, count, &time, (void *)0, 0);
    if (found >= 0 || errno != ENOSYS) return found;
    return epoll_wait(poller, events, count, (int)(nanoseconds / 1000000));
}

/// Lets this thread's waits end when they should, and not up to 50 microseconds later.
static inline void load_wake_precisely(void) { prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); }
