#include "cli/report/sections.h"

namespace unroll {

std::string_view report_style() noexcept {
  return R"(
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem 1rem 4rem; background: #ffffff; color: #1a1a1a;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0.5rem; border-bottom: 1px solid #dddddd; padding-bottom: 0.2rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 0.25rem; overflow-wrap: anywhere; }
p { margin: 0.4rem 0; overflow-wrap: anywhere; }
.small { font-size: 0.85rem; color: #555555; }
.wide { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; margin: 0.5rem 0; }
th, td { text-align: right; padding: 0.25rem 0.6rem; border-bottom: 1px solid #e5e5e5; vertical-align: top; }
th:first-child { text-align: left; font-weight: 500; }
tr.heading > * { font-weight: 600; border-bottom-color: #999999; }
tr.differs td, tr.differs th { background: #fff3c9; }
.overview td { white-space: nowrap; }
.matrix td { min-width: 3rem; }
.matrix td.right { font-weight: 600; }
details { margin: 0.5rem 0; }
summary { cursor: pointer; }
figure { margin: 0.5rem 0; }
figure > svg { display: block; }
figcaption { font-size: 0.85rem; color: #555555; }
.panels { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.panels figure { flex: 1 1 22rem; max-width: 30rem; min-width: 0; margin: 0; }
.panels svg { width: 100%; }
pre, .lines { font-family: ui-monospace, "DejaVu Sans Mono", "Noto Sans Mono", Menlo, Consolas, monospace;
  font-size: 0.85rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0.2rem 0 1rem; padding: 0.5rem 0.75rem;
  background: #f6f6f4; border-left: 3px solid #bbbbbb; }
.lines p { margin: 0.35rem 0; line-height: 1.7; white-space: pre-wrap; }
.s { padding: 0.1em 0; }
.s0 { background: #f7f4ee; color: #1a1a1a; }
.s1 { background: #fdeacf; color: #1a1a1a; }
.s2 { background: #fdd9ab; color: #1a1a1a; }
.s3 { background: #fdc282; color: #1a1a1a; }
.s4 { background: #f9a358; color: #1a1a1a; }
.s5 { background: #ef7f35; color: #1a1a1a; }
.s6 { background: #b3450a; color: #ffffff; }
.s7 { background: #8f2d04; color: #ffffff; }
@media (prefers-color-scheme: dark) {
  body { background: #0d1117; color: #e8e8e8; }
  h2 { border-color: #30363d; }
  .small, figcaption { color: #b0b0b0; }
  th, td { border-color: #30363d; }
  tr.heading > * { border-bottom-color: #777777; }
  tr.differs td, tr.differs th { background: #3d3413; }
  pre { background: #161b22; border-color: #484f58; }
  .s0 { background: #161b22; color: #e8e8e8; }
  .s1 { background: #2d2113; color: #e8e8e8; }
  .s2 { background: #462c11; color: #e8e8e8; }
  .s3 { background: #643a10; color: #e8e8e8; }
  .s4 { background: #7a400b; color: #ffffff; }
  .s5 { background: #b7611b; color: #1a1a1a; }
  .s6 { background: #f0954a; color: #1a1a1a; }
  .s7 { background: #ffc890; color: #1a1a1a; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2, h3 { break-after: avoid; }
  figure, tr, .lines p { break-inside: avoid; }
  .wide { overflow: visible; }
  .s, tr.differs td, tr.differs th, svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)";
}

}  // namespace unroll
