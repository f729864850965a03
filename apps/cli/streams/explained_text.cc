#include "cli/streams/explained_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/streams/escaped.h"

namespace unroll {
namespace {

// Of the strongest token of the text, from -1 to 1.
double strength(const ExplainedToken& token, const Explanation& explanation) {
  double largest = 0;
  for (const ExplainedToken& other : explanation.tokens) largest = std::max(largest, std::fabs(other.attribution));
  return largest > 0 ? token.attribution / largest : 0;
}

// Backgrounds of the 256 colours from weak to strong, black on them; empty where the strength is too little to show.
std::string background(double strength) {
  constexpr std::array<int, 3> kFor{153, 111, 75};
  constexpr std::array<int, 3> kAgainst{223, 216, 209};
  const double size = std::fabs(strength);
  if (size < 0.1) return "";
  const std::size_t level = size < 0.4 ? 0 : size < 0.7 ? 1 : 2;
  return fmt::format("\x1b[38;5;16;48;5;{}m", strength > 0 ? kFor.at(level) : kAgainst.at(level));
}

// Calls between(text) and token(token) for all parts of a text, in order.
template <class Between, class OnToken>
void for_each_part(std::string_view text, const Explanation& explanation, const Between& between,
                   const OnToken& on_token) {
  std::size_t at = 0;
  for (const ExplainedToken& token : explanation.tokens) {
    const auto first = static_cast<std::size_t>(token.offset);
    between(text.substr(at, first - at));
    on_token(token);
    at = first + token.text.size();
  }
  between(text.substr(at));
}

std::string as_html(std::string_view text) {
  std::string html;
  for (const char c : visible(text)) {
    switch (c) {
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '&':
        html += "&amp;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

}  // namespace

std::string coloured_text(std::string_view text, const Explanation& explanation) {
  std::string line;
  for_each_part(
      text, explanation, [&](std::string_view part) { line += visible(part); },
      [&](const ExplainedToken& token) {
        const std::string colour = background(strength(token, explanation));
        line += colour.empty() ? visible(token.text) : colour + visible(token.text) + "\x1b[0m";
      });
  return line + '\n';
}

std::string explained_rows(const Explanation& explanation) {
  std::string rows;
  for (const ExplainedToken& token : explanation.tokens) {
    rows += fmt::format("{}\t{}\t{}\n", token.attribution, token.left_out ? fmt::format("{}", *token.left_out) : "-",
                        escaped(token.text));
  }
  return rows + fmt::format("{}\t-\t\n\n", explanation.end_attribution);
}

nlohmann::ordered_json explanation_json(const Explanation& explanation, const std::string& label) {
  nlohmann::ordered_json tokens = nlohmann::ordered_json::array();
  for (const ExplainedToken& token : explanation.tokens) {
    nlohmann::ordered_json left_out = nullptr;
    if (token.left_out) left_out = *token.left_out;
    tokens.push_back({{"text", token.text},
                      {"offset", token.offset},
                      {"unknown", token.is_unknown},
                      {"attribution", token.attribution},
                      {"left_out", std::move(left_out)}});
  }
  return {{"label", label},
          {"probability", explanation.probability},
          {"score", explanation.score},
          {"baseline_score", explanation.baseline_score},
          {"tokens", std::move(tokens)},
          {"end_attribution", explanation.end_attribution},
          {"alphas", explanation.alphas}};
}

std::string explained_html(std::string_view text, const Explanation& explanation, const std::string& label) {
  std::string html = fmt::format("<p><b>{}</b> {:.4f}<br>\n", as_html(label), explanation.probability);
  for_each_part(
      text, explanation, [&](std::string_view part) { html += as_html(part); },
      [&](const ExplainedToken& token) {
        const double share = strength(token, explanation);
        std::string title = fmt::format("attribution {:+.4f}", token.attribution);
        if (token.left_out)
          title += fmt::format(", probability without it {:.4f}", explanation.probability - *token.left_out);
        if (token.is_unknown) title += ", unknown";
        html +=
            fmt::format("<span style=\"background:rgba({},{:.2f})\" title=\"{}\">{}</span>",
                        share > 0 ? "31,119,180" : "255,127,14", 0.8 * std::fabs(share), title, as_html(token.text));
      });
  return html + "</p>\n";
}

std::string html_page(std::string_view texts) {
  return fmt::format(
      "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>Labels explained</title>\n"
      "<style>body{{font-family:sans-serif;max-width:50em;margin:2em auto;line-height:1.6}}"
      "span{{border-radius:3px;padding:1px 2px}}</style>\n</head>\n<body>\n"
      "<p>Blue speaks for the label, orange against it; the pointer shows numbers.</p>\n{}</body>\n</html>\n",
      texts);
}

}  // namespace unroll
