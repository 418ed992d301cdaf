// One meaning for each colour: grey for feature maps, orange and blue for signed values, green to yellow for attention.

const STOPS = {
  light: {
    features: ["#ffffff", "#8d99a6"],
    signed: ["#2166ac", "#92c5de", "#ffffff", "#f4a582", "#b2500c"],
    attention: ["#21405f", "#21908c", "#5ec962", "#fde725"],
  },
  dark: {
    features: ["#20252b", "#97a3b0"],
    signed: ["#7ab8f5", "#2f6ea8", "#20252b", "#b0591a", "#ffb077"],
    attention: ["#21405f", "#21908c", "#5ec962", "#fde725"],
  },
};

// Which colours a step has, by its name.
export function kindOf(name) {
  if (name.startsWith("M_")) return "attention";
  return name.startsWith("F") ? "features" : "signed";
}

// Return {background, ink} for a number among others whose largest size is `largest`.
export function coloursOf(value, kind, largest, theme) {
  const stops = STOPS[theme][kind];
  const share = kind === "attention" ? value : value / (largest || 1);
  const at = kind === "signed" ? (share + 1) / 2 : kind === "features" ? Math.abs(share) : share;
  const rgb = mix(stops, Number.isFinite(at) ? Math.min(1, Math.max(0, at)) : 0.5);
  return { background: `rgb(${rgb.join(",")})`, ink: luminance(rgb) > 0.18 ? "#000" : "#fff" };
}

function mix(stops, at) {
  const left = Math.min(Math.floor(at * (stops.length - 1)), stops.length - 2);
  const part = at * (stops.length - 1) - left;
  const [a, b] = [parts(stops[left]), parts(stops[left + 1])];
  return a.map((x, i) => Math.round(x + part * (b[i] - x)));
}

export function parts(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

// Relative luminance, as the guidelines for contrast define it: above 0.18, black can be read better than white.
function luminance(rgb) {
  const [r, g, b] = rgb.map((x) => (x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
