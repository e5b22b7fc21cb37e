// Logarithms of values that are positive by the way they are made (probabilities, rates, densities
// and what is computed of them), from what these were made of: finite wherever the true logarithm
// is, also where the value itself has been rounded to 0 or to infinity.
#pragma once

#include <functional>
#include <map>
#include <utility>

#include "compiler/ir/builder.h"
#include "compiler/ir/graph.h"

namespace nnc::passes {

struct LogForm {
  std::function<ir::Value*(ir::Builder&)> build = {};  // empty: there is no such form
  // Whether the value whose logarithm this is can be rounded to 0, and to infinity. Where neither
  // happens the plain logarithm is as good.
  bool vanishes = false;
  bool overflows = false;
  explicit operator bool() const { return static_cast<bool>(build); }
  bool needed() const { return build && (vanishes || overflows); }
};

// One walk over a graph that is being rewritten. Looking builds nothing: nodes appear with `build`,
// once for each value.
class LogForms {
 public:
  const LogForm& log(ir::Value* v);         // of log(v)
  const LogForm& complement(ir::Value* v);  // of log(1 - v)
  const LogForm& log1p(ir::Value* v);       // of log(1 + v)
  // Of log(v) where a part of v may have any sign: log(a·p) = log(a) + log(p) if p is positive.
  LogForm partial_log(ir::Value* v);

 private:
  enum class What { log, complement, log1p };
  const LogForm& find(ir::Value* v, What what, LogForm (LogForms::*search)(ir::Value*));
  LogForm through(ir::Value* v, const LogForm& (LogForms::*of)(ir::Value*));
  LogForm search_log(ir::Value* v);
  LogForm search_complement(ir::Value* v);
  LogForm search_log1p(ir::Value* v);
  LogForm log_of_power(ir::Value* v);
  LogForm log_of_pair(ir::Value* v);
  LogForm log_of_sum(ir::Value* v);
  LogForm complement_of_product(ir::Value* v);
  LogForm complement_of_mean(ir::Value* v);
  LogForm shortfall(ir::Value* v, double& terms);

  std::map<std::pair<const ir::Value*, What>, LogForm> known_;
};

}  // namespace nnc::passes
