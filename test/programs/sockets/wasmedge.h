/* The socket functions WasmEdge adds to preview 1, second generation: addresses of 128 bytes that begin with the family. */
#ifndef WASMEDGE_H
#define WASMEDGE_H

#include <stdint.h>
#include <string.h>

#define WE_IMPORT(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(name)))

enum { WE_INET4 = 1, WE_INET6 = 2, WE_DGRAM = 1, WE_STREAM = 2 };

struct we_address {
  uint8_t *bytes;
  uint32_t length;
};

struct we_sockaddr {
  uint8_t family;
  uint32_t length;
  uint8_t *data;
};

struct we_addrinfo {
  uint16_t flags;
  uint8_t family;
  uint8_t type;
  uint32_t protocol;
  uint32_t address_length;
  struct we_sockaddr *address;
  char *name;
  uint32_t name_length;
  struct we_addrinfo *next;
};

struct we_vector {
  void *bytes;
  uint32_t length;
};

WE_IMPORT("sock_open") int we_open(int family, int type, int *fd);
WE_IMPORT("sock_bind") int we_bind(int fd, struct we_address *address, int port);
WE_IMPORT("sock_listen") int we_listen(int fd, int backlog);
WE_IMPORT("sock_accept") int we_accept(int fd, int flags, int *result);
WE_IMPORT("sock_connect") int we_connect(int fd, struct we_address *address, int port);
WE_IMPORT("sock_getlocaladdr") int we_local(int fd, struct we_address *address, int *port);
WE_IMPORT("sock_getpeeraddr") int we_peer(int fd, struct we_address *address, int *port);
WE_IMPORT("sock_recv_from")
int we_recv_from(int fd, struct we_vector *v, int count, struct we_address *from, int flags, int *port, int *size, int *out);
WE_IMPORT("sock_send_to")
int we_send_to(int fd, struct we_vector *v, int count, struct we_address *to, int port, int flags, int *size);
WE_IMPORT("sock_getaddrinfo")
int we_getaddrinfo(const char *node, int node_length, const char *service, int service_length, struct we_addrinfo *hints,
                   struct we_addrinfo **result, int max, int *count);

struct we_any {
  uint8_t bytes[128];
  struct we_address address;
};

/* 16-bit family in front, as the second generation lays an address out. */
static inline struct we_address *we_any(struct we_any *at, int family) {
  memset(at->bytes, 0, sizeof at->bytes);
  at->bytes[0] = family;
  at->address.bytes = at->bytes;
  at->address.length = sizeof at->bytes;
  return &at->address;
}

static inline int we_family(struct we_address *address) { return address->bytes[0]; }

/* Fills up to `max` addresses; returns how many, or a negative errno. */
static inline int we_resolve(const char *name, int family, struct we_any *found, int max) {
  enum { MOST = 8 };
  static struct we_addrinfo infos[MOST];
  static struct we_sockaddr addresses[MOST];
  static uint8_t data[MOST][26];
  struct we_addrinfo hints = {.family = family, .type = WE_STREAM};
  struct we_addrinfo *first = infos;
  int count = 0;
  if (max > MOST) max = MOST;
  for (int i = 0; i < max; i++) {
    memset(&infos[i], 0, sizeof infos[i]);
    addresses[i].data = data[i];
    infos[i].address = &addresses[i];
    infos[i].next = i + 1 < max ? &infos[i + 1] : 0;
  }
  int errno_ = we_getaddrinfo(name, strlen(name), "0", 1, &hints, &first, max, &count);
  if (errno_ != 0) return -errno_;
  for (int i = 0; i < count; i++) {
    we_any(&found[i], infos[i].family);
    if (infos[i].family == WE_INET4) memcpy(found[i].bytes + 2, data[i] + 2, 4);
    else memcpy(found[i].bytes + 2, data[i] + 6, 16);
  }
  return count;
}

#endif
