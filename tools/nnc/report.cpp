#include "tools/nnc/report.h"

#include "tools/nnc/terminal.h"
#include "tools/workbench/reporter.h"

namespace nnc::tool {

void print_diagnostics(const Diagnostics& diagnostics) {
  int errors = 0;
  for (const Diagnostic& diagnostic : diagnostics.sorted()) {
    const bool error = diagnostic.severity == Severity::error;
    std::string text = render(diagnostic);
    const std::string word = error ? "error:" : "warning:";
    const size_t at = text.find(word);
    text.replace(at, word.size(), styled_error(word, error ? Style::red : Style::yellow));
    print_error("{}", text);
    errors += error ? 1 : 0;
  }
  if (errors > 1) print_error("{} errors\n", errors);
}

namespace {

class Printer final : public workbench::Reporter {
 public:
  void warning(const std::string& message) override { print_warning(message); }
  void note(const std::string& message) override { print_note(message); }
  void diagnostics(const Diagnostics& found) override { print_diagnostics(found); }
};

}  // namespace

void print_reports() {
  static Printer printer;
  workbench::set_reporter(printer);
}

}  // namespace nnc::tool
