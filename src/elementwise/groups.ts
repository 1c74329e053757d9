/** Work that takes several dispatches, since a shader may bind only so many arrays: 8, or a few more. */
import type { GpuArray } from "../gpu/array.js";
import { currentDevice } from "../gpu/current.js";

/**
 * The members in groups, in order, as few as there can be. One member is a group whatever it needs: what binds too many
 * arrays by itself is refused when it is compiled.
 *
 * @param arrays how many a group needs
 */
export function inGroups(
  members: readonly number[],
  arrays: (group: readonly number[]) => number,
): readonly (readonly number[])[] {
  const most = currentDevice().limits.maxStorageBuffersPerShaderStage;
  if (members.length <= 1 || arrays(members) <= most) return [members];
  const groups: number[][] = [];
  for (const member of members) {
    const last = groups[groups.length - 1];
    if (last === undefined || arrays([...last, member]) > most) groups.push([member]);
    else last.push(member);
  }
  return groups;
}

/** What all of the groups give, or nothing: what some have given is released where another one fails. */
export function collected<T>(groups: readonly T[], make: (group: T) => readonly GpuArray[]): GpuArray[] {
  const made: GpuArray[] = [];
  try {
    for (const group of groups) made.push(...make(group));
  } catch (error) {
    for (const array of made) array.release();
    throw error;
  }
  return made;
}
