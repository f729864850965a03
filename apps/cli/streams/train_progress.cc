#include "cli/streams/train_progress.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <string>

#include "cli/streams/quantities.h"

namespace unroll {
namespace {

// The live line shows means over about this many steps: single batches are noisy.
constexpr double kMeanSteps = 30;

std::string plural(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(count), noun, count == 1 ? "" : "s");
}

// "64", or "60 to 68" where windows differ.
std::string window_words(const TrainPlan& plan) {
  if (plan.bptt_jitter == 0) return fmt::format("{}", plan.bptt);
  return fmt::format("{} to {}", plan.bptt - 2 * plan.bptt_jitter, plan.bptt + 2 * plan.bptt_jitter);
}

// "111,540", or "the first 20,000 of 111,540".
std::string valid_words(const TrainPlan& plan) {
  const std::string all = grouped(plan.valid_text_tokens);
  if (plan.valid_tokens == plan.valid_text_tokens) return all;
  return fmt::format("the first {} of {}", grouped(plan.valid_tokens), all);
}

// " (61.3% unknown)"; nothing where there is none.
std::string unknown_note(double share) {
  return share == 0 ? "" : fmt::format(" ({:.{}f}% unknown)", 100 * share, share < 0.001 ? 4 : 1);
}

// What texts are learned for.
std::string answer_words(const TrainPlan& plan) {
  if (plan.task == TaskKind::kLanguage)
    return plan.config.bidirectional ? "a language model of both directions" : "a language model";
  return plural(std::max(plan.config.outputs, plan.config.conditions), "label") +
         (plan.scheme.empty() ? "" : fmt::format(" (spans in {})", plan.scheme));
}

// What is trained on: tokens of a text, or texts with answers.
std::string text_words(const TrainPlan& plan) {
  const double train_unknown = train_unknown_share(plan);
  const double valid_unknown = valid_unknown_share(plan);
  if (plan.train_texts == 0) {
    return fmt::format("text     {} tokens to train on{}, {} to validate on{}; vocabulary {}",
                       grouped(plan.train_tokens), unknown_note(train_unknown),
                       plan.valid_tokens > 0 ? valid_words(plan) : "none", unknown_note(valid_unknown),
                       grouped(plan.config.vocabulary));
  }
  return fmt::format("texts    {} of {} tokens to train on{}, {} to validate on{}; {}, vocabulary {}",
                     grouped(plan.train_texts), grouped(plan.train_symbols), unknown_note(train_unknown),
                     plan.valid_texts > 0 ? grouped(plan.valid_texts) : "none", unknown_note(valid_unknown),
                     answer_words(plan), grouped(plan.config.vocabulary));
}

std::string softmax_text(const TrainPlan& plan) {
  if (!plan.config.cutoffs.empty()) return ", adaptive softmax";
  if (plan.samples == 0) return "";
  return fmt::format(", softmax sampled at {} symbols (the training loss is an estimate)", grouped(plan.samples));
}

// "ranks    4 on 2 hosts (2 node1, 2 node2), 8 replicas; each sends 12.3 MiB a step, 14% of its time".
std::string ranks_text(const TrainPlan& plan) {
  std::map<std::string, std::int64_t> ranks_of;
  for (const std::string& host : plan.hosts) ++ranks_of[host];
  std::string hosts;
  for (const auto& [host, ranks] : ranks_of) hosts += fmt::format("{}{} {}", hosts.empty() ? "" : ", ", ranks, host);
  std::string text = fmt::format("ranks    {} on {} ({}), {}", plan.hosts.size(), plural(std::ssize(ranks_of), "host"),
                                 hosts, plural(plan.replicas, "replica"));
  if (plan.sent_bytes_per_step == 0) return text;
  return text + fmt::format("; each sends {} a step, which takes {:.0f}% of it", people_bytes(plan.sent_bytes_per_step),
                            100 * plan.exchange_share);
}

}  // namespace

TrainProgress::TrainProgress(Terminal* terminal) : terminal_(terminal), start_(std::chrono::steady_clock::now()) {}

void TrainProgress::plan(const TrainPlan& plan) {
  plan_ = plan;
  train_unknown_ = train_unknown_share(plan);
  valid_unknown_ = valid_unknown_share(plan);
  start_ = std::chrono::steady_clock::now();
  const NetworkConfig& net = plan.config;
  terminal_->line(fmt::format("model    {}, {} of {}, embedding {}{}{}{}: {} parameters ({})", cell_name(net.cell),
                              plural(net.layers, "layer"), net.hidden, net.embed, net.tied ? ", tied" : "",
                              softmax_text(plan), net.layer_norm ? ", layer normalisation" : "",
                              grouped(plan.parameters), people_bytes(plan.parameters * 4)));
  terminal_->line(text_words(plan));
  std::size_t widest = 8;
  for (const MemoryItem& item : plan.memory) widest = std::max(widest, item.name.size());
  std::string_view title = "memory";
  for (const MemoryItem& item : plan.memory) {
    terminal_->line(fmt::format("{:<8} {:<{}}  {:>10}", title, item.name, widest, people_bytes(item.bytes)));
    title = "";
  }
  terminal_->line(fmt::format("{:<8} {:<{}}  {:>10}", title, "together", widest, people_bytes(plan.memory_bytes)));
  const auto epoch_steps = static_cast<double>(std::max<std::int64_t>(1, plan.steps_per_epoch));
  const bool of_one_text = plan.train_texts == 0;
  const std::string window = of_one_text ? fmt::format("{} x {} tokens", plan.batch_size, window_words(plan))
                                         : fmt::format("{} texts", plan.batch_size);
  terminal_->line(
      fmt::format("run      {} of {} ({:.3g} epochs); {}saved every {}", plural(plan.steps, "step"), window,
                  static_cast<double>(plan.steps) / epoch_steps,
                  plan.valid_tokens > 0 ? fmt::format("validation every {}, ", grouped(plan.validate_every)) : "",
                  grouped(plan.save_every)));
  terminal_->line(fmt::format("numbers  precision {}{}", precision_name(plan.precision),
                              plan.precision_reason.empty() ? "" : fmt::format(" (auto: {})", plan.precision_reason)));
  const std::int64_t steps_left = plan.steps - plan.first_step;
  const double tokens_left =
      static_cast<double>(steps_left) * (of_one_text ? static_cast<double>(plan.batch_size * plan.bptt)
                                                     : static_cast<double>(plan.train_symbols) / epoch_steps);
  std::string cost = fmt::format("cost     {} per token, {} in all", people_flops(plan.flops_per_token),
                                 people_flops(plan.flops_per_token * tokens_left));
  if (plan.seconds_per_step > 0) {
    cost += fmt::format("; about {} with {}", people_seconds(plan.seconds_per_step * static_cast<double>(steps_left)),
                        plural(plan.threads, "thread"));
  }
  terminal_->line(cost);
  if (plan.hosts.size() > 1) terminal_->line(ranks_text(plan));
  if (is_language() || plan.task == TaskKind::kConditional) {
    terminal_->line(
        fmt::format("guess    ln V = {:.4f} nats per token is the loss of a uniform guess", plan.uniform_nats));
  }
  if (plan.first_step > 0) {
    terminal_->line(fmt::format("resumed  after step {}", grouped(plan.first_step)));
  }
}

bool TrainProgress::is_language() const noexcept { return plan_.task == TaskKind::kLanguage; }

std::string TrainProgress::loss_words(double nats, double unknown) const {
  if (!is_language() && plan_.task != TaskKind::kConditional) return fmt::format("loss {:.4f}", nats);
  std::string words = fmt::format("loss {:.4f}  ppl {}", nats, people_perplexity(nats));
  if (plan_.tokenizer == TokenizerKind::kChar) {
    words += fmt::format("  {:.3f} bits/char{}", nats / std::numbers::ln2, unknown > 0 ? " (not comparable)" : "");
  }
  return words + unknown_note(unknown);
}

void TrainProgress::step(const StepReport& report) {
  ++steps_seen_;
  const double weight = std::max(1 / kMeanSteps, 1 / static_cast<double>(steps_seen_));
  mean_nats_ += weight * (report.nats_per_token - mean_nats_);
  mean_tokens_per_s_ += weight * (report.tokens_per_s - mean_tokens_per_s_);

  if (report.valid_nats_per_token && report.valid_accuracy) {
    answers_line(report);
  } else if (report.valid_nats_per_token) {
    validation_line(report.step, "validation", *report.valid_nats_per_token);
    if (report.average_valid_nats_per_token) {
      validation_line(report.step, "of average", *report.average_valid_nats_per_token);
    }
  }
  if (!terminal_->live_due()) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const double left = seconds / static_cast<double>(steps_seen_) * static_cast<double>(plan_.steps - report.step);
  terminal_->live(fmt::format(
      "{}%  {}  {} tokens/s  {} left  step {}/{}", 100 * report.step / std::max<std::int64_t>(1, plan_.steps),
      loss_words(mean_nats_, train_unknown_), grouped(static_cast<std::int64_t>(mean_tokens_per_s_)),
      people_seconds(left), grouped(report.step), grouped(plan_.steps)));
}

void TrainProgress::sample(std::int64_t step, std::string_view text) {
  terminal_->line(fmt::format("sample   after step {}:", grouped(step)));
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    terminal_->line(fmt::format("         {}", text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void TrainProgress::validation_line(std::int64_t step, std::string_view what, double nats) {
  const bool best = !validated_ || nats < best_valid_;
  if (best) best_valid_ = nats;
  validated_ = true;
  terminal_->line(fmt::format("step {:>{}}  {} {}{}", grouped(step), grouped(plan_.steps).size(), what,
                              loss_words(nats, valid_unknown_), best ? terminal_->strong("  best") : ""));
}

void TrainProgress::answers_line(const StepReport& report) {
  const double nats = std::min(*report.valid_nats_per_token,
                               report.average_valid_nats_per_token.value_or(*report.valid_nats_per_token));
  const bool by_accuracy = plan_.config.readout == Readout::kSteps && *report.valid_accuracy != best_accuracy_;
  const bool best = !validated_ || (by_accuracy ? *report.valid_accuracy > best_accuracy_ : nats < best_valid_);
  if (best) best_valid_ = nats;
  if (best) best_accuracy_ = *report.valid_accuracy;
  validated_ = true;
  terminal_->line(fmt::format("step {:>{}}  validation loss {:.4f}  accuracy {:.2f}%{}", grouped(report.step),
                              grouped(plan_.steps).size(), nats, 100 * *report.valid_accuracy,
                              best ? terminal_->strong("  best") : ""));
}

void TrainProgress::validation(std::int64_t done, std::int64_t total) {
  if (!terminal_->live_due()) return;
  terminal_->live(fmt::format("validating  {}%", 100 * done / std::max<std::int64_t>(1, total)));
}

void TrainProgress::summary(const TrainResult& result, std::string_view model_path) {
  terminal_->keep_live();
  if (result.already_complete) {
    terminal_->line(
        fmt::format("already complete: {} was trained for all its {}", model_path, plural(result.steps, "step")));
    return;
  }
  if (result.interrupted && result.steps == 0) {
    terminal_->line("interrupted before the first step: nothing was saved");
    return;
  }
  if (result.interrupted) {
    terminal_->line(fmt::format("interrupted after step {} of {}: saved; the same command with --resume continues",
                                grouped(result.steps), grouped(plan_.steps)));
  }
  if (result.stopped_early) {
    terminal_->line(fmt::format("stopped  after step {} of {}: validation stopped improving", grouped(result.steps),
                                grouped(plan_.steps)));
  }
  terminal_->line(fmt::format("trained  {}, {} {} in {}; {}", plural(result.steps, "step"), grouped(result.tokens),
                              is_language() ? "tokens" : "answers", people_seconds(result.seconds),
                              loss_words(result.nats_per_token, train_unknown_)));
  if (result.best_valid_nats_per_token) {
    terminal_->line(fmt::format(
        "best     step {}{}: validation {}", grouped(result.best_step),
        result.best_is_average ? ", averaged weights" : "",
        loss_words(*result.best_valid_nats_per_token, valid_unknown_) +
            (result.best_valid_accuracy ? fmt::format("  accuracy {:.2f}%", 100 * *result.best_valid_accuracy) : "")));
  }
  if (result.temperature) {
    terminal_->line(fmt::format("adjusted temperature {:.4g}: validation loss {:.4f} -> {:.4f}",
                                result.temperature->value, result.temperature->nats_before,
                                result.temperature->nats_after));
  }
  terminal_->line(fmt::format("model    {}", terminal_->strong(model_path)));
}

}  // namespace unroll
