/* Compute-bound guests of the fuel suite: freestanding, one export each, the result keeps the work alive. */
typedef unsigned int u32;
typedef unsigned char u8;

#define EXPORT(name) __attribute__((export_name(#name))) u32 name

static const u32 K[64] = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
  0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
  0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
  0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
  0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
  0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static u32 rotr(u32 x, int n) { return (x >> n) | (x << (32 - n)); }

static void block(u32 *h, const u8 *p) {
  u32 w[64];
  for (int i = 0; i < 16; i++) w[i] = (u32)p[4 * i] << 24 | (u32)p[4 * i + 1] << 16 | (u32)p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    u32 a = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    u32 b = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + a + w[i - 7] + b;
  }
  u32 s[8];
  for (int i = 0; i < 8; i++) s[i] = h[i];
  for (int i = 0; i < 64; i++) {
    u32 e = rotr(s[4], 6) ^ rotr(s[4], 11) ^ rotr(s[4], 25);
    u32 t1 = s[7] + e + ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[i] + w[i];
    u32 a = rotr(s[0], 2) ^ rotr(s[0], 13) ^ rotr(s[0], 22);
    u32 t2 = a + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + t1, s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) h[i] += s[i];
}

static u8 data[1 << 20];

EXPORT(sha256)(u32 rounds) {
  u32 h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (u32 r = 0; r < rounds; r++)
    for (u32 at = 0; at < sizeof data; at += 64) block(h, data + at);
  return h[0];
}

#define N 192
static double ma[N][N], mb[N][N], mc[N][N];

EXPORT(matmul)(u32 rounds) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) ma[i][j] = i + j, mb[i][j] = i - j;
  for (u32 r = 0; r < rounds; r++)
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++) {
        double sum = 0;
        for (int k = 0; k < N; k++) sum += ma[i][k] * mb[k][j];
        mc[i][j] = sum;
      }
  return (u32)(long long)mc[N - 1][N - 1];
}

static u8 composite[1 << 20];

EXPORT(sieve)(u32 rounds) {
  u32 primes = 0;
  for (u32 r = 0; r < rounds; r++) {
    for (u32 i = 0; i < sizeof composite; i++) composite[i] = 0;
    primes = 0;
    for (u32 i = 2; i < sizeof composite; i++) {
      if (composite[i]) continue;
      primes++;
      for (u32 k = i + i; k < sizeof composite; k += i) composite[k] = 1;
    }
  }
  return primes;
}

/* A plain interpreter loop: a switch in a loop, what scripting languages spend their time in. */
EXPORT(interpreter)(u32 steps) {
  static const u8 program[] = {0, 1, 2, 3, 1, 0, 4, 2, 5, 1, 3, 6};
  u32 a = 1, b = 2, at = 0;
  for (u32 i = 0; i < steps; i++) {
    switch (program[at]) {
      case 0: a += b; break;
      case 1: b ^= a; break;
      case 2: a = a << 3 | a >> 29; break;
      case 3: b += 0x9e3779b9; break;
      case 4: a ^= b >> 7; break;
      case 5: if (a & 1) b++; break;
      default: at = -1; break;
    }
    at++;
  }
  return a ^ b;
}

static int sorted[1 << 16];

__attribute__((noinline)) static int ascending(const void *x, const void *y) {
  int a = *(const int *)x, b = *(const int *)y;
  return (a > b) - (a < b);
}

/* Through a pointer the compiler cannot see through, as qsort of a C library is called. */
static int (*volatile comparer)(const void *, const void *) = ascending;

static void quicksort(int *v, int low, int high, int (*compare)(const void *, const void *)) {
  while (low < high) {
    int pivot = v[(low + high) / 2], i = low, j = high;
    while (i <= j) {
      while (compare(&v[i], &pivot) < 0) i++;
      while (compare(&v[j], &pivot) > 0) j--;
      if (i <= j) {
        int t = v[i];
        v[i++] = v[j];
        v[j--] = t;
      }
    }
    quicksort(v, low, j, compare);
    low = i;
  }
}

EXPORT(qsort_callback)(u32 rounds) {
  u32 seed = 12345;
  for (u32 r = 0; r < rounds; r++) {
    for (u32 i = 0; i < 1 << 16; i++) sorted[i] = (int)((seed = seed * 1664525 + 1013904223) >> 8);
    quicksort(sorted, 0, (1 << 16) - 1, comparer);
  }
  return sorted[100];
}

static u32 fib_of(u32 n) { return n < 2 ? n : fib_of(n - 1) + fib_of(n - 2); }

EXPORT(fib)(u32 n) { return fib_of(n); }
