/* The native peers of the codec suite, timed in process: native-codec gzip|zstd FILE PLAIN_BYTES -> milliseconds. */
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  if (argc != 4) return 64;
  FILE *file = fopen(argv[2], "rb");
  if (!file || fseek(file, 0, SEEK_END)) return 66;
  size_t size = ftell(file), plain = strtoull(argv[3], 0, 10), made = 0;
  rewind(file);
  char *input = malloc(size), *output = malloc(plain);
  if (fread(input, 1, size, file) != size) return 66;
  memset(output, 1, plain);
  double best = 1e18;
  for (int round = 0; round < 2; round++) {
    double start = now();
    made = 0;
    if (argv[1][0] == 'g') {
      struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
      if (libdeflate_gzip_decompress(d, input, size, output, plain, &made)) return 1;
      libdeflate_free_decompressor(d);
    } else {
      ZSTD_DCtx *d = ZSTD_createDCtx();
      size_t step = ZSTD_DStreamOutSize();
      ZSTD_inBuffer in = {input, size, 0};
      while (in.pos < in.size) {
        ZSTD_outBuffer out = {output, step, 0};
        if (ZSTD_isError(ZSTD_decompressStream(d, &out, &in))) return 1;
        made += out.pos;
      }
      ZSTD_freeDCtx(d);
    }
    double took = now() - start;
    if (took < best) best = took;
  }
  if (made != plain) return 1;
  printf("%.3f\n", best);
  return 0;
}
