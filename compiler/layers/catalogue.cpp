#include "compiler/layers/catalogue.h"

#include "compiler/layers/activations.h"
#include "compiler/layers/initialisers.h"
#include "compiler/layers/layer.h"
#include "compiler/layers/losses.h"
#include "compiler/layers/metrics.h"
#include "compiler/layers/optimizers.h"

namespace nnc::layers {

namespace {

template <class Table>
std::vector<schema::Entry> entries_of(const Table& table) {
  std::vector<schema::Entry> entries;
  for (const auto& def : table) entries.push_back(def.entry);
  return entries;
}

}  // namespace

const schema::Catalogue& catalogue() {
  static const schema::Catalogue all{.layers = entries_of(layer_table()),
                                     .activations = entries_of(activation_table()),
                                     .losses = entries_of(loss_table()),
                                     .metrics = entries_of(metric_table()),
                                     .optimizers = entries_of(optimizer_table()),
                                     .schedules = schedule_entries(),
                                     .initialisers = entries_of(initialiser_table())};
  return all;
}

}  // namespace nnc::layers
