// Einstein's summation convention over the axes of rows, as sums, contractions and transposes.
#include <algorithm>
#include <map>

#include "compiler/layers/formula_function.h"
#include "compiler/layers/rows.h"
#include "compiler/support/text.h"

namespace nnc::layers {

namespace {

// A value and a letter for each axis of its row.
struct Labelled {
  ir::Value* value = nullptr;
  std::string letters;
};

bool holds(const std::string& letters, char letter) {
  return letters.find(letter) != std::string::npos;
}

struct Spec {
  std::vector<std::string> inputs;
  std::string output;
};

[[noreturn]] void bad_spec(const Expression& text, const std::string& message) {
  throw UserError(text.span, message,
                  "the letters of each value's axes, and of the result's: 'ij,jk->ik'", text.text);
}

// Without an arrow the result has every letter that stands once, in the order of the alphabet.
std::string implied_output(const std::vector<std::string>& inputs) {
  std::map<char, int> counts;
  for (const std::string& letters : inputs) {
    for (const char letter : letters) ++counts[letter];
  }
  std::string output;
  for (const auto& [letter, count] : counts) {
    if (count == 1) output += letter;
  }
  return output;
}

Spec parse(const Expression& text) {
  if (text.kind != Expression::Kind::text) {
    throw UserError(text.span, "einsum begins with its letters", "einsum('ij,jk->ik', a, b)");
  }
  std::string letters;
  for (const char c : text.text) {
    if (c != ' ') letters += c;
  }
  Spec spec;
  const size_t arrow = letters.find("->");
  const std::string left = letters.substr(0, arrow);
  for (size_t begin = 0; begin <= left.size();) {
    const size_t end = std::min(left.find(',', begin), left.size());
    spec.inputs.push_back(left.substr(begin, end - begin));
    begin = end + 1;
  }
  spec.output =
      arrow == std::string::npos ? implied_output(spec.inputs) : letters.substr(arrow + 2);
  std::string all;
  for (const std::string& input : spec.inputs) all += input;
  for (const char c : all + spec.output) {
    if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')) {
      bad_spec(text, std::string("einsum has no use for '") + c + "'");
    }
  }
  for (size_t i = 0; i < spec.output.size(); ++i) {
    if (!holds(all, spec.output[i])) {
      bad_spec(text, std::string("the result's axis '") + spec.output[i] + "' is in no value");
    }
    if (spec.output.find(spec.output[i], i + 1) != std::string::npos) {
      bad_spec(text, std::string("the result has the axis '") + spec.output[i] + "' twice");
    }
  }
  return spec;
}

int64_t axis_of(const Labelled& x, char letter) {
  return static_cast<int64_t>(x.letters.find(letter)) + (per_row(x.value) ? 1 : 0);
}

int64_t extent(const Labelled& x, char letter) {
  return x.value->type.shape[static_cast<size_t>(axis_of(x, letter))].size;
}

Labelled labelled(FormulaContext& context, const Expression& e, const std::string& letters) {
  const Labelled x{build_number(context, e), letters};
  const std::vector<int64_t> row = row_shape(x.value);
  if (row.size() != letters.size()) {
    throw UserError(e.span, "einsum names the axes '" + letters + "', but the value has others",
                    "a value with " + std::to_string(letters.size()) +
                        (letters.size() == 1 ? " axis" : " axes") + " in a row",
                    shape_text(row));
  }
  for (size_t i = 0; i < letters.size(); ++i) {
    if (letters.find(letters[i], i + 1) == std::string::npos) continue;
    throw UserError(e.span,
                    std::string("einsum takes no diagonal: '") + letters[i] +
                        "' stands twice in '" + letters + "'",
                    "a letter of its own for each axis of a value");
  }
  return x;
}

// Sums over the axes that nobody else has.
Labelled sum_alone(ir::Builder& b, const Labelled& x, const std::string& needed) {
  std::vector<int64_t> axes;
  std::string left;
  for (const char letter : x.letters) {
    if (holds(needed, letter)) {
      left += letter;
    } else {
      axes.push_back(axis_of(x, letter));
    }
  }
  return axes.empty() ? x : Labelled{b.sum(x.value, axes), left};
}

// The axes in the order of `letters`, the batch axis in front, wherever it stands.
ir::Value* ordered(ir::Builder& b, ir::Value* value, const std::string& own,
                   const std::string& letters) {
  std::vector<int64_t> order;
  for (const char letter : letters) order.push_back(static_cast<int64_t>(own.find(letter)));
  if (holds(own, ' ')) order.insert(order.begin(), static_cast<int64_t>(own.find(' ')));
  if (std::is_sorted(order.begin(), order.end())) return value;
  return b.transpose(value, order);
}

// The letters of all axes, the batch axis as a space.
std::string all_letters(const Labelled& x) { return (per_row(x.value) ? " " : "") + x.letters; }

// Products without a sum: both values are brought to the axes of the result.
ir::Value* product(ir::Builder& b, const Labelled& x, const Labelled& y,
                   const std::string& output) {
  ir::Value* sides[2];
  for (const int side : {0, 1}) {
    const Labelled& from = side == 0 ? x : y;
    std::string letters;
    std::vector<int64_t> row;
    for (const char letter : output) {
      if (holds(from.letters, letter)) letters += letter;
      row.push_back(holds(from.letters, letter) ? extent(from, letter) : 1);
    }
    sides[side] = reshape_row(b, ordered(b, from.value, all_letters(from), letters), row);
  }
  return row_binary(b, "mul", sides[0], sides[1]);
}

ir::Value* contraction(ir::Builder& b, const Labelled& x, const Labelled& y,
                       const std::string& output) {
  std::vector<int64_t> lhs, rhs, lhs_batch, rhs_batch;
  std::string letters;
  const bool both = per_row(x.value) && per_row(y.value);
  if (both) {
    lhs_batch.push_back(0);
    rhs_batch.push_back(0);
    letters += ' ';
  }
  for (const char letter : x.letters) {
    if (!holds(y.letters, letter)) continue;
    const bool kept = holds(output, letter);
    (kept ? lhs_batch : lhs).push_back(axis_of(x, letter));
    (kept ? rhs_batch : rhs).push_back(axis_of(y, letter));
    if (kept) letters += letter;
  }
  if (lhs.empty()) return product(b, x, y, output);
  for (const Labelled* side : {&x, &y}) {
    for (const char letter : all_letters(*side)) {
      const bool shared =
          letter == ' ' ? both : holds(x.letters, letter) && holds(y.letters, letter);
      if (!shared) letters += letter;
    }
  }
  return ordered(b, b.contract(x.value, y.value, lhs, rhs, lhs_batch, rhs_batch), letters, output);
}

void check_extents(const Labelled& x, const Labelled& y, const Expression& call) {
  for (const char letter : x.letters) {
    if (!holds(y.letters, letter) || extent(x, letter) == extent(y, letter)) continue;
    throw UserError(call.operands[2]->span,
                    std::string("the axis '") + letter + "' of einsum has two extents",
                    std::to_string(extent(x, letter)) + ", as in " + shape_text(row_shape(x.value)),
                    std::to_string(extent(y, letter)) + " in " + shape_text(row_shape(y.value)));
  }
}

Operand build_einsum(FormulaContext& context, const Expression& call) {
  const Spec spec = parse(*call.operands[0]);
  if (spec.inputs.size() != call.operands.size() - 1) {
    throw UserError(call.span, "einsum names the axes of another number of values",
                    std::to_string(spec.inputs.size()) +
                        (spec.inputs.size() == 1 ? " value" : " values") + " for " +
                        in_quotes(call.operands[0]->text),
                    std::to_string(call.operands.size() - 1));
  }
  ir::Builder& b = context.b;
  Labelled x = labelled(context, *call.operands[1], spec.inputs[0]);
  if (spec.inputs.size() == 1) {
    x = sum_alone(b, x, spec.output);
    return {ordered(b, x.value, all_letters(x), spec.output)};
  }
  Labelled y = labelled(context, *call.operands[2], spec.inputs[1]);
  check_extents(x, y, call);
  x = sum_alone(b, x, spec.output + y.letters);
  y = sum_alone(b, y, spec.output + x.letters);
  return {contraction(b, x, y, spec.output)};
}

}  // namespace

std::vector<FormulaFunction> einsum_functions() {
  return {{.name = "einsum",
           .operands = "'ij,jk->ik', a, b",
           .doc = "products summed over the axes that the result lacks, of one value or two",
           .least = 2,
           .most = 3,
           .build = build_einsum}};
}

}  // namespace nnc::layers
