/** Compares one block after the other, beside the page. */
import { judge, type Block } from "./judge.js";
import { rowOf } from "./table.js";

/** A block, the name of its row, and another limit than the row's, if there is one. */
export interface Task {
  readonly row: string;
  readonly block: Block;
  readonly most: number | undefined;
}

addEventListener("message", ({ data }: MessageEvent<Task>) => {
  postMessage(judge(rowOf(data.row), data.block, data.most));
});
