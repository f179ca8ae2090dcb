/** MD5, SHA-1, SHA-256 and SHA-512: RFC 1321 and FIPS 180-4. */
import { inBase } from '../io/number';

export const MD5: i32 = 0;
export const SHA1: i32 = 1;
export const SHA224: i32 = 2;
export const SHA256: i32 = 3;
export const SHA384: i32 = 4;
export const SHA512: i32 = 5;

const S: StaticArray<i32> = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];

/** The first 80 primes, whose roots the constants of SHA-2 are. */
function primes(): StaticArray<i32> {
  const found = new StaticArray<i32>(80);
  let count = 0;
  for (let n = 2; count < 80; n++) {
    let isPrime = true;
    for (let i = 0; i < count && isPrime; i++) isPrime = n % found[i] != 0;
    if (isPrime) found[count++] = n;
  }
  return found;
}

/** The first 64 bits behind the point of a prime's square (2) or cube (3) root, by bisection in whole numbers. */
function root(prime: i32, power: i32): u64 {
  // the integer part is at most 8; the fraction is found bit by bit: (whole + f)^power <= prime
  let whole: u64 = 1;
  while ((power == 2 ? (whole + 1) * (whole + 1) : (whole + 1) * (whole + 1) * (whole + 1)) <= <u64>prime) whole++;
  let fraction: u64 = 0;
  for (let bit = 63; bit >= 0; bit--) {
    const candidate = fraction | ((<u64>1) << bit);
    if (notAbove(whole, candidate, power, prime)) fraction = candidate;
  }
  return fraction;
}

/** (whole + fraction / 2^64)^power <= prime, in 32-bit limbs. */
function notAbove(whole: u64, fraction: u64, power: i32, prime: i32): bool {
  const base = new StaticArray<u32>(3);
  base[0] = <u32>fraction;
  base[1] = <u32>(fraction >> 32);
  base[2] = <u32>whole;
  let product: StaticArray<u32> = base;
  for (let i = 1; i < power; i++) product = multiply(product, base);
  // the point is at limb 2 * power
  const point = 2 * power;
  let high: u64 = 0;
  for (let i = product.length - 1; i >= point; i--) high = (high << 32) | product[i];
  if (high != <u64>prime) return high < <u64>prime;
  for (let i = 0; i < point; i++) if (product[i] != 0) return false;
  return true;
}

function multiply(a: StaticArray<u32>, b: StaticArray<u32>): StaticArray<u32> {
  const result = new StaticArray<u32>(a.length + b.length);
  for (let i = 0; i < a.length; i++) {
    let carry: u64 = 0;
    for (let k = 0; k < b.length; k++) {
      const value = <u64>a[i] * b[k] + result[i + k] + carry;
      result[i + k] = <u32>value;
      carry = value >> 32;
    }
    result[i + b.length] = <u32>carry;
  }
  return result;
}

export class Digest {
  private state: StaticArray<u64> = new StaticArray<u64>(8);
  private constants: StaticArray<u64> = new StaticArray<u64>(80);
  private schedule: StaticArray<u64> = new StaticArray<u64>(80);
  private block: StaticArray<u8> = new StaticArray<u8>(128);
  private filled: i32 = 0;
  private total: u64 = 0;
  private wide: bool = false;
  private size: i32 = 64;

  constructor(private kind: i32) {
    this.wide = kind >= SHA384;
    this.size = this.wide ? 128 : 64;
    this.start();
  }

  private start(): void {
    const state = this.state;
    const kind = this.kind;
    if (kind == MD5 || kind == SHA1) {
      state[0] = 0x67452301;
      state[1] = 0xefcdab89;
      state[2] = 0x98badcfe;
      state[3] = 0x10325476;
      state[4] = 0xc3d2e1f0;
      if (kind == MD5)
        for (let i = 0; i < 64; i++) this.constants[i] = <u64>Math.floor(Math.abs(Math.sin(<f64>i + 1)) * 4294967296);
      return;
    }
    const first = primes();
    for (let i = 0; i < (this.wide ? 80 : 64); i++) {
      const value = root(first[i], 3);
      this.constants[i] = this.wide ? value : value >> 32;
    }
    for (let i = 0; i < 8; i++) {
      // SHA-384 begins with the roots of the 9th to 16th prime, SHA-224 with the second half of them
      const value = root(first[kind == SHA384 || kind == SHA224 ? i + 8 : i], 2);
      state[i] = this.wide ? value : kind == SHA224 ? value & 0xffffffff : value >> 32;
    }
  }

  update(from: usize, length: i32): void {
    this.total += length;
    let at = 0;
    const size = this.size;
    while (at < length) {
      const count = min(size - this.filled, length - at);
      memory.copy(changetype<usize>(this.block) + this.filled, from + at, count);
      this.filled += count;
      at += count;
      if (this.filled == size) {
        this.compress();
        this.filled = 0;
      }
    }
  }

  private compress(): void {
    if (this.kind == MD5) this.md5();
    else if (this.kind == SHA1) this.sha1();
    else if (this.wide) this.sha512();
    else this.sha256();
  }

  private md5(): void {
    const block = changetype<usize>(this.block);
    let a = <u32>this.state[0];
    let b = <u32>this.state[1];
    let c = <u32>this.state[2];
    let d = <u32>this.state[3];
    for (let i = 0; i < 64; i++) {
      const round = i >> 4;
      let f: u32 = 0;
      let g = i;
      if (round == 0) f = (b & c) | (~b & d);
      else if (round == 1) {
        f = (d & b) | (~d & c);
        g = (5 * i + 1) & 15;
      } else if (round == 2) {
        f = b ^ c ^ d;
        g = (3 * i + 5) & 15;
      } else {
        f = c ^ (b | ~d);
        g = (7 * i) & 15;
      }
      const sum = a + f + <u32>unchecked(this.constants[i]) + load<u32>(block + (g << 2));
      a = d;
      d = c;
      c = b;
      b = b + rotl<u32>(sum, unchecked(S[(round << 2) | (i & 3)]));
    }
    this.state[0] = <u32>this.state[0] + a;
    this.state[1] = <u32>this.state[1] + b;
    this.state[2] = <u32>this.state[2] + c;
    this.state[3] = <u32>this.state[3] + d;
  }

  private sha1(): void {
    const w = this.schedule;
    const block = changetype<usize>(this.block);
    for (let i = 0; i < 16; i++) w[i] = bswap<u32>(load<u32>(block + (i << 2)));
    for (let i = 16; i < 80; i++) {
      w[i] = rotl<u32>(<u32>(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16]), 1);
    }
    let a = <u32>this.state[0];
    let b = <u32>this.state[1];
    let c = <u32>this.state[2];
    let d = <u32>this.state[3];
    let e = <u32>this.state[4];
    for (let i = 0; i < 80; i++) {
      let f: u32 = 0;
      let k: u32 = 0;
      if (i < 20) {
        f = (b & c) | (~b & d);
        k = 0x5a827999;
      } else if (i < 40) {
        f = b ^ c ^ d;
        k = 0x6ed9eba1;
      } else if (i < 60) {
        f = (b & c) | (b & d) | (c & d);
        k = 0x8f1bbcdc;
      } else {
        f = b ^ c ^ d;
        k = 0xca62c1d6;
      }
      const sum = rotl<u32>(a, 5) + f + e + k + <u32>unchecked(w[i]);
      e = d;
      d = c;
      c = rotl<u32>(b, 30);
      b = a;
      a = sum;
    }
    this.state[0] = <u32>this.state[0] + a;
    this.state[1] = <u32>this.state[1] + b;
    this.state[2] = <u32>this.state[2] + c;
    this.state[3] = <u32>this.state[3] + d;
    this.state[4] = <u32>this.state[4] + e;
  }

  private sha256(): void {
    const w = this.schedule;
    const block = changetype<usize>(this.block);
    for (let i = 0; i < 16; i++) w[i] = bswap<u32>(load<u32>(block + (i << 2)));
    for (let i = 16; i < 64; i++) {
      const x = <u32>unchecked(w[i - 15]);
      const y = <u32>unchecked(w[i - 2]);
      const s0 = rotr<u32>(x, 7) ^ rotr<u32>(x, 18) ^ (x >> 3);
      const s1 = rotr<u32>(y, 17) ^ rotr<u32>(y, 19) ^ (y >> 10);
      w[i] = <u32>(<u32>w[i - 16] + s0 + <u32>w[i - 7] + s1);
    }
    let a = <u32>this.state[0];
    let b = <u32>this.state[1];
    let c = <u32>this.state[2];
    let d = <u32>this.state[3];
    let e = <u32>this.state[4];
    let f = <u32>this.state[5];
    let g = <u32>this.state[6];
    let h = <u32>this.state[7];
    for (let i = 0; i < 64; i++) {
      const s1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
      const t1 = h + s1 + ((e & f) ^ (~e & g)) + <u32>unchecked(this.constants[i]) + <u32>unchecked(w[i]);
      const s0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
      const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g;
      g = f;
      f = e;
      e = d + t1;
      d = c;
      c = b;
      b = a;
      a = t1 + t2;
    }
    this.add32(a, b, c, d, e, f, g, h);
  }

  private add32(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32): void {
    const s = this.state;
    s[0] = <u32>s[0] + a;
    s[1] = <u32>s[1] + b;
    s[2] = <u32>s[2] + c;
    s[3] = <u32>s[3] + d;
    s[4] = <u32>s[4] + e;
    s[5] = <u32>s[5] + f;
    s[6] = <u32>s[6] + g;
    s[7] = <u32>s[7] + h;
  }

  private sha512(): void {
    const w = this.schedule;
    const block = changetype<usize>(this.block);
    for (let i = 0; i < 16; i++) w[i] = bswap<u64>(load<u64>(block + (i << 3)));
    for (let i = 16; i < 80; i++) {
      const x = unchecked(w[i - 15]);
      const y = unchecked(w[i - 2]);
      const s0 = rotr<u64>(x, 1) ^ rotr<u64>(x, 8) ^ (x >> 7);
      const s1 = rotr<u64>(y, 19) ^ rotr<u64>(y, 61) ^ (y >> 6);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    const s = this.state;
    let a = s[0];
    let b = s[1];
    let c = s[2];
    let d = s[3];
    let e = s[4];
    let f = s[5];
    let g = s[6];
    let h = s[7];
    for (let i = 0; i < 80; i++) {
      const s1 = rotr<u64>(e, 14) ^ rotr<u64>(e, 18) ^ rotr<u64>(e, 41);
      const t1 = h + s1 + ((e & f) ^ (~e & g)) + unchecked(this.constants[i]) + unchecked(w[i]);
      const s0 = rotr<u64>(a, 28) ^ rotr<u64>(a, 34) ^ rotr<u64>(a, 39);
      const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g;
      g = f;
      f = e;
      e = d + t1;
      d = c;
      c = b;
      b = a;
      a = t1 + t2;
    }
    s[0] += a;
    s[1] += b;
    s[2] += c;
    s[3] += d;
    s[4] += e;
    s[5] += f;
    s[6] += g;
    s[7] += h;
  }

  /** The digest in hexadecimal; nothing can be added any more. */
  finish(): string {
    const bits = this.total << 3;
    const size = this.size;
    const one = new StaticArray<u8>(1);
    one[0] = 0x80;
    this.update(changetype<usize>(one), 1);
    one[0] = 0;
    const tail = this.wide ? 16 : 8;
    while (this.filled != size - tail) this.update(changetype<usize>(one), 1);
    const at = changetype<usize>(this.block) + size - 8;
    if (this.wide) store<u64>(at - 8, 0);
    store<u64>(at, this.kind == MD5 ? bits : bswap<u64>(bits));
    this.compress();
    let result = '';
    if (this.kind == MD5) {
      for (let i = 0; i < 4; i++) result += inBase(bswap<u32>(<u32>this.state[i]), 16, 8);
      return result;
    }
    const words = this.kind == SHA1 ? 5 : this.kind == SHA224 ? 7 : this.kind == SHA384 ? 6 : 8;
    for (let i = 0; i < words; i++) result += inBase(this.state[i], 16, this.wide ? 16 : 8);
    return result;
  }
}
