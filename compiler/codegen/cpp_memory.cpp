// Loads and stores of emitted C++. Plain ones go through std::memcpy, which every compiler turns
// into one instruction and which no aliasing rule objects to. Masked ones never touch the memory of
// lanes that are off.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/codegen/cpp_helpers.h"
#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_native.h"

namespace nnc::codegen {

using kernel::Scalar;
using kernel::Type;

namespace {

const Type pointer_type{Scalar::ptr, 1};
const Type index_type{Scalar::i64, 1};

std::string address(Type type, const std::string& index) {
  const int bytes = kernel::bytes_of(type.scalar);
  return bytes == 1 ? "p + " + index : fmt::format("p + {} * {}", index, bytes);
}

std::string zero_of(Type type) {
  return type.is_float() ? cpp_float(type.scalar, 0) : cpp_integer(type.scalar, 0);
}

// The masked intrinsics of avx512 take any pointer; those of avx2 one to the element type.
std::string avx2_pointer(Type type, bool constant) {
  const char* element = "int";
  if (type.scalar == Scalar::f32) element = "float";
  if (type.scalar == Scalar::f64) element = "double";
  if (type.scalar == Scalar::i64) element = "long long";
  return fmt::format("reinterpret_cast<{}{}*>({})", constant ? "const " : "", element,
                     address(type, "i"));
}

bool has_masked_moves(CppLevel level, Type type) {
  if (type.scalar == Scalar::i1 || type.scalar == Scalar::bf16) return false;
  return level == CppLevel::avx512 || type.scalar != Scalar::u8;
}

}  // namespace

std::string CppHelpers::load(Type t, const std::string& pointer, const std::string& index,
                             const CppValue* mask) {
  const std::string name = "load_" + cpp_name(t);
  once(name + (mask ? " masked" : ""), [&] {
    const std::string result = type(t);
    std::string from = fmt::format("{} p, {} i", type(pointer_type), type(index_type));
    if (mask) from += fmt::format(", {} mask", type(mask->type));
    return define(result, name, from, load_body(t, mask != nullptr));
  });
  if (!mask) return fmt::format("{}({}, {})", name, pointer, index);
  return fmt::format("{}({}, {}, {})", name, pointer, index, mask->text);
}

std::string CppHelpers::load_body(Type t, bool masked) {
  const std::string name = type(t);
  const Type one{t.scalar, 1}, mask_type = t.with(Scalar::i1);
  const CppValue mask{mask_type, "mask"};
  if (t.lanes == 1) {
    if (masked)
      return fmt::format("return mask ? {} : {};", load(t, "p", "i", nullptr), zero_of(t));
    if (t.scalar == Scalar::i1) return "return p[i] != 0;";
    return fmt::format("{} r;\nstd::memcpy(&r, {}, sizeof r);\nreturn r;", name, address(t, "i"));
  }
  if (form(t) == CppForm::split) {
    const Type part = half_of(t);
    std::string halves[2];
    for (const bool upper : {false, true}) {
      const CppValue part_mask{half_of(mask_type), half(mask, upper)};
      const std::string index = upper ? fmt::format("i + {}", part.lanes) : "i";
      halves[upper] = load(part, "p", index, masked ? &part_mask : nullptr);
    }
    return "return " + join(t, halves[0], halves[1]) + ";";
  }
  if (form(t) == CppForm::array) {
    const CppValue lane_mask{{Scalar::i1, 1}, "mask.lane[l]"};
    return fmt::format("{} r;\nfor (int l = 0; l < {}; ++l) r.lane[l] = {};\nreturn r;", name,
                       t.lanes, load(one, "p", "i + l", masked ? &lane_mask : nullptr));
  }
  const CppNative native(*this);
  const std::string prefix = native.prefix(t), suffix = CppNative::suffix(t);
  if (!masked && t.scalar != Scalar::i1) {
    return fmt::format("{} r;\nstd::memcpy(&r, {}, sizeof r);\nreturn r;", name, address(t, "i"));
  }
  if (masked && !prefix.empty() && has_masked_moves(level_, t)) {
    std::string value;
    if (level_ == CppLevel::avx512) {
      value = fmt::format("{}maskz_loadu_{}(mask.bits, {})", prefix, suffix, address(t, "i"));
    } else {
      value = fmt::format("{}maskload_{}({}, {})", prefix, suffix, avx2_pointer(t, true),
                          CppNative(*this).wide_mask(t, "mask"));
    }
    if (!t.is_float()) value = fmt::format("reinterpret_cast<{}>({})", name, value);
    return fmt::format("return {};", value);
  }
  std::vector<std::string> lanes;
  for (int l = 0; l < t.lanes; ++l) {
    const CppValue lane_mask{{Scalar::i1, 1}, lane_text(mask, l)};
    lanes.push_back(
        load(one, "p", l ? fmt::format("i + {}", l) : "i", masked ? &lane_mask : nullptr));
  }
  return "return " + build(t, lanes) + ";";
}

std::string CppHelpers::store(const CppValue& value, const std::string& pointer,
                              const std::string& index, const CppValue* mask) {
  const Type t = value.type;
  once("store " + cpp_name(t) + (mask ? " masked" : ""), [&] {
    std::string from =
        fmt::format("{} p, {} i, {} v", type(pointer_type), type(index_type), type(t));
    if (mask) from += fmt::format(", {} mask", type(mask->type));
    return define("void", "store", from, store_body(t, mask != nullptr));
  });
  if (!mask) return fmt::format("store({}, {}, {})", pointer, index, value.text);
  return fmt::format("store({}, {}, {}, {})", pointer, index, value.text, mask->text);
}

std::string CppHelpers::store_body(Type t, bool masked) {
  const Type one{t.scalar, 1}, mask_type = t.with(Scalar::i1);
  const CppValue value{t, "v"}, mask{mask_type, "mask"};
  if (t.lanes == 1) {
    if (masked) return fmt::format("if (mask) {};", store(value, "p", "i", nullptr));
    if (t.scalar == Scalar::i1) return "p[i] = v ? 1 : 0;";
    return fmt::format("std::memcpy({}, &v, sizeof v);", address(t, "i"));
  }
  if (form(t) == CppForm::split) {
    std::string text;
    for (const bool upper : {false, true}) {
      const CppValue part{half_of(t), half(value, upper)};
      const CppValue part_mask{half_of(mask_type), half(mask, upper)};
      const std::string index = upper ? fmt::format("i + {}", part.type.lanes) : "i";
      text += store(part, "p", index, masked ? &part_mask : nullptr) + ";\n";
    }
    return text;
  }
  if (form(t) == CppForm::array) {
    const CppValue lane{one, "v.lane[l]"}, lane_mask{{Scalar::i1, 1}, "mask.lane[l]"};
    return fmt::format("for (int l = 0; l < {}; ++l) {};", t.lanes,
                       store(lane, "p", "i + l", masked ? &lane_mask : nullptr));
  }
  CppNative native(*this);
  const std::string prefix = native.prefix(t), suffix = CppNative::suffix(t);
  if (!masked && t.scalar != Scalar::i1) {
    return fmt::format("std::memcpy({}, &v, sizeof v);", address(t, "i"));
  }
  if (masked && !prefix.empty() && has_masked_moves(level_, t)) {
    const std::string bits = CppNative::integer_register(t);
    const std::string v = t.is_float() ? "v" : fmt::format("reinterpret_cast<{}>(v)", bits);
    if (level_ == CppLevel::avx512) {
      return fmt::format("{}mask_storeu_{}({}, mask.bits, {});", prefix, suffix, address(t, "i"),
                         v);
    }
    return fmt::format("{}maskstore_{}({}, {}, {});", prefix, suffix, avx2_pointer(t, false),
                       native.wide_mask(t, "mask"), v);
  }
  std::string text;
  for (int l = 0; l < t.lanes; ++l) {
    const CppValue lane{one, lane_text(value, l)}, lane_mask{{Scalar::i1, 1}, lane_text(mask, l)};
    text += store(lane, "p", l ? fmt::format("i + {}", l) : "i", masked ? &lane_mask : nullptr);
    text += ";\n";
  }
  return text;
}

std::string CppHelpers::gather(Type t, const std::string& pointer, const CppValue& indices,
                               const CppValue* mask) {
  if (t.lanes == 1) return load(t, pointer, indices.text, mask);
  const std::string name = "gather_" + cpp_name(t);
  once(name + (mask ? " masked" : ""), [&] {
    const std::string result = type(t);
    std::string from = fmt::format("{} p, {} i", type(pointer_type), type(indices.type));
    if (mask) from += fmt::format(", {} mask", type(mask->type));
    return define(result, name, from, gather_body(t, mask != nullptr));
  });
  if (!mask) return fmt::format("{}({}, {})", name, pointer, indices.text);
  return fmt::format("{}({}, {}, {})", name, pointer, indices.text, mask->text);
}

std::string CppHelpers::gather_body(Type t, bool masked) {
  const Type one{t.scalar, 1};
  const CppValue indices{t.with(Scalar::i64), "i"}, mask{t.with(Scalar::i1), "mask"};
  if (form(t) == CppForm::array) {
    const CppValue lane_mask{{Scalar::i1, 1}, "mask.lane[l]"};
    return fmt::format("{} r;\nfor (int l = 0; l < {}; ++l) r.lane[l] = {};\nreturn r;",
                       cpp_name(t), t.lanes,
                       load(one, "p", "i.lane[l]", masked ? &lane_mask : nullptr));
  }
  if (form(t) == CppForm::split) {
    std::string halves[2];
    for (const bool upper : {false, true}) {
      const CppValue part{half_of(indices.type), half(indices, upper)};
      const CppValue part_mask{half_of(mask.type), half(mask, upper)};
      halves[upper] = gather(half_of(t), "p", part, masked ? &part_mask : nullptr);
    }
    return "return " + join(t, halves[0], halves[1]) + ";";
  }
  std::vector<std::string> lanes;
  for (int l = 0; l < t.lanes; ++l) {
    const CppValue lane_mask{{Scalar::i1, 1}, lane_text(mask, l)};
    lanes.push_back(load(one, "p", lane_text(indices, l), masked ? &lane_mask : nullptr));
  }
  return "return " + build(t, lanes) + ";";
}

}  // namespace nnc::codegen
