#include "python/keywords.h"

#include <initializer_list>

namespace unroll {
namespace {

[[noreturn]] void refuse_alone(const std::string& setting, const std::string& what) {
  throw Error(ErrorCode::kUsage, "`" + setting + "` does nothing without `" + what + "`: give both, or neither",
              setting);
}

}  // namespace

py::object Keywords::take_object(const char* name) {
  if (!left_.contains(name)) return py::none();
  py::object value = left_[name];
  if (PyDict_DelItemString(left_.ptr(), name) != 0) throw py::error_already_set();
  return value;
}

void Keywords::take_text(const char* name, std::string& target) {
  const py::object text = take_object(name);
  if (!text.is_none()) target = bytes_of(text, std::string("the argument '") + name + "'");
}

void Keywords::take_path(const char* name, std::string& target) {
  const py::object path = take_object(name);
  if (!path.is_none()) target = path_of(path);
}

void Keywords::expect_none_left() const {
  for (const auto& [name, value] : left_) {
    throw py::type_error(function_ + "() got an unexpected keyword argument '" + std::string(py::str(name)) + "'");
  }
}

Accounting take_accounting(Keywords& keywords) {
  Accounting accounting;
  keywords.take_name("begin", accounting.begin, parse_begin_policy);
  keywords.take("end", accounting.end);
  keywords.take_name("unknown", accounting.unknown, parse_unknown_policy);
  const auto words = keywords.take<std::int64_t>("unknown_words");
  const bool shared = accounting.unknown == UnknownPolicy::kShare;
  if (words && !shared) refuse_alone("unknown_words", "unknown='share'");
  if (shared && !words) {
    throw Error(ErrorCode::kUsage, "`unknown` 'share' divides by a number of words: give it as `unknown_words`",
                "unknown_words");
  }
  accounting.unknown_words = words.value_or(accounting.unknown_words);
  return accounting;
}

Adaptation take_adaptation(Keywords& keywords) {
  Adaptation adaptation;
  keywords.take("temperature", adaptation.temperature);
  CacheOptions cache;
  DynamicOptions dynamic;
  const bool with_cache = keywords.take<bool>("cache").value_or(false);
  const bool with_dynamic = keywords.take<bool>("dynamic").value_or(false);
  const auto take = [&](bool is_on, const char* what, const char* name, auto& target) {
    const auto value = keywords.take<std::decay_t<decltype(target)>>(name);
    if (value && !is_on) refuse_alone(name, what);
    if (value) target = *value;
  };
  take(with_cache, "cache", "cache_size", cache.size);
  take(with_cache, "cache", "cache_theta", cache.theta);
  take(with_cache, "cache", "cache_weight", cache.weight);
  take(with_dynamic, "dynamic", "dynamic_bptt", dynamic.bptt);
  take(with_dynamic, "dynamic", "dynamic_rate", dynamic.rate);
  take(with_dynamic, "dynamic", "dynamic_decay", dynamic.decay);
  if (with_cache) adaptation.cache = cache;
  if (with_dynamic) adaptation.dynamic = dynamic;
  return adaptation;
}

std::optional<NgramMix> take_ngram(Keywords& keywords) {
  std::string path;
  keywords.take_path("ngram", path);
  const auto lambda = keywords.take<double>("ngram_lambda");
  if (path.empty()) {
    if (lambda) refuse_alone("ngram_lambda", "ngram");
    return std::nullopt;
  }
  const py::gil_scoped_release unlocked;
  NgramMix mix{.ngram = Ngram::load(path)};
  mix.lambda = lambda.value_or(mix.lambda);
  return mix;
}

}  // namespace unroll
