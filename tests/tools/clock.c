/* Moves the wall clock of one process: to be preloaded. The file that KEYLEND_TEST_CLOCK names holds
   a number of microseconds in eight bytes, in the machine's order, which is added to what the
   system's clock shows. The test writes it while the process runs. The monotonic clock stays. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *offset_us;

__attribute__((constructor)) static void open_offset(void)
{
    const char *path = getenv("KEYLEND_TEST_CLOCK");
    if (path == NULL)
        return;
    int file = open(path, O_RDONLY);
    if (file < 0)
        abort();
    void *mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED)
        abort();
    offset_us = mapped;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int outcome = (int)syscall(SYS_clock_gettime, clock, time);
    if (outcome != 0 || clock != CLOCK_REALTIME || offset_us == NULL)
        return outcome;
    int64_t total_ns = (*offset_us % 1000000) * 1000 + time->tv_nsec;
    time->tv_sec += *offset_us / 1000000;
    if (total_ns < 0) {
        total_ns += 1000000000;
        time->tv_sec -= 1;
    } else if (total_ns >= 1000000000) {
        total_ns -= 1000000000;
        time->tv_sec += 1;
    }
    time->tv_nsec = total_ns;
    return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    int outcome = clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return outcome;
}

time_t time(time_t *kept)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (kept != NULL)
        *kept = now.tv_sec;
    return now.tv_sec;
}
