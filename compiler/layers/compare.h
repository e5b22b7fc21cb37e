// What losses and metrics have in common: a prediction in one of several forms, a target, and the
// checks that the two belong together.
#pragma once

#include <string>
#include <vector>

#include "compiler/layers/layer.h"

namespace nnc::layers {

// How a prediction is meant.
enum class Form { number, logits, probability };

// A prediction and what it is compared with.
struct Pair {
  Operand prediction;
  Operand target;
  Form form = Form::number;
  SourceSpan prediction_span;
  SourceSpan target_span;
  bool labels = false;  // every element is a yes or no of its own (binary_cross_entropy)
};

// Where a pair is used: a loss or a metric.
struct CompareContext {
  ir::Builder& b;
  ir::DType dtype = ir::DType::f32;  // of the model
  std::string kind;                  // "cross_entropy", for messages
  SourceSpan span;
  const Args& args;
  Pair pair;
  Scope* scope = nullptr;  // for a loss that is not of a pair
};

// The keys that name a pair. `forms` are the accepted prediction keys ("logits", "probability",
// "prediction"). For losses the target is required; metrics may leave both to the loss.
std::vector<schema::Key> pair_keys(const std::vector<std::string>& forms, bool required);

// The pair that the arguments name: exactly one of the prediction keys and the target. UserError if
// none or several are given. Names are looked up in `scope`.
Pair named_pair(const std::string& kind, const Args& args, Scope& scope);
// Whether the arguments name a prediction or a target at all.
bool names_pair(const Args& args);

struct Numbers {
  ir::Value* prediction;
  ir::Value* target;
};

// Both sides as numbers of the model's dtype and of equal shape; [] and [1] count as equal.
// UserError for an index or different shapes.
Numbers numbers(const CompareContext& context);
// The same for one number per element that is 0 or 1: an index of two classes is accepted.
Numbers binary_numbers(const CompareContext& context);

// Class scores [b, …, C] and the target as an index [b, …] (i32) or as weights [b, …, C].
struct Classes {
  ir::Value* scores;
  ir::Value* index = nullptr;
  ir::Value* weights = nullptr;
  int64_t count = 0;
};
Classes classes(const CompareContext& context);

// UserError where the pair is several labels instead of one class per row.
void refuse_labels(const CompareContext& context);

// The position of the first largest element along the last axis, as i32 [b, …]. The last position
// if nothing compares (NaN).
ir::Value* first_largest(ir::Builder& b, ir::Value* x);

}  // namespace nnc::layers
