/* A disk in trouble, for one process: to be preloaded. KEYLEND_TEST_DISK names a folder. While a
   file `full` is in it, nothing can be written to regular files (ENOSPC); while a file `broken` is
   in it, nothing can be forced to the disk (EIO). */

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_there(const char *name)
{
    char path[4096];
    const char *folder = getenv("KEYLEND_TEST_DISK");
    if (folder == NULL || snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return 0;
    return syscall(SYS_faccessat, -100 /* AT_FDCWD */, path, F_OK) == 0;
}

static int is_full(int file)
{
    struct stat status;
    int kept = errno;
    int full = fstat(file, &status) == 0 && S_ISREG(status.st_mode) && is_there("full");
    errno = full ? ENOSPC : kept;
    return full;
}

static int is_broken(void)
{
    int kept = errno;
    int broken = is_there("broken");
    errno = broken ? EIO : kept;
    return broken;
}

ssize_t write(int file, const void *bytes, size_t count)
{
    return is_full(file) ? -1 : syscall(SYS_write, file, bytes, count);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at)
{
    return is_full(file) ? -1 : syscall(SYS_pwrite64, file, bytes, count, at);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at)
{
    return pwrite64(file, bytes, count, at);
}

int fsync(int file)
{
    return is_broken() ? -1 : (int)syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
    return is_broken() ? -1 : (int)syscall(SYS_fdatasync, file);
}
