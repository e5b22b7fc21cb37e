// The chapters about data.
#include "compiler/language/page/chapters.h"

namespace nnc::language::chapters {

const char* const data = R"md(
Each split has a source, which gives named fields, or is a fraction of the train rows. What lies
between the stored values and the model stands under `fields`:

```yaml
nnc: 1
data:
  train:
    inline:
      size: [[1.2, 3], [0.9, 4], [1.1, 9], [2.0, 3], [2.2, 4], [1.9, 8], [1.0, -1], [2.1, 5]]
      kind: [cat, cat, cat, dog, dog, dog, cat, dog]
    missing: [-1]
  valid: {fraction: 0.25, stratify: kind, seed: 7}
  fields:
    size: {prepare: [{impute: median}, standardize], augment: [{noise: 0.01}]}
    kind: {prepare: [category]}
model:
  inputs: [size]
  layers:
    - dense: {units: 4, activation: relu}
    - dense: 2
      name: logits
  outputs: {probability: "softmax(logits)"}
loss: {cross_entropy: {logits: logits, target: kind}}
metrics: [accuracy]
train: {epochs: 5, batch: 2, optimizer: adam}
```

Fields with `classes`, `names` or `category` are indices. Numbers keep the precision of their source
until they are prepared. Empty cells and NaN are missing values: they are refused unless they are
imputed or `where` leaves their rows out.

A prepared field that is a loss's target comes back in its own units: predictions, metrics and
emitted code undo its steps, while the loss is one of prepared values.
)md";

const char* const sources = R"md(
Where rows come from: one of these stands under a split, with `where` and `missing` beside it if
they are needed.
)md";

const char* const prepare = R"md(
Steps between the stored values and the model, in the order in which they stand. What they learn
(means, extremes, words), they learn from the train split alone; it is stored with the weights and
compiled into prediction and emitted code, which therefore take raw values.
)md";

const char* const augment = R"md(
Random changes of training rows, of the stored values, before anything is prepared. Evaluation and
prediction see rows as they are.
)md";

}  // namespace nnc::language::chapters
