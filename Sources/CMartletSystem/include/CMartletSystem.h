// What Swift cannot import or express: epoll, eventfd, accept4, and 64-byte masks.
// Headers only, so that everything here is inlined into Swift; nothing here decides anything.
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

// accept4 is a GNU extension that Glibc's module does not export.
int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);

static inline int martlet_accept(int listener, struct sockaddr_storage *address) {
    socklen_t length = sizeof *address;
    return accept4(listener, (struct sockaddr *)address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static inline int martlet_poll_change(int poller, int operation, int descriptor, uint32_t events,
                                      uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(poller, operation, descriptor, &event);
}

static inline uint64_t martlet_event_token(const struct epoll_event *event) {
    return event->data.u64;
}

// The calls of every event, past glibc's functions: in a process with threads those first make the
// thread cancellable and then undo it, which costs more than they do. No thread here is cancelled.
static inline ssize_t martlet_receive(int descriptor, void *bytes, size_t count) {
    return syscall(SYS_recvfrom, descriptor, bytes, count, 0, (void *)0, (void *)0);
}

static inline ssize_t martlet_send(int descriptor, const void *bytes, size_t count) {
    return syscall(SYS_sendto, descriptor, bytes, count, MSG_NOSIGNAL, (void *)0, 0);
}

static inline int martlet_poll_wait(int poller, struct epoll_event *events, int count,
                                    int milliseconds) {
    return (int)syscall(SYS_epoll_pwait, poller, events, count, milliseconds, (void *)0, 0);
}

// epoll_pwait2 has one number on every architecture, and takes 64-bit times.
static inline int martlet_poll_wait_precisely(int poller, struct epoll_event *events, int count,
                                              uint64_t nanoseconds) {
    struct { int64_t seconds, nanoseconds; } timeout = {
        (int64_t)(nanoseconds / 1000000000), (int64_t)(nanoseconds % 1000000000)};
    return (int)syscall(441, poller, events, count, &timeout, (void *)0, 0);
}

// The kernel ends the calling thread's timed waits up to 50 us late, to gather wake-ups, unless told.
static inline void martlet_wake_in_time(void) {
    prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
}

// How many cores the calling thread may run on; 0 where there are more than 4,096 to look at.
static inline int martlet_allowed_cores(void) {
    unsigned long mask[64] = {0};
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    int count = 0;
    for (long i = 0; i < bytes / (long)sizeof *mask; i++) count += __builtin_popcountl(mask[i]);
    return count;
}

static inline int martlet_wakeup_timer(void) {
    return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

static inline int martlet_set_wakeup_timer(int alarm, uint64_t nanoseconds) {
    struct itimerspec time = {.it_value = {.tv_sec = (time_t)(nanoseconds / 1000000000),
                                           .tv_nsec = (long)(nanoseconds % 1000000000)}};
    return timerfd_settime(alarm, TFD_TIMER_ABSTIME, &time, (void *)0);
}

// A datagram, and the process that sent it by the kernel's word; 0 where it gives none. The macros of
// control messages and `struct ucred` are not in Glibc's module.
static inline ssize_t martlet_receive_datagram(int descriptor, void *bytes, size_t count,
                                               int32_t *sender) {
    struct { int32_t process; uint32_t user, group; } credentials;
    union { struct cmsghdr header; char bytes[CMSG_SPACE(sizeof credentials)]; } control;
    struct iovec part = {bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t length = recvmsg(descriptor, &message, MSG_DONTWAIT);
    *sender = 0;
    if (length < 0) return length;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    const int scm_credentials = 2;
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == scm_credentials
        && header->cmsg_len == CMSG_LEN(sizeof credentials)) {
        memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
        *sender = credentials.process;
    }
    return length;
}

// GNU extensions that Glibc's module does not export.
int pthread_setname_np(pthread_t thread, const char *name);
#include "CMartletCrypt.h"
#include "CMartletJSON.h"
#include "CMartletMasks.h"
