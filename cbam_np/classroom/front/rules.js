// What rules are made of: indices, and sums of products.

// Call f for every index of a shape, in reading order.
export function everyIndex(shape, f, start = []) {
  if (start.length === shape.length) return f(start);
  for (let i = 0; i < shape[start.length]; i++) everyIndex(shape, f, [...start, i]);
}

export function allIndices(shape) {
  const found = [];
  everyIndex(shape, (index) => found.push(index));
  return found;
}

export const sum = (terms, over = 1) => ({ how: "sum", terms, over });
