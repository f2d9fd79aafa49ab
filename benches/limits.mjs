/** A target of a row that counts: a figure is at most so much. */
export function atMost(figure, limit, label) {
  return {
    label,
    judge(figures) {
      const value = figures[figure];
      return value === undefined ? { unavailable: `no ${figure}` } : { value, reached: value <= limit };
    },
  };
}
