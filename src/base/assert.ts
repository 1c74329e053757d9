/** The element that must be there: an index that the caller has checked, told to the type checker. */
export function at<T>(list: ArrayLike<T>, index: number): T {
  const element = list[index];
  if (element === undefined) throw new Error(`gpugrad bug: no element ${index} of ${list.length}`);
  return element;
}
