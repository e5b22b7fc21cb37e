#include "tools/nnc/terminal.h"

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "compiler/support/text.h"
#include "tools/nnc/width.h"

namespace nnc::tool {

bool is_terminal(int descriptor) {
  if (isatty(descriptor) == 0) return false;
  const char* terminal = std::getenv("TERM");
  return terminal == nullptr || std::strcmp(terminal, "dumb") != 0;
}

namespace {

bool colours(int descriptor) {
  const char* refused = std::getenv("NO_COLOR");
  return (refused == nullptr || *refused == 0) && is_terminal(descriptor);
}

std::string in_style(const std::string& text, Style style) {
  static const char* const codes[] = {"1", "2", "31;1", "33;1", "32"};
  return fmt::format("\033[{}m{}\033[0m", codes[static_cast<int>(style)], text);
}

}  // namespace

std::string styled(const std::string& text, Style style) {
  static const bool active = colours(STDOUT_FILENO);
  return active ? in_style(text, style) : text;
}

std::string styled_error(const std::string& text, Style style) {
  static const bool active = colours(STDERR_FILENO);
  return active ? in_style(text, style) : text;
}

namespace {

int output_failure = 0;  // errno of the first one

void note_failure() {
  if (output_failure == 0) output_failure = errno != 0 ? errno : EIO;
}

}  // namespace

void write_text(std::FILE* file, const std::string& text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), file) < text.size() && file == stdout) {
    note_failure();
  }
}

void forget_output() {
  std::clearerr(stdout);
  output_failure = 0;
}

int flush_output() {
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) note_failure();
  return output_failure;
}

void print_warning(const std::string& message) {
  print_error("{} {}\n", styled_error("nnc: warning:", Style::yellow), without_controls(message));
}

void print_json(const nlohmann::ordered_json& json) {
  using Json = nlohmann::ordered_json;
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  const bool steers = printable(text) != text;
  if (steers) text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  fmt::print("{}\n", text);
}

void print_note(const std::string& message) {
  print_error("{} {}\n", styled_error("nnc: note:", Style::dim), without_controls(message));
}

ProgressLine::ProgressLine() : active_(is_terminal(STDERR_FILENO)) {}

void ProgressLine::show(const std::string& text) {
  if (!active_) return;
  print_error("\r\033[K{}", shortened(text, static_cast<size_t>(terminal_width()) - 1));
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::clear() {
  if (!shown_) return;
  print_error("\r\033[K");
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace nnc::tool
