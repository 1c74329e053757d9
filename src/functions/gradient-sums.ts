/** Says to backward passes how gradients are added: what they need from above and can't import. */
import { addGradientsWith } from "../graph/backward.js";
import { add } from "./pointwise.js";

addGradientsWith(add);
