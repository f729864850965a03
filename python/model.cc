#include "unroll/model.h"

#include "python/bindings.h"
#include "python/bound.h"
#include "python/text.h"

namespace unroll {
namespace {

py::str name_of(std::string_view name) { return str_of(name); }

Model open_model(const py::object& path) {
  const std::string file = path_of(path);
  const py::gil_scoped_release unlocked;
  return Model::load(file);
}

py::dict config_of(const Model& model) {
  const NetworkConfig& config = model.config();
  py::dict dict;
  dict["cell"] = name_of(cell_name(config.cell));
  dict["vocabulary"] = config.vocabulary;
  dict["embed"] = config.embed;
  dict["hidden"] = config.hidden;
  dict["layers"] = config.layers;
  dict["tied"] = config.tied;
  dict["residual"] = config.residual;
  dict["layer_norm"] = config.layer_norm;
  dict["cutoffs"] = config.cutoffs;
  dict["outputs"] = config.outputs;
  dict["loss"] = name_of(loss_name(config.loss));
  dict["readout"] = name_of(readout_name(config.readout));
  dict["bidirectional"] = config.bidirectional;
  dict["characters"] = config.characters;
  dict["character_hidden"] = config.character_hidden;
  dict["conditions"] = config.conditions;
  return dict;
}

py::dict dict_of(const HistoryPoint& point) {
  py::dict dict;
  dict["step"] = point.step;
  dict["tokens"] = point.tokens;
  dict["nats_per_token"] = point.nats_per_token;
  dict["lr"] = point.lr;
  dict["valid_nats_per_token"] = point.valid_nats_per_token;
  dict["average_valid_nats_per_token"] = point.average_valid_nats_per_token;
  dict["valid_accuracy"] = point.valid_accuracy;
  return dict;
}

py::dict metadata_of(const Model& model) {
  const TrainingRecord& record = model.training();
  py::dict options;
  for (const auto& [name, value] : record.options) options[str_of(name)] = str_of(value);
  py::list history;
  for (const HistoryPoint& point : record.history) history.append(dict_of(point));
  py::dict dict;
  dict["task"] = name_of(task_name(model.task().kind));
  dict["labels"] = list_of(model.task().labels);
  dict["precision"] = name_of(precision_name(model.precision()));
  dict["begin"] = name_of(begin_policy_name(model.begin_policy()));
  dict["state"] = name_of(state_policy_name(model.trained_state_policy()));
  dict["parameters"] = parameter_count(model.config());
  dict["options"] = options;
  dict["history"] = history;
  dict["complete"] = record.complete;
  return dict;
}

py::dict tensors_of(const Model& model) {
  py::dict dict;
  for (const TensorInfo& tensor : model.tensors()) dict[str_of(tensor.name)] = py::tuple(py::cast(tensor.shape));
  return dict;
}

}  // namespace

void bind_model(py::module_& module) {
  bind_class<Model>(module, "Model",
                    "A trained model: weights, tokenizer, task and training record. Immutable; threads may share it. "
                    "Open one with Model.open(path).",
                    "pass the path of its file on, and Model.open() it there; threads may share it as it is")
      .def_static(
          "open", &open_model, py::arg("path"),
          "Reads a model file. Its weights stay in the file, which is mapped into memory: do not overwrite it in "
          "place while a Model uses it. Raises Error with code 'file' if it cannot be read, 'format' if it is "
          "damaged or no model.")
      .def_property_readonly("config", &config_of,
                             "The network as a dict: cell, and sizes: vocabulary V, embed E, hidden H, layers L, "
                             "outputs K, ...")
      .def_property_readonly(
          "metadata", &metadata_of,
          "What the file says besides the network, as a dict: task, labels, precision, begin, state, "
          "parameters (how many), options (of the training run), history (a list of dicts; losses "
          "are in nats per token), complete.")
      .def_property_readonly("tensors", &tensors_of, "The names of all tensors, and their shapes, as a dict.")
      .def_property_readonly("tokenizer", &Model::tokenizer, "The model's Tokenizer.")
      .def("__repr__", [](const Model& self) {
        return "<unroll.Model: " + std::string(task_name(self.task().kind)) + ", " +
               std::string(cell_name(self.config().cell)) + ", " + std::to_string(self.config().layers) + " x " +
               std::to_string(self.config().hidden) + ", " + std::to_string(self.tokenizer().size()) + " symbols>";
      });
}

}  // namespace unroll
