// The syntax tree of a formula, as parsed: names are not yet resolved and shapes not yet known.
// Every node points at its own part of the string in the model file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/support/source.h"

namespace nnc {

struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

// axis=-1 in sum(x, axis=-1)
struct NamedOperand {
  std::string name;
  SourceSpan span;
  ExpressionPtr value;
};

// One place between the brackets of x[..., 0:3:1]. Bounds count from 0, negative from the end.
struct SliceItem {
  enum class Kind { index, range, ellipsis };
  Kind kind = Kind::range;
  SourceSpan span;
  std::optional<int64_t> begin;  // index: the index; range: first element, none = the start
  std::optional<int64_t> end;    // range: one past the last element, none = the end
  std::optional<int64_t> step;   // range: not 0; negative: backwards, from the end if none begins
};

struct Expression {
  enum class Kind {
    number,  // number
    text,    // text: a string in quotes, as in random("seed name")
    name,    // text: a value, dotted for weights (fc.kernel); `pi` is already a number
    list,    // operands: [64, 2]
    unary,   // text: - not
    binary,  // text: + - * / ^ @ < <= > >= == != and or
    call,    // text: the function; operands, named. if(c, a, b) is a call of "if"
    slice    // operands[0] is sliced by slices
  };
  Kind kind = Kind::number;
  SourceSpan span;
  double number = 0;
  std::string text;
  std::vector<ExpressionPtr> operands;
  std::vector<NamedOperand> named;
  std::vector<SliceItem> slices;
};

// A formula of the model file, its $settings filled in; `text` is to_string of the root.
struct Formula {
  std::string text;
  SourceSpan span;
  ExpressionPtr root;
};

// The formula with as few parentheses as its meaning needs: parsing it gives the same tree.
std::string to_string(const Expression& expression);

}  // namespace nnc
