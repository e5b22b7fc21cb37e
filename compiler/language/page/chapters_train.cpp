// The chapters about losses, metrics and training.
#include "compiler/language/page/chapters.h"

namespace nnc::language::chapters {

const char* const loss = R"md(
One loss alone, `loss: {cross_entropy: {logits: logits, target: label}}`, or several terms with
names. A term is a loss or a formula, which gives one number per row; `total` puts them together.

```yaml
nnc: 1
data:
  train: {generate: {rows: 64, x: "uniform(-1, 1, [6])", y: "sum(x)"}}
model:
  inputs: [x]
  layers:
    - dense: {units: 4, activation: tanh}
      name: code
    - dense: 1
      name: y_hat
    - dense: 6
      name: x_hat
      from: code
loss:
  terms:
    fit: {huber: {prediction: y_hat, target: y}}
    copy:
      mean_squared_error: {prediction: x_hat, target: x}
      weight: 0.5
    sparse: "0.01 * sum(abs(code))"
  total: "fit + copy + sparse"
  penalty: {l2: 1e-4}
train: {epochs: 2, optimizer: adam}
```
)md";

const char* const losses = R"md(
A loss names what it compares: `logits`, `probability` or `prediction`, a value of the model, with
`target`, which is usually a field. `elements` says how those of one row are joined, `rows` beside
the loss how rows are.
)md";

const char* const metrics = R"md(
What is reported beside the loss, and what `early_stop` may watch. A metric compares what the loss
compares; where several pairs could be meant, it names its own.
)md";

const char* const train = R"md(
Rows are shuffled each epoch and cut into batches; the optimizer takes one step for each.

```yaml
nnc: 1
data:
  train: {generate: {rows: 300, seed: 1, x: "uniform(0, 2*pi)", y: "sin(x) + 0.1*normal()"}}
  valid: {fraction: 0.2}
model:
  inputs: [x]
  layers:
    - dense: {units: 16, activation: tanh}
    - dense: 1
      name: y_hat
loss: {mean_squared_error: {prediction: y_hat, target: y}}
metrics: [mae]
train:
  epochs: 100
  batch: 32
  optimizer: {adamw: {rate: 0.01, weight_decay: 0.01}}
  schedule: {cosine: {warmup: 50 steps}}
  clip: {norm: 1}
  early_stop: {watch: valid.mae, patience: 10}
  keep: best
  seed: 1
```
)md";

const char* const phases = R"md(
Networks that are trained by turns have `phases` instead of an optimizer. For each batch these are
taken in order, `steps` times each, on the same rows, each with its own forward pass and fresh
noise. What a phase does not update keeps its weights, moments and running statistics to the bit;
gradients flow through it. Two terms that pull in different directions need no total:

```yaml
nnc: 1
data:
  train: {generate: {rows: 128, real: "0.5 + 0.1*normal([2])"}}
blocks:
  generator:
    inputs: [z]
    layers: [{dense: {units: 8, activation: relu}}, {dense: 2}]
  discriminator:
    inputs: [point]
    layers: [{dense: 8}, {leaky_relu: 0.2}, {dense: 1}]
model:
  inputs: [real]
  layers:
    - expr: "normal([4])"
      name: z
    - block: generator
      name: fake
    - block: discriminator
      name: d_real
      from: real
    - block: discriminator
      name: d_fake
      from: fake
      share: d_real
  outputs: {score: "sigmoid(d_real)"}
functions:
  generate: {inputs: [z], outputs: {point: fake}, draw: {z: "normal()"}}
loss:
  terms: {d: "softplus(-d_real) + softplus(d_fake)", g: "softplus(-d_fake)"}
train:
  epochs: 2
  phases:
    - {minimize: d, update: [discriminator], optimizer: {adam: {rate: 2e-4, beta1: 0.5}}}
    - {minimize: g, update: [generator], optimizer: {adam: {rate: 2e-4, beta1: 0.5}}}
```

What a phase may have is listed with the keys of training above.
)md";

const char* const optimizers = R"md(
How gradients change the weights: g is the gradient, w a weight. The rate may be a ramp or a
setting.
)md";

const char* const schedules = R"md(
A factor of the optimizer's rate, which changes while training.
)md";

}  // namespace nnc::language::chapters
