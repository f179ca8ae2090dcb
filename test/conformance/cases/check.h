/* What every case shares: CHECK counts what does not hold and says where; done() is the exit code. */
#ifndef CHECK_H
#define CHECK_H
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

static int failures;

#define CHECK(condition) \
  do { \
    if (!(condition)) { \
      failures++; \
      fprintf(stderr, "%s:%d: %s\n", __FILE_NAME__, __LINE__, #condition); \
    } \
  } while (0)

/* Compares an errno and names both numbers. */
#define ERRNO(call, expected) \
  do { \
    int got_ = (int)(call); \
    if (got_ != (int)(expected)) { \
      failures++; \
      fprintf(stderr, "%s:%d: %s: errno %d, expected %d\n", __FILE_NAME__, __LINE__, #call, got_, (int)(expected)); \
    } \
  } while (0)

#define OK(call) ERRNO(call, __WASI_ERRNO_SUCCESS)

/* One of two answers the specification leaves open. */
#define EITHER(call, one, other) \
  do { \
    int got_ = (int)(call); \
    if (got_ != (int)(one) && got_ != (int)(other)) { \
      failures++; \
      fprintf(stderr, "%s:%d: %s: errno %d, expected %d or %d\n", __FILE_NAME__, __LINE__, #call, got_, (int)(one), (int)(other)); \
    } \
  } while (0)

static inline int done(void) { return failures == 0 ? 0 : 1; }

#define ROOT 3
#define ALL_RIGHTS ((__wasi_rights_t)0x3fffffff)
#define FILE_RIGHTS                                                                                                 \
  (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL |                 \
   __WASI_RIGHTS_FD_FILESTAT_GET | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE | __WASI_RIGHTS_FD_FILESTAT_SET_TIMES |       \
   __WASI_RIGHTS_FD_FDSTAT_SET_FLAGS | __WASI_RIGHTS_FD_SYNC | __WASI_RIGHTS_FD_DATASYNC | __WASI_RIGHTS_FD_ADVISE | \
   __WASI_RIGHTS_FD_ALLOCATE | __WASI_RIGHTS_POLL_FD_READWRITE)

/* An address outside every guest's memory here (they start below 16 MiB). */
#define BAD ((void *)0xfffffff0u)

static inline int create(const char *path, const char *text) {
  __wasi_fd_t fd;
  OK(__wasi_path_open(ROOT, 0, path, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_TRUNC, FILE_RIGHTS, 0, 0, &fd));
  __wasi_ciovec_t iov = {(const uint8_t *)text, strlen(text)};
  __wasi_size_t n = 0;
  OK(__wasi_fd_write(fd, &iov, 1, &n));
  CHECK(n == strlen(text));
  OK(__wasi_fd_close(fd));
  return 0;
}

static inline int slurp(const char *path, char *out, size_t cap) {
  __wasi_fd_t fd;
  int e = __wasi_path_open(ROOT, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, 0, __WASI_RIGHTS_FD_READ, 0, 0, &fd);
  if (e != 0) return -e;
  __wasi_iovec_t iov = {(uint8_t *)out, cap - 1};
  __wasi_size_t n = 0;
  OK(__wasi_fd_read(fd, &iov, 1, &n));
  out[n] = 0;
  OK(__wasi_fd_close(fd));
  return (int)n;
}
#endif
