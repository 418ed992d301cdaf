// Numbers as people write them, kept exact as long as they are fractions.

export class Fraction {
  // n / d in lowest terms, d > 0; both BigInt.
  constructor(n, d = 1n) {
    const sign = d < 0n ? -1n : 1n;
    const divisor = gcd(n < 0n ? -n : n, d * sign);
    this.n = (sign * n) / divisor;
    this.d = (sign * d) / divisor;
  }
}

function gcd(a, b) {
  return b ? gcd(b, a % b) : a || 1n;
}

export const ZERO = new Fraction(0n);
export const ONE = new Fraction(1n);

export function isExact(x) {
  return x instanceof Fraction;
}

export function toFloat(x) {
  if (!isExact(x)) return x;
  const value = Number(x.n) / Number(x.d);
  if (Number.isFinite(value)) return value;
  const shift = BigInt(Math.max(0, x.d.toString(2).length - 1000)); // both are too large for a float: drop their ends
  return Number(x.n >> shift) / Number(x.d >> shift);
}

export function isZero(x) {
  return isExact(x) ? x.n === 0n : x === 0;
}

export function plus(a, b) {
  if (isExact(a) && isExact(b)) return new Fraction(a.n * b.d + b.n * a.d, a.d * b.d);
  return toFloat(a) + toFloat(b);
}

export function times(a, b) {
  if (isExact(a) && isExact(b)) return new Fraction(a.n * b.n, a.d * b.d);
  return toFloat(a) * toFloat(b);
}

export function over(a, count) {
  return isExact(a) ? new Fraction(a.n, a.d * BigInt(count)) : a / count;
}

export function isGreater(a, b) {
  if (isExact(a) && isExact(b)) return a.n * b.d > b.n * a.d;
  return toFloat(a) > toFloat(b);
}

export function isEqual(a, b) {
  if (isExact(a) && isExact(b)) return a.n === b.n && a.d === b.d;
  return toFloat(a) === toFloat(b);
}

// --- reading ---

const LONGEST = 40; // characters
const LARGEST_EXPONENT = 30;
const MANY_DIGITS = 7;
const SINGLE = 1e-6;
const FRACTION = /^([+-]?)\s*(\d+)\s*\/\s*(0*[1-9]\d*)$/;
const DECIMAL = /^([+-]?)\s*(?:(\d+)\.?|(\d*)\.(\d+))(?:e([+-]?\d+))?$/i;

// Read what a person typed: 8/9, 0.5, 0,5, −1/3, 1e-3. Returns {value, half} or null; `half` is half a unit of the last
// place written, 0 for whole numbers and fractions.
export function read(typed) {
  const plain = typed
    .trim()
    .replace(/^[≈~=]+\s*/, "")
    .replace(/[−–—]/g, "-")
    .replace(/⁄/g, "/");
  const text = plain.replace(/(\d),(?=\d)/g, "$1.").replace(/^([+-]?)\s*,(?=\d)/, "$1."); // a decimal comma
  if (!text || text.length > LONGEST) return null;
  const fraction = FRACTION.exec(text);
  if (fraction) {
    const [, sign, n, d] = fraction;
    return { value: new Fraction(BigInt(sign === "-" ? "-" + n : n), BigInt(d)), half: 0 };
  }
  const found = DECIMAL.exec(text);
  const exponent = Number(found?.[5] ?? 0);
  if (!found || Math.abs(exponent) > LARGEST_EXPONENT) return null;
  const [, sign, whole, before, after = ""] = found;
  const digits = BigInt(sign === "-" ? "-" + (whole ?? before + after) : (whole ?? before + after));
  const places = after.length - exponent;
  const value =
    places > 0 ? new Fraction(digits, 10n ** BigInt(places)) : new Fraction(digits * 10n ** BigInt(-places));
  const isWhole = !after && found[5] === undefined;
  return { value, half: isWhole ? 0 : Math.max(0.5 * 10 ** -places, noiseOf(whole ?? before + after, value)) };
}

// Long decimals come from a computer, in single precision at worst.
function noiseOf(digits, value) {
  return digits.replace(/^0+/, "").length >= MANY_DIGITS ? SINGLE * Math.max(1, Math.abs(toFloat(value))) : 0;
}

// Turn what a kernel sent, 0.809 or "8/9", into a number.
export function received(value) {
  if (typeof value === "number") return value;
  const [n, d = "1"] = value.split("/");
  return new Fraction(BigInt(n), BigInt(d));
}

// --- writing ---

const MOST_LETTERS = 7;

// Write a fraction in full.
export function fractionText(x) {
  return x.d === 1n ? String(x.n) : `${x.n}/${x.d}`;
}

// Write a number for a cell: a short fraction as it is, everything else with three decimals.
export function write(x, places = 3) {
  if (x === undefined || x === null) return "";
  if (isExact(x)) {
    const text = fractionText(x);
    if (text.length <= MOST_LETTERS) return text.replace("-", "−");
  }
  return decimal(toFloat(x), places).replace("-", "−");
}

function decimal(value, places) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "?" : value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (size < 1e-12) return "0";
  if (size >= 1e5 || size < 0.5 * 10 ** -places) return value.toExponential(1).replace("e+", "e");
  return value.toFixed(size >= 1000 ? 1 : places);
}

// Tell whether the text in a cell is the number itself, and not a rounded one.
export function isWholeStory(x, text) {
  const told = read(text);
  return told !== null && (isExact(x) ? isEqual(told.value, x) : Math.abs(toFloat(told.value) - x) < 1e-12);
}
