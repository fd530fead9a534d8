// Preloaded into the broker: counts calls that take memory from the allocator or the system, in a
// page of shared memory that the test reads. Built by `run` with the C compiler:
//
//     cc -shared -fPIC -O2 -o counter.so counter.c
//
// ALLOCATION_COUNTS names the page's file. Where the page's `traces` is not 0, each call that takes
// memory also writes a backtrace to standard error, at most that many.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// `Counts` in counts.py knows the same order.
enum { MALLOC, CALLOC, REALLOC, POSIX_MEMALIGN, ALIGNED_ALLOC, MEMALIGN, FREE, MMAP, MUNMAP, BRK, MADVISE,
       LOCK, SEND, KIND_COUNT };

struct page {
    _Atomic uint64_t traces;
    _Atomic uint64_t counts[KIND_COUNT];
};

static struct page before_start;
static struct page *page = &before_start;
static __thread int is_tracing;

// glibc's own entry points, so that nothing has to be looked up while memory is taken.
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static void *(*next_mmap)(void *, size_t, int, int, int, off_t);
static int (*next_munmap)(void *, size_t);
static int (*next_madvise)(void *, size_t, int);
static int (*next_brk)(void *);
static void *(*next_sbrk)(intptr_t);
static int (*next_lock)(pthread_mutex_t *);
static long (*next_syscall)(long, ...);
static ssize_t (*next_sendmsg)(int, const struct msghdr *, int);

static void trace(int kind) {
    static const char *const names[] = {"malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc",
                                        "memalign", "free", "mmap", "munmap", "brk", "madvise", "lock",
                                        "send"};
    if (is_tracing) return;
    is_tracing = 1;
    uint64_t left = atomic_load(&page->traces);
    while (left > 0 && !atomic_compare_exchange_weak(&page->traces, &left, left - 1)) {}
    if (left > 0) {
        void *frames[48];
        int count = backtrace(frames, 48);
        (void)!write(2, "TRACE ", 6);
        (void)!write(2, names[kind], strlen(names[kind]));
        (void)!write(2, "\n", 1);
        backtrace_symbols_fd(frames + 2, count - 2, 2);
    }
    is_tracing = 0;
}

static inline void note(int kind) {
    atomic_fetch_add_explicit(&page->counts[kind], 1, memory_order_relaxed);
    if (kind == FREE || kind == LOCK || kind == SEND) return;
    if (__builtin_expect(atomic_load_explicit(&page->traces, memory_order_relaxed) > 0, 0)) trace(kind);
}

__attribute__((constructor)) static void start(void) {
    next_mmap = dlsym(RTLD_NEXT, "mmap");
    next_munmap = dlsym(RTLD_NEXT, "munmap");
    next_madvise = dlsym(RTLD_NEXT, "madvise");
    next_brk = dlsym(RTLD_NEXT, "brk");
    next_sbrk = dlsym(RTLD_NEXT, "sbrk");
    next_lock = dlsym(RTLD_NEXT, "pthread_mutex_lock");
    next_syscall = dlsym(RTLD_NEXT, "syscall");
    next_sendmsg = dlsym(RTLD_NEXT, "sendmsg");
    void *frame;
    backtrace(&frame, 1);  // Loads what it needs now, not while it traces.
    const char *path = getenv("ALLOCATION_COUNTS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = next_mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) page = mapped;
}

void *malloc(size_t size) { note(MALLOC); return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { note(CALLOC); return __libc_calloc(count, size); }
void *realloc(void *block, size_t size) { note(REALLOC); return __libc_realloc(block, size); }
void *memalign(size_t alignment, size_t size) { note(MEMALIGN); return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) {
    note(ALIGNED_ALLOC);
    return __libc_memalign(alignment, size);
}
int posix_memalign(void **block, size_t alignment, size_t size) {
    note(POSIX_MEMALIGN);
    void *made = __libc_memalign(alignment, size);
    if (!made) return ENOMEM;
    *block = made;
    return 0;
}
void free(void *block) {
    if (block) note(FREE);
    __libc_free(block);
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
    note(MMAP);
    if (!next_mmap) next_mmap = dlsym(RTLD_NEXT, "mmap");
    return next_mmap(address, size, protection, flags, file, offset);
}
int munmap(void *address, size_t size) {
    note(MUNMAP);
    if (!next_munmap) next_munmap = dlsym(RTLD_NEXT, "munmap");
    return next_munmap(address, size);
}
int madvise(void *address, size_t size, int advice) {
    note(MADVISE);
    if (!next_madvise) next_madvise = dlsym(RTLD_NEXT, "madvise");
    return next_madvise(address, size, advice);
}
int brk(void *address) { note(BRK); return next_brk(address); }
void *sbrk(intptr_t increment) { note(BRK); return next_sbrk(increment); }

// Not memory, but counted in the same place: the tree of subjects has a lock that messages must not take.
int pthread_mutex_lock(pthread_mutex_t *mutex) {
    note(LOCK);
    if (!next_lock) next_lock = dlsym(RTLD_NEXT, "pthread_mutex_lock");
    return next_lock(mutex);
}

// The broker sends one block by `syscall`, several by `sendmsg`.
long syscall(long number, ...) {
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_sendto) note(SEND);
    if (!next_syscall) next_syscall = dlsym(RTLD_NEXT, "syscall");
    return next_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags) {
    note(SEND);
    if (!next_sendmsg) next_sendmsg = dlsym(RTLD_NEXT, "sendmsg");
    return next_sendmsg(descriptor, message, flags);
}
