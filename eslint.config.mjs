// What the explorer's JavaScript has to keep to; run by `make lint`, where npm is at hand.
const globals =
  `window document location history Node CSS Image atob btoa URLSearchParams structuredClone createImageBitmap
  setTimeout clearTimeout setInterval clearInterval MutationObserver ResizeObserver getComputedStyle`.split(/\s+/);

const mistakes =
  `for-direction getter-return no-async-promise-executor no-case-declarations no-class-assign no-compare-neg-zero
  no-cond-assign no-const-assign no-constant-condition no-dupe-args no-dupe-class-members no-dupe-else-if no-dupe-keys
  no-duplicate-case no-empty no-fallthrough no-func-assign no-import-assign no-invalid-regexp no-loss-of-precision
  no-redeclare no-self-assign no-self-compare no-shadow no-sparse-arrays no-this-before-super no-undef no-unreachable
  no-unsafe-finally no-unsafe-negation no-unsafe-optional-chaining no-unused-vars no-use-before-define no-useless-escape
  use-isnan valid-typeof`.split(/\s+/);

const style = `eqeqeq prefer-const no-var no-eval no-implied-eval no-new-func no-param-reassign object-shorthand`.split(
  /\s+/,
);

export default [
  {
    files: ["cbam_np/classroom/front/*.js"],
    languageOptions: { globals: Object.fromEntries(globals.map((name) => [name, "readonly"])) },
    rules: {
      ...Object.fromEntries([...mistakes, ...style].map((rule) => [rule, "error"])),
      "no-use-before-define": ["error", { functions: false }],
      complexity: ["error", 20],
      "max-lines-per-function": ["error", 75],
      "max-len": ["error", 150],
    },
  },
];
