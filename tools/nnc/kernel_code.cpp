#include "tools/nnc/kernel_code.h"

#include <fmt/format.h>

#include <map>
#include <sstream>

#include "tools/nnc/terminal.h"

namespace nnc::tool {

namespace {

bool is_instruction(const std::string& line) {
  return line.size() > 1 && line[0] == '\t' && line[1] != '.' && line[1] != '#';
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// A vector instruction with the memory operand last writes it, elsewhere reads it.
void count(const std::string& line, LoopCount& loop) {
  ++loop.instructions;
  if (contains(line, "vfmadd") || contains(line, "mulps") || contains(line, "mulpd"))
    ++loop.multiply_adds;
  const size_t memory = line.find('(');
  if (memory == std::string::npos || (line[1] != 'v' && !contains(line, "ps\t"))) return;
  const bool last = line.find(',', line.find(')')) == std::string::npos;
  ++(last && contains(line, "mov") ? loop.stores : loop.loads);
}

std::vector<std::string> lines_of(const std::string& assembly, const std::string& function) {
  std::vector<std::string> lines;
  std::istringstream stream(assembly);
  bool inside = false;
  for (std::string line; std::getline(stream, line);) {
    if (line.rfind(function + ":", 0) == 0) inside = true;
    if (inside && line.rfind(".Lfunc_end", 0) == 0) break;
    if (inside) lines.push_back(line);
  }
  return lines;
}

// Innermost loops: jumps back to a label with no other jump back in between.
std::vector<LoopCount> loops_of(const std::vector<std::string>& lines) {
  std::map<std::string, size_t> labels;
  std::vector<LoopCount> loops;
  size_t last_loop_end = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (line.rfind(".LBB", 0) == 0) labels[line.substr(0, line.find(':'))] = i;
    if (!is_instruction(line) || line[1] != 'j') continue;
    const size_t target = line.find(".LBB");
    const auto label =
        target == std::string::npos ? labels.end() : labels.find(line.substr(target));
    if (label == labels.end() || label->second < last_loop_end) continue;
    LoopCount loop;
    loop.label = label->first;
    for (size_t k = label->second; k <= i; ++k)
      if (is_instruction(lines[k])) count(lines[k], loop);
    loops.push_back(loop);
    last_loop_end = i;
  }
  return loops;
}

}  // namespace

KernelCode find_kernel(const std::string& assembly, const std::string& function) {
  KernelCode code;
  const auto lines = lines_of(assembly, function);
  for (const std::string& line : lines) {
    code.text += line + "\n";
    const size_t frame = line.find("subq\t$");
    if (frame != std::string::npos && contains(line, ", %rsp"))
      code.frame_bytes += std::stol(line.substr(frame + 6));
    if (line.rfind("\tvmov", 0) == 0 && contains(line, "(%rsp)") &&
        line.find("(%rsp)") > line.find(','))
      ++code.spills;
  }
  code.loops = loops_of(lines);
  return code;
}

void print_kernel(const KernelCode& code, const std::string& title) {
  fmt::print("\n{}\n{}\n", styled(title, Style::bold), code.text);
  fmt::print("  stack frame {} bytes, {} vector registers spilled\n", code.frame_bytes,
             code.spills);
  for (const LoopCount& loop : code.loops)
    fmt::print("  loop {:<10} {:>4} instructions: {} multiply-adds, {} loads, {} stores\n",
               loop.label, loop.instructions, loop.multiply_adds, loop.loads, loop.stores);
}

}  // namespace nnc::tool
