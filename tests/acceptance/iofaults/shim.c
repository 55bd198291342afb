/* Preloaded into a Germane process: the Nth call of a kind on the files of one folder fails.
 *
 * Calls are counted over all threads and only where their file is inside the folder, so that the same N is
 * the same call in every run; strace counts by thread and by program, and cannot write half of what was asked
 * for. Each call is told in a log (one line: number, call, file), the one that failed with "FAILED". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char folder[PATH_MAX], wanted[32];
static size_t folder_size;
static long at, told = -1;
static int code, stays;
static atomic_long counts[16];
static const char *const NAMES[] = {"open",  "write",    "pwrite", "fsync", "fdatasync", "ftruncate", "rename",
                                    "unlink", "mkdir", "read",   "pread", NULL};
enum { OPEN, WRITE, PWRITE, FSYNC, FDATASYNC, FTRUNCATE, RENAME, UNLINK, MKDIR, READ, PREAD };

/* Begin: N = 0 only counts; code -1 writes half; stays: each later call of the kind fails, too. */
void fault_arm(const char *of, const char *call, long n, int error, int for_ever, const char *log) {
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    told = (long)syscall(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, 900);
    syscall(SYS_close, descriptor);
    snprintf(wanted, sizeof wanted, "%s", call);
    at = n, code = error, stays = for_ever;
    snprintf(folder, sizeof folder, "%s", of);
    folder_size = strlen(folder);
}

static int inside(const char *path) {
    return folder_size && strncmp(path, folder, folder_size) == 0 && path[folder_size] == '/';
}

/* Whether this call is to fail. */
static int fails(int call, const char *path) {
    char line[PATH_MAX + 96];
    long n = atomic_fetch_add(&counts[call], 1) + 1;
    int now = at && strcmp(NAMES[call], wanted) == 0 && (stays ? n >= at : n == at);
    struct timespec clock;
    clock_gettime(CLOCK_MONOTONIC, &clock);
    int size = snprintf(line, sizeof line, "%s %lld.%09ld %ld %s %s\n", now ? "FAILED" : "passed",
                        (long long)clock.tv_sec, clock.tv_nsec, n, NAMES[call], path + folder_size + 1);
    syscall(SYS_write, (int)told, line, size);
    return now;
}

static int fails_at(int call, const char *path) {
    char whole[PATH_MAX];
    if (!folder_size || path == NULL) return 0;
    if (path[0] != '/') {
        char here[PATH_MAX / 2];
        if (getcwd(here, sizeof here) == NULL) return 0;
        snprintf(whole, sizeof whole, "%s/%s", here, path);
        path = whole;
    }
    return inside(path) && fails(call, path);
}

static int fails_on(int call, int descriptor) {
    char link[64], path[PATH_MAX];
    if (!folder_size) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return inside(path) && fails(call, path);
}

static int refused(void) {
    errno = code > 0 ? code : EIO;
    return -1;
}

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

#define OPENS(name)                                                                                        \
    int name(const char *path, int flags, ...) {                                                           \
        va_list more;                                                                                      \
        va_start(more, flags);                                                                             \
        mode_t mode = va_arg(more, mode_t);                                                                \
        va_end(more);                                                                                      \
        return fails_at(OPEN, path) ? refused() : REAL(name)(path, flags, mode);                           \
    }
OPENS(open)
OPENS(open64)
#define OPENS_AT(name)                                                                                     \
    int name(int dir, const char *path, int flags, ...) {                                                  \
        va_list more;                                                                                      \
        va_start(more, flags);                                                                             \
        mode_t mode = va_arg(more, mode_t);                                                                \
        va_end(more);                                                                                      \
        return fails_at(OPEN, path) ? refused() : REAL(name)(dir, path, flags, mode);                      \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

#define ON_PATH(name, call)                                                                                \
    int name(const char *path) { return fails_at(call, path) ? refused() : REAL(name)(path); }
ON_PATH(unlink, UNLINK)
ON_PATH(rmdir, UNLINK)
int unlinkat(int dir, const char *path, int flags) {
    return fails_at(UNLINK, path) ? refused() : REAL(unlinkat)(dir, path, flags);
}
int mkdir(const char *path, mode_t mode) {
    return fails_at(MKDIR, path) ? refused() : REAL(mkdir)(path, mode);
}
int rename(const char *from, const char *to) {
    return fails_at(RENAME, from) ? refused() : REAL(rename)(from, to);
}

#define ON_FILE(name, call)                                                                                \
    int name(int descriptor) { return fails_on(call, descriptor) ? refused() : REAL(name)(descriptor); }
ON_FILE(fsync, FSYNC)
ON_FILE(fdatasync, FDATASYNC)
#define CUTS(name)                                                                                         \
    int name(int descriptor, off64_t size) {                                                               \
        return fails_on(FTRUNCATE, descriptor) ? refused() : REAL(name)(descriptor, size);                 \
    }
CUTS(ftruncate)
CUTS(ftruncate64)

ssize_t write(int descriptor, const void *data, size_t size) {
    if (!fails_on(WRITE, descriptor)) return syscall(SYS_write, descriptor, data, size);
    return code < 0 && size > 1 ? syscall(SYS_write, descriptor, data, size / 2) : refused();
}
#define PWRITES(name)                                                                                      \
    ssize_t name(int descriptor, const void *data, size_t size, off64_t place) {                           \
        if (!fails_on(PWRITE, descriptor)) return REAL(name)(descriptor, data, size, place);               \
        return code < 0 && size > 1 ? REAL(name)(descriptor, data, size / 2, place) : refused();           \
    }
PWRITES(pwrite)
PWRITES(pwrite64)
ssize_t read(int descriptor, void *data, size_t size) {
    return fails_on(READ, descriptor) ? refused() : syscall(SYS_read, descriptor, data, size);
}
#define PREADS(name)                                                                                       \
    ssize_t name(int descriptor, void *data, size_t size, off64_t place) {                                 \
        return fails_on(PREAD, descriptor) ? refused() : REAL(name)(descriptor, data, size, place);        \
    }
PREADS(pread)
PREADS(pread64)
