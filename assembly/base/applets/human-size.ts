/** Sizes as people read them: powers of 1024, rounded up, one digit behind the point below ten. */
export function humanSize(bytes: u64): string {
  if (bytes < 1024) return bytes.toString();
  let power = 0;
  let whole = bytes;
  let lost = false;
  while (whole >= 1024 * 1024) {
    lost = lost || (whole & 1023) != 0;
    whole >>= 10;
    power++;
  }
  let tenths = (whole * 10 + 1023) / 1024;
  if (lost && (whole * 10) % 1024 == 0) tenths++;
  if (tenths < 100) return `${tenths / 10}.${tenths % 10}${'KMGTPE'.charAt(power)}`;
  let full = (whole + (lost ? 1 : 0) + 1023) / 1024;
  if (full >= 1024) {
    power++;
    return `1.0${'KMGTPE'.charAt(power)}`;
  }
  return full.toString() + 'KMGTPE'.charAt(power);
}
