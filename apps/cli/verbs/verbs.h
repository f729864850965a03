// The verbs of the command: each reads its own arguments, does its work, and returns the exit status.
//
// Failures leave as Error; ReaderGone leaves when standard output has no reader any more.
#pragma once

#include <string>
#include <vector>

namespace unroll {

int run_train(const std::vector<std::string>& arguments);
int run_data(const std::vector<std::string>& arguments);
int run_predict(const std::vector<std::string>& arguments);
int run_eval(const std::vector<std::string>& arguments);
int run_compare(const std::vector<std::string>& arguments);
int run_tag(const std::vector<std::string>& arguments);
int run_tune(const std::vector<std::string>& arguments);
int run_classify(const std::vector<std::string>& arguments);
int run_probe(const std::vector<std::string>& arguments);
int run_features(const std::vector<std::string>& arguments);
int run_tokenize(const std::vector<std::string>& arguments);
int run_serve(const std::vector<std::string>& arguments);
int run_score(const std::vector<std::string>& arguments);
int run_rescore(const std::vector<std::string>& arguments);
int run_merge(const std::vector<std::string>& arguments);
int run_rnnlm(const std::vector<std::string>& arguments);
int run_generate(const std::vector<std::string>& arguments);
int run_convert(const std::vector<std::string>& arguments);
int run_export(const std::vector<std::string>& arguments);
int run_import(const std::vector<std::string>& arguments);
int run_inspect(const std::vector<std::string>& arguments);
int run_recipes(const std::vector<std::string>& arguments);
int run_report(const std::vector<std::string>& arguments);
int run_draw(const std::vector<std::string>& arguments);
int run_sweep(const std::vector<std::string>& arguments);
int run_results(const std::vector<std::string>& arguments);
int run_gradflow(const std::vector<std::string>& arguments);
int run_gradcheck(const std::vector<std::string>& arguments);

}  // namespace unroll
