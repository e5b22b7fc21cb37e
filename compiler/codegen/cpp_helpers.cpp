#include "compiler/codegen/cpp_helpers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_native.h"
#include "compiler/support/diagnostics.h"

namespace nnc::codegen {

using kernel::Op;
using kernel::Scalar;
using kernel::Type;

namespace {

constexpr const char* argument_names[] = {"a", "b", "c"};

// Two registers side by side. GCC 12 makes two moves of a list of all lanes only for halves; older
// compilers have nothing better than the list.
std::string joined(Type type, const std::string& list) {
  const bool mask = type.scalar == Scalar::i1;
  std::vector<int> lanes;
  for (int i = 0; i < type.lanes; ++i) lanes.push_back(i);
  const std::string builtin = fmt::format("__builtin_shufflevector(a{0}, b{0}, {1})",
                                          mask ? ".bits" : "", fmt::join(lanes, ", "));
  return fmt::format(
      "#if defined(__clang__) || __GNUC__ >= 12\nreturn {};\n#else\nreturn {};\n#endif",
      mask ? "{" + builtin + "}" : builtin, list);
}

}  // namespace

void CppHelpers::once(const std::string& key, const std::function<std::string()>& write) {
  if (!keys_.insert(key).second) return;
  std::string text = write();
  (key.rfind("type ", 0) == 0 ? types_ : helpers_).push_back(std::move(text));
}

std::string CppHelpers::text() const {
  std::string result;
  for (const std::string& line : types_) result += line + "\n";
  result += "\n";
  for (const std::string& helper : helpers_) result += helper + "\n";
  return result;
}

std::string CppHelpers::define(const std::string& result, const std::string& name,
                               const std::string& parameters, const std::string& body) const {
  const char* linkage = is_vector_text(level_) ? "[[gnu::always_inline]] inline" : "inline";
  std::string text = wrap_cpp(fmt::format("{} {} {}({}) {{", linkage, result, name, parameters), 0);
  size_t begin = 0;
  while (begin < body.size()) {
    const size_t end = std::min(body.find('\n', begin), body.size());
    const std::string line = body.substr(begin, end - begin);
    text += line.rfind('#', 0) == 0 ? "\n" + line : "\n" + wrap_cpp("  " + line, 2);
    begin = end + 1;
  }
  return text + "\n}";
}

std::string CppHelpers::parameters(const Types& types) {
  std::vector<std::string> list;
  for (size_t i = 0; i < types.size(); ++i) {
    list.push_back(type(types[i]) + " " + argument_names[i]);
  }
  return fmt::format("{}", fmt::join(list, ", "));
}

std::string CppHelpers::type(Type t) {
  const std::string name = cpp_name(t);
  once("type " + name, [&]() -> std::string {
    switch (form(t)) {
      case CppForm::scalar: return fmt::format("using {} = {};", name, cpp_element(t.scalar));
      case CppForm::split: {
        const std::string half = type(half_of(t));
        return fmt::format("struct {} {{ {} lo, hi; }};", name, half);
      }
      case CppForm::array: {
        const std::string element = type({t.scalar, 1});
        return fmt::format("struct {} {{ {} lane[{}]; }};", name, element, t.lanes);
      }
      case CppForm::native: break;
    }
    if (t.scalar == Scalar::i1) {
      const std::string bits =
          level_ == CppLevel::avx512 ? mask_register(t.lanes) : type(t.with(Scalar::i32));
      return fmt::format("struct {} {{ {} bits; }};", name, bits);
    }
    return fmt::format("typedef {} {} __attribute__((vector_size({})));", cpp_element(t.scalar),
                       name, bytes_of(t));
  });
  return name;
}

std::string CppHelpers::unsigned_twin(Type t) {
  const int bits = 8 * kernel::bytes_of(t.scalar);
  const std::string name = fmt::format("u{}x{}", bits, t.lanes);
  once("type " + name, [&] {
    return fmt::format("typedef std::uint{}_t {} __attribute__((vector_size({})));", bits, name,
                       bytes_of(t));
  });
  return name;
}

std::string CppHelpers::half(const CppValue& value, bool upper) {
  if (form(value.type) == CppForm::split) return value.text + (upper ? ".hi" : ".lo");
  const char* name = upper ? "upper" : "lower";
  const Type t = value.type, part = half_of(t);
  once(fmt::format("{} {}", name, cpp_name(t)), [&] {
    const std::string result = type(part), from = parameters({t});
    std::string body;
    if (t.scalar == Scalar::i1 && level_ == CppLevel::avx512) {
      body = fmt::format("return {{static_cast<{}>((a.bits >> {}) & {}u)}};",
                         mask_register(part.lanes), upper ? part.lanes : 0,
                         part.lanes == 32 ? 0xffffffffu : (1u << part.lanes) - 1);
    } else {
      std::vector<std::string> lanes;
      for (int i = 0; i < part.lanes; ++i) {
        lanes.push_back(register_lane({t, "a"}, i + (upper ? part.lanes : 0)));
      }
      body = "return " + assemble(part, lanes) + ";";
    }
    return define(result, name, from, body);
  });
  return fmt::format("{}({})", name, value.text);
}

std::string CppHelpers::join(Type t, const std::string& lower, const std::string& upper) {
  if (form(t) == CppForm::split) return fmt::format("{}{{{}, {}}}", type(t), lower, upper);
  const Type part = half_of(t);
  once("join " + cpp_name(t), [&] {
    const std::string result = type(t), from = parameters({part, part});
    std::string body;
    if (t.scalar == Scalar::i1 && level_ == CppLevel::avx512) {
      const std::string bits = mask_register(t.lanes);
      body = fmt::format("return {{static_cast<{0}>(a.bits | (static_cast<{0}>(b.bits) << {1}))}};",
                         bits, part.lanes);
    } else {
      std::vector<std::string> lanes;
      for (int i = 0; i < t.lanes; ++i) {
        const bool first = i < part.lanes;
        lanes.push_back(register_lane({part, first ? "a" : "b"}, i % part.lanes));
      }
      body = joined(t, assemble(t, lanes));
    }
    return define(result, "join", from, body);
  });
  return fmt::format("join({}, {})", lower, upper);
}

std::string CppHelpers::register_lane(const CppValue& vector, int lane) const {
  return fmt::format("{}{}[{}]", vector.text, vector.type.scalar == Scalar::i1 ? ".bits" : "",
                     lane);
}

std::string CppHelpers::assemble(Type t, const std::vector<std::string>& lanes) {
  const std::string list = fmt::format("{{{}}}", fmt::join(lanes, ", "));
  if (t.scalar != Scalar::i1) return type(t) + list;
  return fmt::format("{}{{{}{}}}", type(t), type(t.with(Scalar::i32)), list);
}

std::string CppHelpers::lane_text(const CppValue& vector, int lane) {
  const bool mask = vector.type.scalar == Scalar::i1;
  switch (form(vector.type)) {
    case CppForm::scalar: return vector.text;
    case CppForm::array: return fmt::format("{}.lane[{}]", vector.text, lane);
    case CppForm::split: {
      const int half = vector.type.lanes / 2;
      return lane_text({half_of(vector.type), vector.text + (lane < half ? ".lo" : ".hi")},
                       lane % half);
    }
    case CppForm::native: break;
  }
  if (!mask) return fmt::format("{}[{}]", vector.text, lane);
  if (level_ != CppLevel::avx512) return fmt::format("({}.bits[{}] != 0)", vector.text, lane);
  return fmt::format("(((static_cast<std::uint64_t>({}.bits) >> {}) & 1) != 0)", vector.text, lane);
}

std::string CppHelpers::lane(const CppValue& vector, int index) {
  type(vector.type);
  return lane_text(vector, index);
}

std::string CppHelpers::build(Type t, const std::vector<std::string>& lanes) {
  const std::string name = type(t);
  if (t.scalar != Scalar::i1) return fmt::format("{}{{{}}}", name, fmt::join(lanes, ", "));
  std::vector<std::string> parts;
  if (level_ == CppLevel::avx512) {
    for (size_t i = 0; i < lanes.size(); ++i) {
      parts.push_back(fmt::format("({} ? UINT64_C({:#x}) : 0)", lanes[i], uint64_t{1} << i));
    }
    return fmt::format("{}{{static_cast<{}>({})}}", name, mask_register(t.lanes),
                       fmt::join(parts, " | "));
  }
  for (const std::string& lane : lanes) parts.push_back(fmt::format("({} ? -1 : 0)", lane));
  return fmt::format("{}{{{}{{{}}}}}", name, type(t.with(Scalar::i32)), fmt::join(parts, ", "));
}

std::string CppHelpers::splat(Type t, const std::string& scalar) {
  const std::string name = fmt::format("splat_{}", cpp_name(t));
  once(name, [&] {
    const std::string result = type(t);
    const Type element{t.scalar, 1};
    std::string body;
    if (form(t) == CppForm::split) {
      body = fmt::format("const {} half = {};\nreturn {{half, half}};", type(half_of(t)),
                         splat(half_of(t), "a"));
    } else if (form(t) == CppForm::array) {
      body = fmt::format("{} r;\nfor (int i = 0; i < {}; ++i) r.lane[i] = a;\nreturn r;", result,
                         t.lanes);
    } else if (t.scalar == Scalar::i1 && level_ == CppLevel::avx512) {
      const uint64_t all = t.lanes == 64 ? ~uint64_t{0} : (uint64_t{1} << t.lanes) - 1;
      body = fmt::format("return {{static_cast<{}>(a ? UINT64_C({:#x}) : 0)}};",
                         mask_register(t.lanes), all);
    } else {
      body = "return " + build(t, std::vector<std::string>(t.lanes, "a")) + ";";
    }
    return define(result, name, parameters({element}), body);
  });
  return fmt::format("{}({})", name, scalar);
}

std::string CppHelpers::literal(Type t, int first) {
  if (form(t) == CppForm::split) {
    return fmt::format("{{{}, {}}}", literal(half_of(t), first),
                       literal(half_of(t), first + t.lanes / 2));
  }
  std::vector<std::string> lanes;
  for (int i = 0; i < t.lanes; ++i) lanes.push_back(fmt::format("{}", first + i));
  const std::string list = fmt::format("{{{}}}", fmt::join(lanes, ", "));
  return form(t) == CppForm::array ? "{" + list + "}" : list;
}

std::string CppHelpers::iota(Type t) {
  const std::string name = fmt::format("iota_{}", cpp_name(t));
  if (t.lanes == 1) return cpp_integer(t.scalar, 0);
  once(name, [&] {
    const std::string result = type(t);
    return define(result, name, "",
                  fmt::format("const {} r = {};\nreturn r;", result, literal(t, 0)));
  });
  return name + "()";
}

std::string CppHelpers::prefetch(const std::string& pointer, const std::string& offset) {
  once("prefetch", [&] {
    const std::string from = fmt::format("{} a, {} b", type({Scalar::ptr, 1}), type({}));
    return define(
        "void", "prefetch", from,
        "// Counted as a number: it may lie beyond the array.\n"
        "const auto at = reinterpret_cast<std::uintptr_t>(a) + static_cast<std::uintptr_t>(b);\n"
        "#if defined(__GNUC__)\n__builtin_prefetch(reinterpret_cast<const void*>(at));\n#else\n"
        "static_cast<void>(at);\n#endif");
  });
  return fmt::format("prefetch({}, {})", pointer, offset);
}

}  // namespace nnc::codegen
