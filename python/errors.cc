#include "python/errors.h"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "python/text.h"
#include "unroll/error.h"
#include "unroll/train_options.h"
#include "unroll/warning.h"

namespace unroll {
namespace {

// Fields whose keyword is not the last part of their path, by the end of that path.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kOtherKeywords{{
    {"cache.size", "cache_size"},
    {"cache.theta", "cache_theta"},
    {"cache.weight", "cache_weight"},
    {"dynamic.bptt", "dynamic_bptt"},
    {"dynamic.rate", "dynamic_rate"},
    {"dynamic.decay", "dynamic_decay"},
    {"ngram.lambda", "ngram_lambda"},
    {"text.paths", "texts"},
    {"files.from", "from_model"},  // `from` is a word of Python's own
}};

constexpr const char* kErrorText =
    "What unroll reports: one line that says what failed, where, what was expected, and what to try.\n\n"
    "code   'usage', 'input', 'file', 'format', 'memory' or 'numeric'\n"
    "field  the keyword argument that is to blame, or None\n"
    "index  the first of the lines or texts of the call, from 0, that is to blame, or None";

std::string_view code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return "usage";
    case ErrorCode::kInput:
      return "input";
    case ErrorCode::kFile:
      return "file";
    case ErrorCode::kFormat:
      return "format";
    case ErrorCode::kMemory:
      return "memory";
    case ErrorCode::kNumeric:
      return "numeric";
    case ErrorCode::kPeer:
      return "peer";
  }
  return "";
}

bool is_field_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

// Never freed: the interpreter may be gone when static objects are destroyed.
PyObject* error_class = nullptr;

void raise(const Error& error) {
  const py::object instance = py::handle(error_class)(str_of(with_keywords(error.what())));
  instance.attr("code") = std::string(code_name(error.code()));
  if (!error.field().empty()) instance.attr("field") = keyword_of(error.field());
  if (error.index()) instance.attr("index") = *error.index();
  PyErr_SetObject(error_class, instance.ptr());
}

void warn(const std::string& message) {
  const py::gil_scoped_acquire locked;
  if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1) != 0) throw py::error_already_set();
}

}  // namespace

std::string keyword_of(std::string_view field) {
  const auto ends_field = [&](const auto& other) {
    return field.ends_with(other.first) &&
           (field.size() == other.first.size() || field[field.size() - other.first.size() - 1] == '.');
  };
  const auto* const other = std::ranges::find_if(kOtherKeywords, ends_field);
  if (other != kOtherKeywords.end()) return std::string(other->second);
  std::string keyword(field.substr(field.rfind('.') + 1));
  const TrainOptions options;
  for_each_option(options, [&](const TrainOption& option, const auto&) {
    if (option.field == field) keyword = option.name;
  });
  std::ranges::replace(keyword, '-', '_');
  return keyword;
}

std::string with_keywords(std::string_view message) {
  std::string result;
  while (true) {
    const std::size_t open = message.find('`');
    const std::size_t close = open == message.npos ? message.npos : message.find('`', open + 1);
    if (close == message.npos) return result.append(message);
    const std::string_view field = message.substr(open + 1, close - open - 1);
    result += message.substr(0, open + 1);
    if (is_field_name(field)) {
      result += keyword_of(field) + '`';
      message.remove_prefix(close + 1);
    } else {
      message.remove_prefix(open + 1);
    }
  }
}

void bind_errors(py::module_& module) {
  py::dict attributes;
  for (const char* const name : {"code", "field", "index"}) attributes[name] = py::none();
  error_class = PyErr_NewExceptionWithDoc("unroll.Error", kErrorText, nullptr, attributes.ptr());
  if (error_class == nullptr) throw py::error_already_set();
  module.attr("Error") = py::reinterpret_borrow<py::object>(error_class);
  py::register_local_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const Error& error) {
      raise(error);
    }
  });
  static_cast<void>(set_warning_handler(warn));
}

void SignalCheck::operator()() {
  using std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kInterval{50};
  if (steady_clock::now() - last_ < kInterval) return;
  const py::gil_scoped_acquire locked;
  last_ = steady_clock::now();
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

}  // namespace unroll
