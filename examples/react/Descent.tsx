/** A component that computes as long as it is shown: what it made is given back when it goes, or gets other properties. */
import { init, sum, Variable } from "gpugrad";
import { useEffect, useState } from "react";

export function Descent({ target }: { readonly target: Float32Array }): React.ReactNode {
  const [loss, setLoss] = useState<number | null>(null);
  useEffect(() => {
    const over = new AbortController();
    const descend = async (): Promise<void> => {
      await init();
      using goal = new Variable(target, { requiresGrad: false });
      using x = new Variable(new Float32Array(target.length));
      while (!over.signal.aborted) {
        using distance = sum(x.sub(goal).square());
        distance.backward({ retainGrad: false });
        x.descend(0.01).clearGrad();
        setLoss(await distance.item());
      }
    };
    descend().catch((error: unknown) => {
      console.error(error);
    });
    return () => {
      over.abort();
    };
  }, [target]);
  return <output>{loss ?? "…"}</output>;
}
